#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ca/bundle/bundle_fixture.h"
#include "ca/bundle/trust_bundle.h"
#include "ca/encoding/digest.h"
#include "ca/issuers/root_certificate.h"
#include "ca/testing/lying_key.h"
#include "hsm/base/error.h"
#include "hsm/key/signing_key.h"
#include "hsm/key/software_key.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {
namespace {

using hsm::KeyType;
using testing::HasSubstr;

// What `openssl dgst -verify` says of a signature by the root's public key, which OpenSSL takes
// from the certificate.
std::string VerdictOfOpenssl(const char* hash, const std::string& certificate,
                             const std::string& signature, const std::string& document) {
  const TemporaryDirectory directory;
  const std::string key = directory.Write(
      "key.pem", Openssl({"x509", "-inform", "DER", "-noout", "-pubkey"}, certificate));
  return Openssl({"dgst", hash, "-verify", key, "-signature",
                  directory.Write("signature", signature), directory.Write("document", document)});
}

TEST(SignTrustBundleTest, OpensslVerifiesWhatEachTypeOfKeySigns) {
  for (const KeyType type : kBundleKeyTypes) {
    const KeyedRoot& root = RootOf(type);
    ASSERT_OK_AND_ASSIGN(const BundleSignature made,
                         SignTrustBundle(Document(), root.certificate, *root.key));
    EXPECT_EQ(absl::BytesToHexString(made.root_sha256) + " *stdin\n",
              Openssl({"dgst", "-sha256", "-r"}, root.certificate));
    const bool is_p384 = type == KeyType::kEcP384;
    const auto says = [&](const char* hash, const std::string& document) {
      return VerdictOfOpenssl(hash, root.certificate, made.signature, document);
    };
    EXPECT_EQ(says(is_p384 ? "-sha384" : "-sha256", Document()), "Verified OK\n");
    EXPECT_THAT(says(is_p384 ? "-sha256" : "-sha384", Document()), HasSubstr("failure"));
    EXPECT_THAT(says(is_p384 ? "-sha384" : "-sha256", Document() + "\n"), HasSubstr("failure"));
  }
}

TEST(SignTrustBundleTest, RefusesAKeyOfAnotherRoot) {
  KeyedRoot& root = EcRoot(1);
  EXPECT_OK(SignTrustBundle(Document(), root.certificate, *root.key));
  for (KeyedRoot* other : {&EcRoot(2), &RootOf(KeyType::kEcP384)}) {
    LyingKey key(*hsm::GenerateSoftwareKey(other->key->type()));
    EXPECT_THAT(SignTrustBundle(Document(), root.certificate, key),
                FailsWith(ErrorReason::kKeyMismatch));
    EXPECT_EQ(key.signatures(), 0);
    EXPECT_TRUE(key.in_service());
  }
}

// A root whose key is asked through a LyingKey.
struct LyingRoot {
  LyingRoot() : key(*hsm::GenerateSoftwareKey(KeyType::kEcP256)) {
    certificate = IssueRoot({.display_name = "Contoso",
                             .generation = 1,
                             .now = kBundleTime,
                             .duration = std::chrono::days(365),
                             .serial_entropy = std::string(16, 's')},
                            key)
                      ->der();
  }
  LyingKey key;
  std::string certificate;
};

TEST(SignTrustBundleTest, AKeyThatSignsWrongIsTakenOutOfService) {
  LyingRoot root;
  EXPECT_OK(SignTrustBundle(Document(), root.certificate, root.key));
  EXPECT_TRUE(root.key.in_service());
  root.key.SignWithAnotherKey();
  EXPECT_THAT(SignTrustBundle(Document(), root.certificate, root.key),
              FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_FALSE(root.key.in_service());
}

TEST(SignTrustBundleTest, SaysWhatTheKeySays) {
  LyingRoot root;
  root.key.Answer(Error(ErrorReason::kKeyUnavailable, "", "the token is away"));
  EXPECT_THAT(SignTrustBundle(Document(), root.certificate, root.key),
              FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_TRUE(root.key.in_service());
}

TEST(SignTrustBundleTest, SignsNothingButTrustBundles) {
  LyingRoot root;
  const int before = root.key.signatures();
  for (const std::string& other :
       {std::string(), ToBeSigned(EcRoot(1).certificate), EcRoot(1).certificate,
        PemByOpenssl(EcRoot(1).certificate), std::string("Hourglass trust bundle 1\n"),
        Document() + "\n", Document().substr(1)}) {
    EXPECT_THAT(SignTrustBundle(other, root.certificate, root.key),
                FailsWith(ErrorReason::kBundleInvalid));
  }
  EXPECT_THAT(SignTrustBundle(Document(), "no certificate", root.key),
              FailsWith(ErrorReason::kConfigurationInvalid, "root.certificate"));
  EXPECT_EQ(root.key.signatures(), before);
  EXPECT_OK(SignTrustBundle(Document(), root.certificate, root.key));
}

// Signatures by roots of each type, and what is done to them.
class SignerOfTrustBundleTest : public testing::Test {
 protected:
  SignerOfTrustBundleTest() {
    for (const KeyType type : kBundleKeyTypes) {
      trusted_.push_back(RootOf(type).certificate);
      signatures_.push_back(SignedBy(RootOf(type)));
    }
  }

  std::vector<std::string> trusted_;
  std::vector<BundleSignature> signatures_;
};

TEST_F(SignerOfTrustBundleTest, IsTheFirstWhoseSignatureVerifies) {
  for (std::size_t first = 0; first < signatures_.size(); ++first) {
    std::rotate(signatures_.begin(), signatures_.begin() + 1, signatures_.end());
    ASSERT_OK_AND_ASSIGN(const std::string signer,
                         SignerOfTrustBundle(Document(), signatures_, trusted_));
    EXPECT_EQ(Sha256(signer), signatures_[0].root_sha256);
  }
}

TEST_F(SignerOfTrustBundleTest, OneTrustedRootIsEnough) {
  for (const std::string& only : trusted_) {
    ASSERT_OK_AND_ASSIGN(const std::string signer,
                         SignerOfTrustBundle(Document(), signatures_, {only}));
    EXPECT_EQ(signer, only);
  }
}

TEST_F(SignerOfTrustBundleTest, IsNobodyWithoutATrustedRoot) {
  EXPECT_OK(SignerOfTrustBundle(Document(), signatures_, trusted_));
  for (const std::vector<std::string>& others :
       {std::vector<std::string>{}, {EcRoot(2).certificate}, {"no certificate"}, {""}}) {
    EXPECT_THAT(SignerOfTrustBundle(Document(), signatures_, others),
                FailsWith(ErrorReason::kBundleInvalid));
  }
  EXPECT_THAT(SignerOfTrustBundle(Document(), {}, trusted_),
              FailsWith(ErrorReason::kBundleInvalid));
}

// A stranger's signature is nothing, right or wrong; and says nothing by another's name.
TEST_F(SignerOfTrustBundleTest, AStrangersSignatureCountsForNothing) {
  const BundleSignature stranger = SignedBy(EcRoot(2));
  const std::vector<BundleSignature> strangers = {{Sha256("nobody"), "no signature"},
                                                  {"", ""},
                                                  {stranger.root_sha256, "no signature"},
                                                  stranger};
  EXPECT_THAT(SignerOfTrustBundle(Document(), strangers, trusted_),
              FailsWith(ErrorReason::kBundleInvalid));
  signatures_.insert(signatures_.begin(), strangers.begin(), strangers.end());
  ASSERT_OK_AND_ASSIGN(const std::string signer,
                       SignerOfTrustBundle(Document(), signatures_, trusted_));
  EXPECT_EQ(signer, trusted_[0]);
  signatures_.push_back({signatures_.back().root_sha256, stranger.signature});
  EXPECT_THAT(SignerOfTrustBundle(Document(), signatures_, trusted_),
              FailsWith(ErrorReason::kBundleInvalid));
}

TEST_F(SignerOfTrustBundleTest, AWrongSignatureByATrustedRootRefusesWhereverItStands) {
  const std::vector<BundleSignature> right = signatures_;
  EXPECT_OK(SignerOfTrustBundle(Document(), right, trusted_));
  for (std::size_t i = 0; i < right.size(); ++i) {
    for (const std::string& wrong : {std::string(), right[i].signature + "x",
                                     right[i].signature.substr(0, right[i].signature.size() - 1),
                                     right[(i + 1) % right.size()].signature}) {
      signatures_ = right;
      signatures_[i].signature = wrong;
      const auto signer = SignerOfTrustBundle(Document(), signatures_, trusted_);
      EXPECT_THAT(signer, FailsWith(ErrorReason::kBundleInvalid));
      EXPECT_THAT(std::string(signer.status().message()),
                  HasSubstr(absl::BytesToHexString(right[i].root_sha256)));
    }
  }
}

// In the document and in the signature, with the key of each type.
TEST_F(SignerOfTrustBundleTest, RefusesEveryTurnedBit) {
  const std::string document = *EncodeTrustBundle(OneRoot());
  for (const KeyType type : kBundleKeyTypes) {
    const KeyedRoot& root = RootOf(type);
    const std::vector<std::string> trusted = {root.certificate};
    const BundleSignature right = SignedBy(root, document);
    EXPECT_OK(SignerOfTrustBundle(document, {right}, trusted));
    for (std::size_t bit = 0; bit < right.signature.size() * 8; ++bit) {
      BundleSignature turned = right;
      turned.signature[bit / 8] = static_cast<char>(turned.signature[bit / 8] ^ (1 << bit % 8));
      EXPECT_THAT(SignerOfTrustBundle(document, {turned}, trusted),
                  FailsWith(ErrorReason::kBundleInvalid))
          << bit;
    }
    // All bits with the fastest, an octet of each line's with the others.
    const std::size_t step = type == KeyType::kRsa2048 ? 1 : 61;
    for (std::size_t bit = 0; bit < document.size() * 8; bit += step) {
      std::string turned = document;
      turned[bit / 8] = static_cast<char>(turned[bit / 8] ^ (1 << bit % 8));
      EXPECT_THAT(SignerOfTrustBundle(turned, {right}, trusted),
                  FailsWith(ErrorReason::kBundleInvalid))
          << bit;
    }
  }
}

TEST_F(SignerOfTrustBundleTest, RefusesEveryChangeOfTheLines) {
  const std::vector<std::string> lines = absl::StrSplit(Document(), '\n');
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    std::string without, twice;
    for (std::size_t j = 0; j + 1 < lines.size(); ++j) {
      if (j != i) absl::StrAppend(&without, lines[j], "\n");
      absl::StrAppend(&twice, lines[j], "\n", j == i ? lines[j] + "\n" : "");
    }
    for (const std::string& changed : {without, twice}) {
      EXPECT_THAT(SignerOfTrustBundle(changed, signatures_, trusted_),
                  FailsWith(ErrorReason::kBundleInvalid))
          << i;
    }
  }
}

// What the root has signed as a certificate is signed by it, and is no bundle.
TEST_F(SignerOfTrustBundleTest, ACertificateIsNoTrustBundle) {
  const KeyedRoot& root = EcRoot(1);
  const std::string to_be_signed = ToBeSigned(root.certificate);
  const BundleSignature of_certificate{Sha256(root.certificate), *root.key->Sign(to_be_signed)};
  EXPECT_EQ(VerdictOfOpenssl("-sha256", root.certificate, of_certificate.signature, to_be_signed),
            "Verified OK\n");
  EXPECT_THAT(SignerOfTrustBundle(to_be_signed, {of_certificate}, {root.certificate}),
              FailsWith(ErrorReason::kBundleInvalid));
}

}  // namespace
}  // namespace hourglass::ca
