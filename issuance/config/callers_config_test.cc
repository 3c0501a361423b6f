#include "issuance/config/callers_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "issuance/config/testing/parse_config.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

TEST(ParseConfigTest, RefusesCallersWithNamesThatAreNotSeen) {
  EXPECT_EQ(MistakesWith("name: broker,", "name: \"bro\u202eker\","),
            "/etc/h.yaml:5: callers[0].name: has U+202E, which is a format character");
}

TEST(ParseConfigTest, RefusesUnsoundCallers) {
  constexpr char kRoles[] = "must be broker, administrator, auditor or device_reporter";
  EXPECT_EQ(MistakesWith("roles: [broker]", "roles: [admin, broker, broker]"),
            absl::StrCat("/etc/h.yaml:5: callers[0].roles[0]: ", kRoles,
                         "\n/etc/h.yaml:5: callers[0].roles[2]: appears twice"));
  EXPECT_EQ(MistakesWith("roles: [broker]", "roles: []"),
            "/etc/h.yaml:5: callers[0].roles: must be a list with at least one value");
  constexpr char kTenants[] =
      "must be 1 to 63 characters a-z, 0-9 and inner hyphens, or \"*\" alone for all";
  EXPECT_EQ(MistakesWith("[contoso]", "[contoso, '*']"),
            absl::StrCat("/etc/h.yaml:5: callers[0].tenants[1]: ", kTenants));
  EXPECT_EQ(MistakesWith("[contoso]", "[../x]"),
            absl::StrCat("/etc/h.yaml:5: callers[0].tenants[0]: ", kTenants));
  EXPECT_EQ(MistakesWith("dns:broker.local", "broker.local"),
            "/etc/h.yaml:5: callers[0].identity: must be dns:NAME, uri:URI or sha256: and 64 "
            "hexadecimal digits");
  constexpr char kSecond[] = "keys: {software_directory: keys}";
  EXPECT_EQ(MistakesWith(kSecond, absl::StrCat("  - {name: broker, identity: \"dns:BROKER.local\", "
                                               "roles: [auditor], tenants: [contoso]}\n",
                                               kSecond)),
            "/etc/h.yaml:6: callers[1].name: another caller has this name\n"
            "/etc/h.yaml:6: callers[1].identity: another caller has this identity");
}

TEST(ParseConfigTest, SaysWhatIsWrongWithThoseShutOut) {
  const std::string identity = "identity: \"dns:broker.local\"";
  const auto mistakes = [&](const std::string& fields) {
    return MistakesWith(identity, absl::StrCat(identity, ", ", fields));
  };
  for (const char* time : {"yesterday", "2026-11-28", "2026-11-28T12:00:00+01:00"}) {
    EXPECT_THAT(mistakes(absl::StrCat("not_before: ", time)),
                HasSubstr("callers[0].not_before: must be "))
        << time;
  }
  EXPECT_EQ(
      mistakes("refused: [\"dns:broker.local\"]"),
      "/etc/h.yaml:5: callers[0].refused[0]: must be the SHA-256 of a certificate, sha256: and "
      "64 hexadecimal digits; it is no hexadecimal number");
  EXPECT_EQ(
      mistakes(absl::StrCat("refused: [\"", std::string(40, 'a'), "\"]")),
      "/etc/h.yaml:5: callers[0].refused[0]: must be the SHA-256 of a certificate, sha256: and "
      "64 hexadecimal digits; it has 40, as a SHA-1 fingerprint");
  std::string pasted = "SHA256 Fingerprint=AA";
  for (int i = 1; i < 32; ++i) absl::StrAppend(&pasted, ":AA");
  const std::string hash = absl::StrCat("\"sha256:", std::string(64, 'a'), "\"");
  for (const std::string& other : {hash, absl::StrCat("\"", pasted, "\"")}) {
    EXPECT_EQ(MistakesWith(identity, absl::StrCat("identity: ", hash, ", refused: [", other, "]")),
              "/etc/h.yaml:5: callers[0].refused[0]: is the caller's identity: take the caller out")
        << other;
  }
  EXPECT_THAT(MistakesWithLine("limits: {connections: 15}"),
              HasSubstr("limits.connections: must be a whole number, 16 to 100000"));
}

}  // namespace
}  // namespace hourglass::issuance
