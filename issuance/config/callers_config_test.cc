#include "issuance/config/callers_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "issuance/config/testing/parse_config.h"
#include "issuance/yaml/mapping.h"
#include "tests/support/mutual_tls.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Of the fields of the first caller beside its name and identity.
Read<std::vector<Caller>> ReadCaller(const std::string& fields) {
  return ReadText(
      absl::StrCat("callers:\n  - {name: cli, identity: 'dns:cli.example', ", fields, "}\n"),
      [](yaml::Mapping root) { return ReadCallers(root); });
}

Read<std::vector<std::string>> ReadLists(const std::vector<std::string>& files,
                                         const std::string& trusted_roots_file, FileChecks checks) {
  return ReadText(
      absl::StrCat("revocation_lists: [", absl::StrJoin(files, ", "), "]\n"),
      [&](yaml::Mapping root) { return ReadRevocationLists(root, trusted_roots_file, checks); });
}

TEST(ParseConfigTest, RefusesCallersWithNamesThatAreNotSeen) {
  EXPECT_EQ(MistakesWith("name: broker,", "name: \"bro\u202eker\","),
            "/etc/h.yaml:5: callers[0].name: has U+202E, which is a format character");
}

TEST(ParseConfigTest, RefusesUnsoundCallers) {
  constexpr char kRoles[] =
      "must be broker, administrator, auditor, device_reporter or relying_party";
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

TEST(ReadCallersTest, ReadsEveryRole) {
  const auto read = ReadCaller(
      "tenants: [a], roles: [auditor, device_reporter, broker, administrator, "
      "relying_party]");
  EXPECT_EQ(read.mistakes, "");
  ASSERT_EQ(read.result.size(), 1u);
  EXPECT_THAT(read.result[0].roles,
              ElementsAre(Role::kAuditor, Role::kDeviceReporter, Role::kBroker,
                          Role::kAdministrator, Role::kRelyingParty));
}

TEST(ReadCallersTest, AStarAloneIsEveryTenant) {
  const auto all = ReadCaller("roles: [auditor], tenants: ['*']");
  EXPECT_EQ(all.mistakes, "");
  EXPECT_TRUE(all.result[0].all_tenants);
  EXPECT_THAT(all.result[0].tenants, IsEmpty());
  for (const char* with_more : {"['*', '*']", "['*', a]", "[a, '*']"}) {
    const auto read = ReadCaller(absl::StrCat("roles: [auditor], tenants: ", with_more));
    EXPECT_THAT(read.mistakes, HasSubstr("or \"*\" alone for all")) << with_more;
    EXPECT_FALSE(read.result[0].all_tenants) << with_more;
  }
}

TEST(ReadCallersTest, TenantsAreIdsOfTenants) {
  const std::string longest(63, 'a');
  const auto sound = ReadCaller(absl::StrCat("roles: [auditor], tenants: [a, ", longest, "]"));
  EXPECT_EQ(sound.mistakes, "");
  EXPECT_THAT(sound.result[0].tenants, ElementsAre("a", longest));
  EXPECT_FALSE(sound.result[0].all_tenants);
  EXPECT_THAT(ReadCaller(absl::StrCat("roles: [auditor], tenants: [", longest, "a]")).mistakes,
              HasSubstr("callers[0].tenants[0]: must be 1 to 63 characters"));
  EXPECT_THAT(ReadCaller("roles: [auditor], tenants: []").mistakes,
              HasSubstr("callers[0].tenants: must be a list with at least one value"));
}

TEST(ReadCallersTest, ACertificatesFirstTimeIsReadToTheMicrosecond) {
  const auto not_before = [](const std::string& time) {
    return ReadCaller(absl::StrCat("roles: [auditor], tenants: [a], not_before: ", time));
  };
  const Timestamp noon(std::chrono::sys_days(std::chrono::year(2026) / 11 / 28) +
                       std::chrono::hours(12));
  EXPECT_EQ(not_before("2026-11-28T12:00:00Z").result[0].not_before, noon);
  EXPECT_EQ(not_before("'2026-11-28T12:00:00.000001Z'").result[0].not_before,
            noon + std::chrono::microseconds(1));
  for (const char* bad : {"2026-11-28T12:00:00", "2026-02-30T12:00:00Z",
                          "2026-11-28T12:00:00+00:00", "Z", "1795867200"}) {
    const auto read = not_before(bad);
    EXPECT_THAT(read.mistakes, HasSubstr("callers[0].not_before: must be a time in UTC")) << bad;
    EXPECT_EQ(read.result[0].not_before, std::nullopt) << bad;
  }
}

TEST(ReadCallersTest, RefusedCertificatesHaveOneForm) {
  const auto read = ReadCaller(
      absl::StrCat("roles: [auditor], tenants: [a], refused: ['sha256:", std::string(64, 'A'),
                   "', ", std::string(64, 'b'), "]"));
  EXPECT_EQ(read.mistakes, "");
  EXPECT_THAT(read.result[0].refused,
              ElementsAre("sha256:" + std::string(64, 'a'), "sha256:" + std::string(64, 'b')));
  EXPECT_THAT(ReadCaller("roles: [auditor], tenants: [a]").result[0].refused, IsEmpty());
}

class ReadRevocationListsTest : public testing::Test {
 protected:
  // A list of nothing that the trusted root has signed.
  std::string SoundList() { return directory_.Write("sound.crl", tls_.RevocationList({})); }

  MutualTls tls_;
  TemporaryDirectory directory_;
};

TEST_F(ReadRevocationListsTest, TakesWhatTheTrustedRootsHaveSigned) {
  const std::string sound = SoundList();
  const auto read = ReadLists({sound, "b.crl"}, tls_.trusted_roots_file(), FileChecks::kNone);
  EXPECT_EQ(read.mistakes, "") << "nothing was looked at";
  EXPECT_THAT(read.result, ElementsAre(sound, "/etc/b.crl"));
  for (const FileChecks checks : {FileChecks::kStart, FileChecks::kAll}) {
    EXPECT_EQ(ReadLists({sound}, tls_.trusted_roots_file(), checks).mistakes, "");
    MutualTls other;
    EXPECT_EQ(ReadLists({sound}, other.trusted_roots_file(), checks).mistakes,
              absl::StrCat("/etc/h.yaml:1: revocation_lists[0]: ", sound,
                           " holds a list that no certificate of tls.trusted_roots has signed and "
                           "may sign"));
  }
}

TEST_F(ReadRevocationListsTest, SaysWhichListIsWrong) {
  const std::string sound = SoundList();
  const std::string garbage = directory_.Write("garbage.crl", "garbage");
  const std::string missing = directory_.File("missing.crl");
  const auto read =
      ReadLists({sound, garbage, missing}, tls_.trusted_roots_file(), FileChecks::kStart);
  EXPECT_EQ(read.mistakes,
            absl::StrCat("/etc/h.yaml:1: revocation_lists[1]: ", garbage,
                         " holds no certificate revocation list, neither PEM nor DER\n",
                         "/etc/h.yaml:1: revocation_lists[2]: ", missing,
                         " cannot be read: No such file or directory"));
  EXPECT_THAT(read.result, ElementsAre(sound, garbage, missing));
}

// That those cannot be read is told already.
TEST_F(ReadRevocationListsTest, WithoutTrustedRootsNothingIsSaidOfTheLists) {
  const auto read =
      ReadLists({directory_.File("missing.crl")}, directory_.File("missing.pem"), FileChecks::kAll);
  EXPECT_EQ(read.mistakes, "");
}

TEST_F(ReadRevocationListsTest, NoneIsNoMistake) {
  const auto read = ReadText("{}", [&](yaml::Mapping root) {
    return ReadRevocationLists(root, tls_.trusted_roots_file(), FileChecks::kAll);
  });
  EXPECT_EQ(read.mistakes, "");
  EXPECT_THAT(read.result, IsEmpty());
}

}  // namespace
}  // namespace hourglass::issuance
