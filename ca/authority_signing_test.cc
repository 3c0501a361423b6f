#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "ca/authority.h"
#include "ca/testing/authority_fixture.h"
#include "hsm/key/signature.h"
#include "hsm/key/software_key.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

using hsm::KeyType;
using std::chrono::seconds;

// Which signatures are looked at before they are handed out, and what becomes of those that do not
// verify.
class AuthoritySigningTest : public AuthorityFixture {};

TEST_F(AuthoritySigningTest, ReleasesNoSignatureThatDoesNotVerify) {
  const auto sign = [this] { return authority_->Sign(*Prepare(kNow)); };
  EXPECT_OK(sign());
  key_->Answer(Error(ErrorReason::kKeyUnavailable, "root.key", "the token is gone"));
  EXPECT_THAT(sign(), FailsWith(ErrorReason::kKeyUnavailable, "root.key"));
  EXPECT_TRUE(key_->in_service());
  key_->Answer(std::string("no signature"));
  EXPECT_THAT(sign(), FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_FALSE(key_->in_service());
  key_->Answer(std::string());
  EXPECT_THAT(sign(), FailsWith(ErrorReason::kKeyMismatch));
}

TEST_F(AuthoritySigningTest, ReleasesNoSignatureOfAnotherKey) {
  EXPECT_OK(authority_->Sign(*Prepare(kNow)));
  EXPECT_TRUE(key_->in_service());
  key_->SignWithAnotherKey();
  EXPECT_THAT(authority_->Sign(*Prepare(kNow)), FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_FALSE(key_->in_service());
}

TEST_F(AuthoritySigningTest, SignsSeveralInOrderWithOneCall) {
  std::vector<TbsCertificate> tbs;
  std::vector<std::string> expected;
  for (int i = 0; i < 5; ++i) {
    tbs.push_back(*Prepare(kNow + seconds(i)));
    expected.push_back(tbs.back().der());
  }
  const int before = key_->calls();
  const Certificates certificates = authority_->SignAll(std::move(tbs));
  EXPECT_EQ(key_->calls(), before + 1);
  ASSERT_EQ(certificates.size(), expected.size());
  const auto verifier = *hsm::VerifyingKey::FromPublicKey(authority_->root().public_key());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_OK(certificates[i]);
    const CertificateView certificate = *ReadCertificate(*certificates[i]);
    EXPECT_EQ(certificate.to_be_signed, expected[i]);
    EXPECT_OK(verifier.Verify(certificate.to_be_signed, certificate.signature));
  }
  EXPECT_TRUE(authority_->SignAll({}).empty());
}

TEST_F(AuthoritySigningTest, OneBadItemOfSeveralFailsAlone) {
  auto other_key = *hsm::GenerateSoftwareKey(KeyType::kEcP256);
  RootCertificate other_root = MakeRoot(*other_key);
  ASSERT_OK_AND_ASSIGN(const auto other,
                       Authority::Create(std::move(other_root), std::move(other_key), profile_));
  std::vector<TbsCertificate> tbs;
  tbs.push_back(*Prepare(kNow));
  tbs.push_back(*other->Prepare({subject_, requested_, std::string(kSerialSize, 'x'), kNow}));
  tbs.push_back(*Prepare(kNow + seconds(2)));
  const std::string last = tbs[2].der();
  const int before = key_->signatures();
  const Certificates certificates = authority_->SignAll(std::move(tbs));
  EXPECT_EQ(key_->signatures(), before + 2);
  ASSERT_EQ(certificates.size(), 3U);
  EXPECT_OK(certificates[0]);
  EXPECT_THAT(certificates[1], FailsWith(ErrorReason::kInternalError));
  ASSERT_OK(certificates[2]);
  EXPECT_EQ(ReadCertificate(*certificates[2])->to_be_signed, last);
  EXPECT_TRUE(key_->in_service());
}

TEST_F(AuthoritySigningTest, AKeyThatAnswersTooFewReleasesNothing) {
  key_->SignInProcess();
  key_->DropOne();
  for (const auto& certificate : SignTogether(3)) {
    EXPECT_THAT(certificate, FailsWith(ErrorReason::kInternalError));
  }
}

// Whatever the count: each one signature by another key is found, and the honest ones around it
// are released.
TEST_F(AuthoritySigningTest, FindsEverySignatureOfATokenThatDoesNotVerify) {
  for (int wrong_from = 0; wrong_from <= 40; ++wrong_from) {
    key_->SignWithAnotherKey(wrong_from);
    const Certificates together = SignTogether(41);
    for (int i = 0; i <= 40; ++i) {
      EXPECT_EQ(together[i].ok(), i < wrong_from) << i << " of " << wrong_from;
    }
    EXPECT_THAT(together[40], FailsWith(ErrorReason::kKeyMismatch));
    EXPECT_FALSE(key_->in_service());
  }
  key_->SignWithAnotherKey(20);
  for (int i = 0; i <= 40; ++i) EXPECT_EQ(authority_->Sign(*Prepare(kNow)).ok(), i < 20) << i;
}

TEST_F(AuthoritySigningTest, VerifiesTheFirstSignatureOfAKeyInThisProcess) {
  key_->SignInProcess();
  key_->SignWithAnotherKey();
  EXPECT_THAT(authority_->Sign(*Prepare(kNow)), FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_FALSE(key_->in_service());
}

// A key in this process that goes wrong at any point is found within kVerifiedOneIn signatures,
// and out of service then. The bound is kept and no more is verified than it takes.
TEST_F(AuthoritySigningTest, FindsAKeyInThisProcessThatGoesWrongWithinItsSample) {
  for (int wrong_from = 1; wrong_from <= 33; ++wrong_from) {
    UseAFreshKey();
    key_->SignInProcess();
    key_->SignWithAnotherKey(wrong_from);
    int issued = 0;
    while (key_->in_service()) {
      ASSERT_LT(issued, 100);
      issued += authority_->Sign(*Prepare(kNow)).ok() ? 1 : 0;
    }
    constexpr int kOneIn = static_cast<int>(kVerifiedOneIn);
    const int found_at = (wrong_from + kOneIn - 1) / kOneIn * kOneIn;
    EXPECT_EQ(issued, found_at) << wrong_from;
  }
}

// One wrong signature makes the whole batch be looked at.
TEST_F(AuthoritySigningTest, ABatchWithAWrongSampleReleasesOnlyWhatVerifies) {
  key_->SignInProcess();
  key_->SignWithAnotherKey(/*after_honest_signatures=*/10);
  const Certificates certificates = SignTogether(40);
  for (int i = 0; i < 40; ++i) EXPECT_EQ(certificates[i].ok(), i < 10) << i;
  EXPECT_THAT(certificates[39], FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_FALSE(key_->in_service());
}

}  // namespace
}  // namespace hourglass::ca
