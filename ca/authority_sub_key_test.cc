#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/authority.h"
#include "ca/encoding/pem.h"
#include "ca/issuers/intermediate_certificate.h"
#include "ca/testing/authority_fixture.h"
#include "hsm/key/software_key.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {
namespace {

using hsm::KeyType;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class SubKeyTest : public AuthorityFixture {
 protected:
  SubKeyTest() {
    auto root_key = *hsm::GenerateSoftwareKey(KeyType::kRsa2048);
    RootCertificate root = MakeRoot(*root_key, kNow, days(30), /*issuing_sub_keys=*/true);
    root_ = *Authority::Create(std::move(root), std::move(root_key), profile_);
    auto key = std::make_unique<LyingKey>(*hsm::GenerateSoftwareKey(KeyType::kEcP256));
    key_ = key.get();
    const IntermediateCertificate intermediate = MakeIntermediate(*key);
    authority_ = *Authority::CreateForSubKey(root_->root(), intermediate, std::move(key), profile_);
  }

  IntermediateCertificate MakeIntermediate(const hsm::SigningKey& key, Time now = kNow) {
    return *root_->SignIntermediate(
        *root_->PrepareIntermediate(Specification(now), key.public_key()));
  }

  static IntermediateSpecification Specification(Time now = kNow) {
    return {.display_name = "Contoso",
            .now = now,
            .lifetime = hours(24),
            .serial_entropy = std::string(kSerialSize, 'i')};
  }

  std::unique_ptr<Authority> root_;
};

TEST_F(SubKeyTest, LeavesAreTheIntermediatesAndChainToTheRoot) {
  ASSERT_NE(authority_->intermediate(), nullptr);
  EXPECT_EQ(root_->intermediate(), nullptr);
  ASSERT_OK_AND_ASSIGN(const std::string certificate, authority_->Sign(*Prepare(kNow)));
  const CertificateView leaf = *ReadCertificate(certificate);
  EXPECT_EQ(leaf.issuer, authority_->intermediate()->subject());
  EXPECT_EQ(leaf.algorithm, SignatureAlgorithm(KeyType::kEcP256));
  const std::vector<std::string> chain = authority_->chain();
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_EQ(chain[0], authority_->intermediate()->der());
  EXPECT_EQ(chain[1], root_->root().der());
  EXPECT_EQ(root_->chain(), std::vector<std::string>{root_->root().der()});
  const TemporaryDirectory directory;
  const std::string root = directory.Write("root.pem", EncodePem(kCertificateLabel, chain[1]));
  const std::string above = directory.Write("sub.pem", EncodePem(kCertificateLabel, chain[0]));
  const std::string file = directory.Write("leaf.pem", EncodePem(kCertificateLabel, certificate));
  const std::vector<std::string> verify = {"openssl",
                                           "verify",
                                           "-x509_strict",
                                           "-purpose",
                                           "sslclient",
                                           "-attime",
                                           absl::StrCat(kNow.time_since_epoch().count()),
                                           "-CAfile",
                                           root};
  std::vector<std::string> with_chain = verify, without = verify;
  with_chain.insert(with_chain.end(), {"-untrusted", above, file});
  without.push_back(file);
  EXPECT_EQ(RunCommand(with_chain).output, absl::StrCat(file, ": OK\n"));
  EXPECT_THAT(RunCommand(without).output,
              testing::HasSubstr("error 20 at 0 depth lookup: unable to get local issuer"));
}

TEST_F(SubKeyTest, LeavesStayWithinTheIntermediate) {
  const Time first = kNow - minutes(55), last = kNow + hours(23);
  EXPECT_OK(Prepare(first));
  EXPECT_THAT(Prepare(first - seconds(1)),
              FailsWith(ErrorReason::kRootNotYetValid, "intermediate.certificate"));
  EXPECT_OK(Prepare(last));
  EXPECT_THAT(Prepare(last + seconds(1)),
              FailsWith(ErrorReason::kRootExpiring, "intermediate.certificate"));
}

TEST_F(SubKeyTest, ReleasesNoSignatureOfAnotherKey) {
  EXPECT_OK(authority_->Sign(*Prepare(kNow)));
  key_->SignWithAnotherKey();
  EXPECT_THAT(authority_->Sign(*Prepare(kNow)), FailsWith(ErrorReason::kKeyMismatch));
}

TEST_F(SubKeyTest, CreateRefusesTheWrongKeyAndTheWrongRoot) {
  auto key = *hsm::GenerateSoftwareKey(KeyType::kEcP256);
  const IntermediateCertificate intermediate = MakeIntermediate(*key);
  EXPECT_THAT(Authority::CreateForSubKey(root_->root(), intermediate,
                                         *hsm::GenerateSoftwareKey(KeyType::kEcP256), profile_),
              FailsWith(ErrorReason::kKeyMismatch, "intermediate.key"));
  auto other_key = *hsm::GenerateSoftwareKey(KeyType::kEcP256);
  EXPECT_THAT(Authority::CreateForSubKey(MakeRoot(*other_key, kNow, days(30), true), intermediate,
                                         std::move(key), profile_),
              FailsWith(ErrorReason::kInternalError, "intermediate.certificate"));
}

TEST_F(SubKeyTest, AnIntermediateHasNoneUnderIt) {
  auto key = *hsm::GenerateSoftwareKey(KeyType::kEcP256);
  EXPECT_THAT(authority_->PrepareIntermediate(Specification(), key->public_key()),
              FailsWith(ErrorReason::kInternalError, "intermediate.certificate"));
  ASSERT_OK_AND_ASSIGN(TbsIntermediate tbs,
                       root_->PrepareIntermediate(Specification(), key->public_key()));
  EXPECT_THAT(authority_->SignIntermediate(std::move(tbs)),
              FailsWith(ErrorReason::kInternalError, "intermediate.certificate"));
}

TEST_F(SubKeyTest, SaysAgainWhatAnIntermediateWasAskedToSign) {
  const LeafRequest request{subject_, requested_, std::string(kSerialSize, 'r'), kNow};
  ASSERT_OK_AND_ASSIGN(const TbsCertificate tbs, authority_->Prepare(request));
  ASSERT_OK_AND_ASSIGN(const std::string again,
                       Authority::ToBeSignedBy(authority_->issuer(), profile_, request));
  EXPECT_EQ(again, tbs.der());
  ASSERT_OK_AND_ASSIGN(const std::string of_root,
                       Authority::ToBeSignedBy(root_->issuer(), profile_, request));
  EXPECT_NE(of_root, tbs.der());
  EXPECT_EQ(of_root, root_->Prepare(request)->der());
}

}  // namespace
}  // namespace hourglass::ca
