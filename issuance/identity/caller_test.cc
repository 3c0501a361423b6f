#include "issuance/identity/caller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "issuance/identity/testing/client_certificate.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

Caller CallerWith(const std::string& name, const std::string& identity) {
  Caller caller;
  caller.name = name;
  caller.identity = identity;
  caller.roles = {Role::kBroker};
  caller.tenants = {"contoso"};
  return caller;
}

const SystemClock kSystemClock;

absl::StatusOr<CallerDirectory> Directory(std::vector<Caller> callers,
                                          const Clock* clock = &kSystemClock,
                                          const RevocationLists* revocations = nullptr) {
  return CallerDirectory::Create(std::move(callers), clock, revocations);
}

std::string NameOf(const absl::StatusOr<const Caller*>& identified) {
  return identified.ok() ? (*identified)->name : identified.status().ToString();
}

TEST(RoleTest, NamesReadBack) {
  for (const Role role : {Role::kBroker, Role::kAdministrator, Role::kAuditor,
                          Role::kDeviceReporter, Role::kRelyingParty}) {
    ASSERT_OK_AND_ASSIGN(const Role parsed, ParseRole(RoleName(role)));
    EXPECT_EQ(parsed, role);
  }
  EXPECT_EQ(RoleName(Role::kRelyingParty), "relying_party");
  EXPECT_THAT(ParseRole("Broker"), FailsWith(ErrorReason::kConfigurationInvalid, "roles"));
  EXPECT_THAT(ParseRole(""), FailsWith(ErrorReason::kConfigurationInvalid, "roles"));
}

TEST(ParseIdentityTest, GivesOneForm) {
  const std::string digits(64, 'A');
  EXPECT_EQ(ParseIdentity("dns:Broker.Contoso.Example").value(), "dns:broker.contoso.example");
  EXPECT_EQ(ParseIdentity("uri:spiffe://contoso/Broker").value(), "uri:spiffe://contoso/Broker");
  EXPECT_EQ(ParseIdentity("sha256:" + digits).value(), "sha256:" + std::string(64, 'a'));
  for (const std::string& bad :
       {std::string(), std::string("broker"), std::string("dns:"), std::string("dns:*.contoso"),
        std::string("dns:a b"), std::string("dns:a..b"), std::string("dns:-a"), std::string("uri:"),
        std::string("uri:no-scheme"), std::string("uri:a: b"),
        std::string("sha256:") + digits.substr(1), std::string("sha256:") + digits + "0",
        "sha256:" + std::string(64, 'g'), std::string("DNS:a"), std::string("dns:a\0b", 7)}) {
    EXPECT_THAT(ParseIdentity(bad), FailsWith(ErrorReason::kConfigurationInvalid, "identity"))
        << bad;
  }
}

// As OpenSSL, Windows, browsers and people write them.
TEST(ParseFingerprintTest, TakesWhatIsPasted) {
  std::string plain;
  std::string colons;
  for (int i = 0; i < 32; ++i) {
    absl::StrAppend(&plain, "a", i % 10);
    absl::StrAppend(&colons, i == 0 ? "A" : ":A", i % 10);
  }
  const std::string wanted = "sha256:" + plain;
  for (const std::string& pasted :
       {plain, wanted, colons, "sha256:" + colons, "sha256 Fingerprint=" + colons,
        "SHA256 Fingerprint=" + colons + "\n", "SHA-256 Fingerprint: " + colons, "sha256=" + plain,
        "0x" + plain, "\xE2\x80\x8E" + absl::StrReplaceAll(colons, {{":", " "}})}) {
    EXPECT_EQ(ParseFingerprint(pasted).value(), wanted) << pasted;
    EXPECT_EQ(ParseIdentity(pasted).value(), wanted) << pasted;
  }
  for (const auto& [pasted, what] : std::vector<std::pair<std::string, std::string>>{
           {plain.substr(0, 40), "it has 40, as a SHA-1 fingerprint"},
           {"SHA1 Fingerprint=" + colons.substr(0, 59), "it is a SHA-1 fingerprint"},
           {"serial=" + plain.substr(0, 32), "it has 32, as a serial number"},
           {"sha256:" + plain.substr(1), "it has 63"},
           {"sha256:" + plain.substr(1) + "g", "it is no hexadecimal number"}}) {
    const auto fingerprint = ParseFingerprint(pasted);
    EXPECT_THAT(fingerprint, FailsWith(ErrorReason::kConfigurationInvalid, ""));
    EXPECT_THAT(std::string(fingerprint.status().message()), testing::EndsWith("; " + what));
    const auto identity = ParseIdentity(pasted);
    EXPECT_THAT(identity, FailsWith(ErrorReason::kConfigurationInvalid, "identity"));
    EXPECT_THAT(std::string(identity.status().message()), testing::EndsWith("; " + what));
  }
  // Names stay names, also such as are hexadecimal.
  EXPECT_EQ(ParseIdentity("dns:" + plain.substr(0, 60)).value(), "dns:" + plain.substr(0, 60));
}

TEST(CallerDirectoryTest, RefusesSharedNamesAndIdentities) {
  EXPECT_OK(Directory({CallerWith("a", "dns:a"), CallerWith("b", "dns:b")}));
  EXPECT_THAT(Directory({CallerWith("a", "dns:a"), CallerWith("a", "dns:b")}),
              FailsWith(ErrorReason::kConfigurationInvalid, "callers[1].name"));
  EXPECT_THAT(Directory({CallerWith("a", "dns:a"), CallerWith("b", "dns:A")}),
              FailsWith(ErrorReason::kConfigurationInvalid, "callers[1].identity"));
  EXPECT_THAT(Directory({CallerWith("a", "a")}),
              FailsWith(ErrorReason::kConfigurationInvalid, "identity"));
}

TEST(CallerDirectoryTest, KnowsCallersByDnsNameUriAndHash) {
  const std::string by_hash = Certificate("");
  ASSERT_OK_AND_ASSIGN(const CallerDirectory directory,
                       Directory({CallerWith("dns", "dns:broker.contoso.example"),
                                  CallerWith("uri", "uri:spiffe://contoso/cli"),
                                  CallerWith("hash", "sha256:" + Sha256Of(by_hash))}));
  // Twice: the second answer comes from the certificates known already.
  for (int round = 0; round < 2; ++round) {
    std::string sha256;
    EXPECT_EQ(NameOf(directory.Identify(by_hash, &sha256)), "hash");
    EXPECT_EQ(absl::BytesToHexString(sha256), absl::AsciiStrToLower(Sha256Of(by_hash)));
  }
  EXPECT_EQ(NameOf(directory.Identify(Certificate("DNS:other,DNS:Broker.Contoso.example"))), "dns");
  EXPECT_EQ(NameOf(directory.Identify(Certificate("URI:spiffe://contoso/cli"))), "uri");
}

TEST(CallerDirectoryTest, RefusesStrangers) {
  ASSERT_OK_AND_ASSIGN(const CallerDirectory directory,
                       Directory({CallerWith("broker", "dns:broker.example"),
                                  CallerWith("cli", "uri:spiffe://contoso/cli")}));
  ASSERT_EQ(NameOf(directory.Identify(Certificate("DNS:broker.example"))), "broker");
  for (const char* names :
       {"DNS:broker.example.evil", "DNS:x.broker.example", "DNS:*.example", "URI:broker.example",
        "email:cli@broker.example", "URI:spiffe://contoso/CLI", "DNS:spiffe", ""}) {
    EXPECT_THAT(directory.Identify(Certificate(names, "broker.example")),
                FailsWith(ErrorReason::kCallerUnknown))
        << names;
  }
}

TEST(CallerDirectoryTest, RefusesACertificateOfTwoCallers) {
  ASSERT_OK_AND_ASSIGN(
      const CallerDirectory directory,
      Directory({CallerWith("one", "dns:one.example"), CallerWith("two", "dns:two.example")}));
  EXPECT_EQ(NameOf(directory.Identify(Certificate("DNS:one.example,DNS:ONE.example"))), "one");
  EXPECT_THAT(directory.Identify(Certificate("DNS:one.example,DNS:two.example")),
              FailsWith(ErrorReason::kCallerUnknown));
}

TEST(CallerDirectoryTest, RefusesNamesWithControlCharacters) {
  ASSERT_OK_AND_ASSIGN(const CallerDirectory directory,
                       Directory({CallerWith("broker", "dns:broker.example")}));
  // subjectAltName of [2] "broker.example" NUL ".evil", and of the same length without the NUL
  // beside a true one.
  const std::string nul =
      "DER:30168214"
      "62726f6b65722e6578616d706c65"
      "002e6576696c";
  const std::string no_nul =
      "DER:30268214"
      "62726f6b65722e6578616d706c65"
      "2d2e6576696c"
      "820e"
      "62726f6b65722e6578616d706c65";
  EXPECT_EQ(NameOf(directory.Identify(Certificate(no_nul))), "broker");
  EXPECT_THAT(directory.Identify(Certificate(nul)), FailsWith(ErrorReason::kCallerUnknown));
  const std::string nul_beside_true = absl::StrReplaceAll(no_nul, {{"2d2e65", "002e65"}});
  EXPECT_THAT(directory.Identify(Certificate(nul_beside_true)),
              FailsWith(ErrorReason::kCallerUnknown));
}

TEST(CallerDirectoryTest, RefusesWhatIsNoCertificate) {
  ASSERT_OK_AND_ASSIGN(const CallerDirectory directory,
                       Directory({CallerWith("broker", "dns:broker.example")}));
  const std::string pem = Certificate("DNS:broker.example");
  ASSERT_OK(directory.Identify(pem));
  for (const std::string& bad : {std::string(), std::string("garbage"), pem.substr(0, 200),
                                 pem.substr(pem.find('\n') + 1)}) {
    EXPECT_THAT(directory.Identify(bad), FailsWith(ErrorReason::kCallerUnknown));
  }
  // Names that are no SEQUENCE.
  EXPECT_THAT(directory.Identify(Certificate("DER:0400")), FailsWith(ErrorReason::kCallerUnknown));
}

TEST(CallerDirectoryTest, ServesSeveralThreadsAndSurvivesAMove) {
  ASSERT_OK_AND_ASSIGN(CallerDirectory made,
                       Directory({CallerWith("broker", "dns:broker.example")}));
  const std::string pem = Certificate("DNS:broker.example");
  ASSERT_OK_AND_ASSIGN(const Caller* before, made.Identify(pem));
  const CallerDirectory directory = std::move(made);
  EXPECT_EQ(before->name, "broker");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 100; ++round) {
        EXPECT_EQ(NameOf(directory.Identify(pem)), "broker");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(directory.Identify(pem).value(), before);
}

TEST(CallerDirectoryTest, NeverTakesOneCallerForAnother) {
  ASSERT_OK_AND_ASSIGN(
      const CallerDirectory directory,
      Directory({CallerWith("one", "dns:one.example"), CallerWith("two", "dns:two.example")}));
  // Of the same names, sizes and issuer; each caller's second is a renewed one.
  const std::vector<std::pair<std::string, std::string>> certificates = {
      {Certificate("DNS:one.example"), "one"}, {Certificate("DNS:two.example"), "two"},
      {Certificate("DNS:one.example"), "one"}, {Certificate("DNS:two.example"), "two"},
      {Certificate("DNS:six.example"), ""},
  };
  std::vector<std::thread> threads;
  for (std::size_t begin = 0; begin < 4; ++begin) {
    threads.emplace_back([&, begin] {
      for (std::size_t i = begin; i < begin + 500; ++i) {
        const auto& [pem, name] = certificates[i % certificates.size()];
        const absl::StatusOr<const Caller*> identified = directory.Identify(pem);
        EXPECT_EQ(identified.ok() ? (*identified)->name : "", name);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A certificate of the OpenSSL CLI is valid from now on for a day.
TEST(CallerDirectoryTest, LooksAtThePeriodEachTime) {
  const std::string pem = Certificate("DNS:broker.example");
  ManualClock clock;
  ASSERT_OK_AND_ASSIGN(const CallerDirectory directory,
                       Directory({CallerWith("broker", "dns:broker.example")}, &clock));
  EXPECT_EQ(NameOf(directory.Identify(pem)), "broker");
  clock.Advance(std::chrono::hours(23));
  EXPECT_EQ(NameOf(directory.Identify(pem)), "broker");
  clock.Advance(std::chrono::hours(1) + std::chrono::minutes(1));
  EXPECT_THAT(directory.Identify(pem), FailsWith(ErrorReason::kCallerCertificateExpired));
  clock.Advance(-std::chrono::hours(1));
  EXPECT_EQ(NameOf(directory.Identify(pem)), "broker");
  clock.Advance(-std::chrono::hours(30));
  EXPECT_THAT(directory.Identify(pem), FailsWith(ErrorReason::kCallerCertificateExpired));
}

TEST(CallerDirectoryTest, ShutsOutWhatWasIssuedBefore) {
  const std::string pem = Certificate("DNS:broker.example");
  ASSERT_OK_AND_ASSIGN(const CallerCertificate read, ReadCallerCertificate(pem));
  Caller caller = CallerWith("broker", "dns:broker.example");
  caller.not_before = read.not_before;
  ASSERT_OK_AND_ASSIGN(const CallerDirectory at, Directory({caller}));
  EXPECT_EQ(NameOf(at.Identify(pem)), "broker");
  caller.not_before = read.not_before + std::chrono::seconds(1);
  ASSERT_OK_AND_ASSIGN(const CallerDirectory after, Directory({caller}));
  EXPECT_THAT(after.Identify(pem), FailsWith(ErrorReason::kCallerRefused));
  EXPECT_THAT(after.Identify(pem), FailsWith(ErrorReason::kCallerRefused));
}

TEST(CallerDirectoryTest, ShutsOutRefusedCertificatesOfACaller) {
  const std::string stolen = Certificate("DNS:broker.example");
  const std::string renewed = Certificate("DNS:broker.example");
  Caller caller = CallerWith("broker", "dns:broker.example");
  caller.refused = {"sha256:" + Sha256Of(stolen)};
  ASSERT_OK_AND_ASSIGN(const CallerDirectory directory, Directory({caller}));
  EXPECT_THAT(directory.Identify(stolen), FailsWith(ErrorReason::kCallerRefused));
  EXPECT_EQ(NameOf(directory.Identify(renewed)), "broker");
}

TEST(WarningAboutTest, SaysWhoReportsTheDevicesItAsksFor) {
  Caller caller = CallerWith("broker", "dns:broker.example");
  EXPECT_EQ(WarningAbout(caller), "");
  caller.roles = {Role::kDeviceReporter, Role::kAdministrator};
  EXPECT_EQ(WarningAbout(caller), "");
  caller.roles = {Role::kDeviceReporter, Role::kBroker};
  EXPECT_THAT(WarningAbout(caller), testing::HasSubstr("broker and device_reporter in one"));
}

TEST(WarningAboutTest, SaysWhoAcknowledgesWhatItPromotes) {
  Caller caller = CallerWith("gateway", "dns:gateway.example");
  caller.roles = {Role::kRelyingParty, Role::kAuditor, Role::kBroker};
  EXPECT_EQ(WarningAbout(caller), "");
  caller.roles = {Role::kAdministrator, Role::kAuditor, Role::kRelyingParty};
  EXPECT_EQ(WarningAbout(caller),
            "is relying_party and administrator in one: it acknowledges the roots that it "
            "promotes");
  caller.roles = {Role::kAdministrator, Role::kBroker, Role::kDeviceReporter, Role::kRelyingParty};
  EXPECT_EQ(WarningAbout(caller),
            "is broker and device_reporter in one: whoever has its key gets certificates for any "
            "device of its tenants; it is relying_party and administrator in one: it acknowledges "
            "the roots that it promotes");
}

}  // namespace
}  // namespace hourglass::issuance
