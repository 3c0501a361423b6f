#include "tools/profiles/known_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::profiles {
namespace {

using testing::HasSubstr;

// Made by the OpenSSL CLI, another implementation than ours.
class KnownCertificateTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = new TemporaryDirectory();
    const std::string script = R"(set -e; cd "$0"
ec() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
for n in root intermediate leaf tenant self old; do ec $n; done
openssl req -x509 -new -key root.key -subj '/CN=Contoso Root' -days 30 -out root.pem \
  -addext 'basicConstraints=critical,CA:TRUE'
openssl req -x509 -new -key tenant.key -subj '/CN=Tenant Root' -days 30 -out tenant.pem
openssl req -x509 -new -key tenant.key -subj '/CN=Renamed' -days 30 -out renamed.pem
openssl req -x509 -new -key self.key -subj '/CN=nps' -days 30 -out self.pem \
  -config /dev/stdin <<E
[req]
distinguished_name=dn
x509_extensions=e
[dn]
[e]
basicConstraints=CA:FALSE
E
printf 'basicConstraints=critical,CA:TRUE' >ca.cnf
openssl req -new -key intermediate.key -subj '/CN=Contoso Issuing' |
  openssl x509 -req -CA root.pem -CAkey root.key -days 20 -extfile ca.cnf -out intermediate.pem
printf 'basicConstraints=CA:FALSE\nsubjectAltName=DNS:NPS.contoso.example,IP:10.0.0.1\nextendedKeyUsage=serverAuth,1.3.6.1.5.5.8.2.2\n' >leaf.cnf
openssl req -new -key leaf.key -subj '/CN=nps.contoso.example' |
  openssl x509 -req -CA intermediate.pem -CAkey intermediate.key -days 10 -extfile leaf.cnf -out leaf.pem
openssl req -new -key old.key -subj '/CN=Old Root' |
  openssl x509 -req -signkey old.key -days 10 -out old.pem
openssl x509 -in root.pem -outform der -out root.der
cat leaf.pem intermediate.pem root.pem >chain.pem
)";
    const CommandResult made = RunCommand({"bash", "-c", script, directory_->path()});
    ASSERT_EQ(made.exit_code, 0) << made.output;
  }
  static void TearDownTestSuite() {
    delete directory_;
    directory_ = nullptr;
  }

  static std::vector<KnownCertificate> Read(absl::string_view file) {
    const auto read = ReadCertificates(ReadFileOrDie(directory_->File(file)), "--x");
    EXPECT_OK(read);
    return read.ok() ? *read : std::vector<KnownCertificate>(1);
  }

  static absl::Status AsServerRoot(absl::string_view file) {
    return CheckServerRoot(Read(file).front(), Read("tenant.pem"), absl::Now());
  }

  static TemporaryDirectory* directory_;
};

TemporaryDirectory* KnownCertificateTest::directory_ = nullptr;

TEST_F(KnownCertificateTest, TellsRootsFromIntermediatesAndLeaves) {
  const std::vector<KnownCertificate> chain = Read("chain.pem");
  ASSERT_EQ(chain.size(), 3U);
  EXPECT_EQ(chain[0].place, ChainPlace::kLeaf);
  EXPECT_EQ(chain[1].place, ChainPlace::kIntermediate);
  EXPECT_EQ(chain[2].place, ChainPlace::kRoot);
  EXPECT_THAT(chain[0].names, testing::ElementsAre("NPS.contoso.example"));
  EXPECT_THAT(chain[0].purposes, testing::ElementsAre("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.8.2.2"));
  EXPECT_THAT(chain[2].names, testing::ElementsAre("Contoso Root"));
  EXPECT_THAT(chain[2].purposes, testing::IsEmpty());
  EXPECT_EQ(Read("self.pem").front().place, ChainPlace::kLeaf);
  EXPECT_EQ(Read("old.pem").front().place, ChainPlace::kRoot);  // version 1
  EXPECT_EQ(Read("root.der").front().sha1_thumbprint, chain[2].sha1_thumbprint);
}

TEST_F(KnownCertificateTest, TakesARootAndSaysWhyNothingElse) {
  EXPECT_OK(AsServerRoot("root.pem"));
  EXPECT_OK(AsServerRoot("root.der"));
  EXPECT_OK(AsServerRoot("old.pem"));
  const auto refusal = [](absl::string_view file) {
    const absl::Status status = AsServerRoot(file);
    EXPECT_THAT(status, FailsWith(ErrorReason::kFieldInvalid, "--server-root")) << file;
    return std::string(status.message());
  };
  EXPECT_THAT(refusal("intermediate.pem"),
              HasSubstr("CN=Contoso Issuing is an intermediate: Windows compares the root at the "
                        "top of the chain, so go on to its issuer, CN=Contoso Root"));
  EXPECT_THAT(refusal("leaf.pem"), HasSubstr("is a server's or user's certificate and no root"));
  EXPECT_THAT(refusal("self.pem"), HasSubstr("is self-signed and no authority"));
  EXPECT_THAT(refusal("tenant.pem"), HasSubstr("is one of the tenant's own roots"));
  // The same key under another name.
  EXPECT_THAT(refusal("renamed.pem"), HasSubstr("is one of the tenant's own roots"));
}

TEST_F(KnownCertificateTest, TakesNoRootThatIsNotValidNow) {
  const KnownCertificate root = Read("root.pem").front();
  EXPECT_OK(CheckServerRoot(root, {}, absl::Now()));
  EXPECT_THAT(CheckServerRoot(root, {}, absl::Now() + absl::Hours(24 * 31)),
              FailsWith(ErrorReason::kFieldInvalid, "--server-root"));
  EXPECT_THAT(CheckServerRoot(root, {}, absl::Now() - absl::Hours(24)),
              FailsWith(ErrorReason::kFieldInvalid, "--server-root"));
}

TEST_F(KnownCertificateTest, TheIssuerForKerberosIsAnAuthorityOfOthers) {
  EXPECT_OK(CheckSsoIssuer(Read("root.pem").front(), Read("tenant.pem")));
  EXPECT_OK(CheckSsoIssuer(Read("intermediate.pem").front(), Read("tenant.pem")));
  EXPECT_THAT(CheckSsoIssuer(Read("tenant.pem").front(), Read("tenant.pem")),
              FailsWith(ErrorReason::kFieldInvalid, "--sso-issuer"));
  EXPECT_THAT(CheckSsoIssuer(Read("leaf.pem").front(), Read("tenant.pem")),
              FailsWith(ErrorReason::kFieldInvalid, "--sso-issuer"));
}

TEST_F(KnownCertificateTest, SaysWhatIsNoCertificate) {
  for (const std::string& bad :
       {std::string(), std::string("x"), ReadFileOrDie(directory_->File("root.key")),
        ReadFileOrDie(directory_->File("root.der")) + "x",
        std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")}) {
    EXPECT_THAT(ReadCertificates(bad, "--server-root"),
                FailsWith(ErrorReason::kFieldInvalid, "--server-root"));
  }
}

}  // namespace
}  // namespace hourglass::profiles
