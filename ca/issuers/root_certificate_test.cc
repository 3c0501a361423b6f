#include "ca/issuers/root_certificate.h"

#include <gtest/gtest.h>

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/pem.h"
#include "ca/encoding/utf8.h"
#include "hsm/key/key_type.h"
#include "hsm/key/software_key.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {
namespace {

using hsm::KeyType;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

constexpr Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20) + hours(9);

RootSpecification Specification() {
  return {.display_name = "Contoso",
          .generation = 3,
          .now = kNow,
          .duration = days(365),
          .serial_entropy = std::string(kSerialSize, '\xff')};
}

class RootCertificateTest : public testing::Test {
 protected:
  absl::StatusOr<RootCertificate> Issue(const RootSpecification& specification) {
    return IssueRoot(specification, *key_);
  }

  std::unique_ptr<hsm::SigningKey> key_ = *hsm::GenerateSoftwareKey(KeyType::kEcP256);
};

// `openssl x509` of the certificate, one line for each of the options' fields.
std::string Print(const RootCertificate& root, const std::string& options) {
  std::vector<std::string> command = {"openssl", "x509", "-inform", "DER", "-noout"};
  for (absl::string_view option : absl::StrSplit(options, ' ')) command.emplace_back(option);
  return RunCommand(command, root.der()).output;
}

TEST_F(RootCertificateTest, SaysWhatWasSpecified) {
  ASSERT_OK_AND_ASSIGN(const RootCertificate root, Issue(Specification()));
  EXPECT_EQ(Print(root, "-serial -subject -issuer -dates -dateopt iso_8601"),
            "serial=7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\n"
            "subject=CN = Contoso VPN root CA gen 3\n"
            "issuer=CN = Contoso VPN root CA gen 3\n"
            "notBefore=2026-11-20 08:00:00Z\n"
            "notAfter=2027-11-20 09:00:00Z\n");
  EXPECT_EQ(root.not_before(), kNow - hours(1));
  EXPECT_EQ(root.not_after(), kNow + days(365));
  EXPECT_EQ(root.public_key(), key_->public_key());
  EXPECT_EQ(root.key_type(), KeyType::kEcP256);
}

TEST_F(RootCertificateTest, EveryKeyTypeVerifiesByOpenssl) {
  for (const KeyType type : hsm::kAllKeyTypes) {
    ASSERT_OK_AND_ASSIGN(const auto key, hsm::GenerateSoftwareKey(type));
    ASSERT_OK_AND_ASSIGN(const RootCertificate root, IssueRoot(Specification(), *key));
    EXPECT_EQ(root.key_type(), type);
    const TemporaryDirectory directory;
    const std::string file = directory.Write("root.pem", EncodePem(kCertificateLabel, root.der()));
    EXPECT_EQ(RunCommand({"openssl", "verify", "-x509_strict", "-check_ss_sig", "-attime",
                          "1795165200", "-CAfile", file, file})
                  .output,
              absl::StrCat(file, ": OK\n"));
  }
}

TEST_F(RootCertificateTest, ThePathLengthIsForSubKeysOrNot) {
  RootSpecification specification = Specification();
  ASSERT_OK_AND_ASSIGN(const RootCertificate alone, Issue(specification));
  specification.issuing_sub_keys = true;
  ASSERT_OK_AND_ASSIGN(const RootCertificate above, Issue(specification));
  EXPECT_FALSE(alone.allows_issuing_sub_keys());
  EXPECT_TRUE(above.allows_issuing_sub_keys());
  EXPECT_EQ(Print(alone, "-ext basicConstraints"),
            "X509v3 Basic Constraints: critical\n    CA:TRUE, pathlen:0\n");
  EXPECT_EQ(Print(above, "-ext basicConstraints"),
            "X509v3 Basic Constraints: critical\n    CA:TRUE, pathlen:1\n");
}

TEST_F(RootCertificateTest, ParseReadsWhatIssueRootMade) {
  ASSERT_OK_AND_ASSIGN(const RootCertificate made, Issue(Specification()));
  ASSERT_OK_AND_ASSIGN(const RootCertificate read, RootCertificate::Parse(made.der()));
  EXPECT_EQ(read.der(), made.der());
  EXPECT_EQ(read.subject(), made.subject());
  EXPECT_EQ(read.key_identifier(), made.key_identifier());
  EXPECT_EQ(read.not_after(), made.not_after());
}

TEST_F(RootCertificateTest, TheNameIsCutAtACharacter) {
  RootSpecification specification = Specification();
  std::string name;
  for (int i = 0; i < 40; ++i) name += "\xc3\xa9\xf0\x9f\x98\x80";
  specification.display_name = name;
  specification.generation = 1234567;
  ASSERT_OK_AND_ASSIGN(const RootCertificate root, Issue(specification));
  const std::string kept =
      name.substr(0, std::size_t{6} * 20);  // 40 characters, and 24 of " VPN root CA gen 1234567"
  EXPECT_EQ(root.subject(), EncodeCommonName(kept + " VPN root CA gen 1234567"));
  EXPECT_EQ(DecodeUtf8(kept + " VPN root CA gen 1234567")->characters, 64u);
}

TEST_F(RootCertificateTest, TimesTurnIn2050) {
  RootSpecification specification = Specification();
  specification.now = kFirstGeneralizedTime - seconds(1);
  specification.duration = days(1);
  ASSERT_OK_AND_ASSIGN(const RootCertificate root, Issue(specification));
  EXPECT_EQ(Print(root, "-dates -dateopt iso_8601"),
            "notBefore=2049-12-31 22:59:59Z\nnotAfter=2050-01-01 23:59:59Z\n");
}

TEST_F(RootCertificateTest, RefusesSpecifications) {
  const auto refused = [this](const char* field, auto change) {
    RootSpecification specification = Specification();
    change(&specification);
    EXPECT_THAT(Issue(specification), FailsWith(ErrorReason::kFieldInvalid, field));
  };
  for (const seconds duration :
       {seconds(days(1)) - seconds(1), seconds(days(30 * 366)) + seconds(1), seconds(0),
        seconds::min(), seconds::max()}) {
    refused("duration", [&](RootSpecification* s) { s->duration = duration; });
  }
  for (const std::string& name :
       {std::string(), std::string("a\nb"), std::string("\xff"), std::string("a\0b", 3)}) {
    refused("display_name", [&](RootSpecification* s) { s->display_name = name; });
  }
  refused("generation", [](RootSpecification* s) { s->generation = 0; });
  refused("serial_entropy", [](RootSpecification* s) { s->serial_entropy.pop_back(); });
  refused("now", [](RootSpecification* s) { s->now = kFirstTime + hours(1) - seconds(1); });
  refused("now", [](RootSpecification* s) { s->now = Time::min(); });
  refused("now", [](RootSpecification* s) { s->now = Time::max(); });
  refused("duration", [](RootSpecification* s) { s->now = kLastTime; });
}

// Signs with another key than it says.
class LyingKey : public hsm::SigningKey {
 public:
  explicit LyingKey(std::string public_key) : public_key_(std::move(public_key)) {}
  KeyType type() const override { return KeyType::kEcP256; }
  const std::string& public_key() const override { return public_key_; }
  absl::StatusOr<std::string> Sign(absl::string_view message) override {
    return other_->Sign(message);
  }
  void TakeOutOfService() override { in_service_ = false; }
  bool in_service() const { return in_service_; }

 private:
  std::string public_key_;
  std::unique_ptr<hsm::SigningKey> other_ = *hsm::GenerateSoftwareKey(KeyType::kEcP256);
  bool in_service_ = true;
};

TEST_F(RootCertificateTest, AKeyThatLiesMakesNoRoot) {
  LyingKey liar(key_->public_key());
  EXPECT_TRUE(liar.in_service());
  EXPECT_THAT(IssueRoot(Specification(), liar), FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_FALSE(liar.in_service());
}

// Certificates by the OpenSSL CLI, each off in one point; the first, and the third, have none.
TEST_F(RootCertificateTest, ParseRefusesOtherRoots) {
  const TemporaryDirectory directory;
  const std::string key =
      directory.Write("key.pem", *hsm::GenerateSoftwareKeyPem(KeyType::kEcP256));
  const auto make = [&](const std::string& constraints, const std::string& usage,
                        const std::string& more, const std::string& digest = "-sha256",
                        const std::string& serial = "1") {
    std::vector<std::string> command = {
        "openssl",
        "req",
        "-x509",
        "-new",
        "-key",
        key,
        "-subj",
        "/CN=root",
        "-days",
        "30",
        "-set_serial",
        serial,
        digest,
        "-outform",
        "DER",
        "-out",
        directory.File("out.der"),
        "-config",
        directory.Write(
            "openssl.cnf",
            absl::StrCat("[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[ext]\n",
                         constraints, "\n", usage, "\n", more, "\n"))};
    const CommandResult result = RunCommand(command);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return RootCertificate::Parse(ReadFileOrDie(directory.File("out.der")));
  };
  const std::string ca = "basicConstraints=critical,CA:TRUE,pathlen:0",
                    sign = "keyUsage=critical,keyCertSign", id = "subjectKeyIdentifier=hash";
  const auto is_refused = FailsWith(ErrorReason::kConfigurationInvalid, "root.certificate");
  EXPECT_OK(make(ca, sign, id));
  EXPECT_THAT(make("basicConstraints=critical,CA:TRUE", sign, id), is_refused);
  EXPECT_OK(make("basicConstraints=critical,CA:TRUE,pathlen:1", sign, id));
  EXPECT_THAT(make("basicConstraints=critical,CA:TRUE,pathlen:2", sign, id), is_refused);
  EXPECT_THAT(make("basicConstraints=CA:TRUE,pathlen:0", sign, id), is_refused);
  EXPECT_THAT(make("basicConstraints=critical,CA:FALSE", sign, id), is_refused);
  EXPECT_THAT(make(ca, "keyUsage=critical,keyCertSign,cRLSign", id), is_refused);
  EXPECT_THAT(make(ca, "keyUsage=keyCertSign", id), is_refused);
  EXPECT_THAT(make(ca, "keyUsage=critical,digitalSignature", id), is_refused);
  EXPECT_THAT(make(ca, sign, "subjectKeyIdentifier=none"), is_refused);
  EXPECT_THAT(make(ca, sign, "subjectKeyIdentifier=0102030405060708090a0b0c0d0e0f1011121314"),
              is_refused);
  EXPECT_THAT(make(ca, sign, absl::StrCat(id, "\nextendedKeyUsage=clientAuth")), is_refused);
  EXPECT_THAT(make(ca, sign, id, "-sha384"), is_refused);
  EXPECT_THAT(make(ca, sign, id, "-sha1"), is_refused);
  EXPECT_THAT(make(ca, sign, id, "-sha256", "0"), is_refused);
  EXPECT_THAT(make(ca, sign, id, "-sha256", "-1"), is_refused);
}

TEST_F(RootCertificateTest, ParseRefusesBrokenOctets) {
  ASSERT_OK_AND_ASSIGN(const RootCertificate root, Issue(Specification()));
  const auto is_refused = FailsWith(ErrorReason::kConfigurationInvalid, "root.certificate");
  EXPECT_THAT(RootCertificate::Parse(""), is_refused);
  EXPECT_THAT(RootCertificate::Parse(root.der() + '\0'), is_refused);
  for (std::size_t i = 0; i < root.der().size(); ++i) {
    std::string broken = root.der();
    broken[i] = static_cast<char>(broken[i] ^ 1);
    EXPECT_THAT(RootCertificate::Parse(broken), is_refused) << i;
  }
}

}  // namespace
}  // namespace hourglass::ca
