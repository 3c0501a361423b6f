#include "issuance/device_keys/device_key.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "issuance/device_keys/recorded_proofs.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

TEST(DeviceKeyTest, IsOfEachKindThatIsCertified) {
  for (const RecordedKey& key : {kP256, kP384, kRsa}) {
    EXPECT_OK(CheckDeviceKey(Unbase64(key.public_key))) << key.name;
  }
}

TEST(DeviceKeyTest, IsCalledByItsHash) {
  // By `openssl pkey -pubout -outform DER | sha256sum`.
  EXPECT_EQ(DeviceKeyId(Unbase64(kP256.public_key)),
            "3a9786995f6b3c28453f187830aa98366d987d3ecb5fd1c5ca677b88c8e5ea6c");
}

TEST(DeviceKeyTest, WhatIsNoneIsRefusedUnderItsOwnName) {
  const std::string good = Unbase64(kP256.public_key);
  EXPECT_THAT(CheckDeviceKey(""), FailsWith(ErrorReason::kFieldMissing, "public_key"));
  EXPECT_THAT(CheckDeviceKey(good + "x"), FailsWith(ErrorReason::kRequestMalformed, "public_key"));
  EXPECT_THAT(CheckDeviceKey(good.substr(1)),
              FailsWith(ErrorReason::kRequestMalformed, "public_key"));
  EXPECT_THAT(CheckDeviceKey(std::string(kMaxDeviceKeySize + 1, '0')),
              FailsWith(ErrorReason::kRequestMalformed, "public_key"));
  EXPECT_THAT(
      CheckDeviceKey(Unbase64("MCowBQYDK2VwAyEA12ZqjRXw/Pnh8XIfgqQmyYVQwyBppVZSQHfByRnrgnk=")),
      FailsWith(ErrorReason::kKeyUnsupported, "public_key"));
  // The generator of P-256 itself: its private scalar is 1.
  const std::string one = good.substr(0, good.size() - 64) +
                          absl::HexStringToBytes(
                              "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                              "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
  EXPECT_THAT(CheckDeviceKey(one), FailsWith(ErrorReason::kKeyWeak, "public_key"));
}

// Where only the signature is looked at, a point that is on no curve is no key either.
TEST(DeviceKeyTest, SignsByItsOneAlgorithm) {
  const std::string statement = StatementOf(RecordedQuestion(), {kRecordedAt, RecordedNonce()});
  for (const RecordedKey& key : {kP256, kP384, kRsa}) {
    EXPECT_OK(CheckDeviceSignature(Unbase64(key.public_key), statement, Unbase64(key.proof), "s"))
        << key.name;
    EXPECT_THAT(
        CheckDeviceSignature(Unbase64(key.public_key), statement + "x", Unbase64(key.proof), "s"),
        FailsWith(ErrorReason::kDeviceProofRefused, "s"))
        << key.name;
  }
  EXPECT_THAT(CheckDeviceSignature(Unbase64(kP256.public_key), statement,
                                   Unbase64(kP256ProofWithSha384), "s"),
              FailsWith(ErrorReason::kDeviceProofRefused, "s"));
  EXPECT_THAT(
      CheckDeviceSignature(Unbase64(kRsa.public_key), statement, Unbase64(kRsaProofWithPss), "s"),
      FailsWith(ErrorReason::kDeviceProofRefused, "s"));
  EXPECT_THAT(CheckDeviceSignature("no key", statement, Unbase64(kP256.proof), "s"),
              FailsWith(ErrorReason::kInternalError));
}

}  // namespace
}  // namespace hourglass::issuance
