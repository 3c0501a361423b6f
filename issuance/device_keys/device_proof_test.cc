#include "issuance/device_keys/device_proof.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "issuance/device_keys/recorded_proofs.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

TEST(DeviceProofTest, OfAnotherImplementationIsOne) {
  for (const RecordedKey& key : {kP256, kP384, kRsa}) {
    EXPECT_OK(CheckDeviceProof(RecordedProof(key.proof), Unbase64(key.public_key),
                               RecordedQuestion(), kRecordedAt))
        << key.name;
    const std::string hash = ca::Sha256(Unbase64(key.public_key));
    EXPECT_OK(CheckEnrolmentProof(RecordedProof(key.enrolment), Unbase64(key.public_key),
                                  {"contoso", "laptop-1", hash}, kRecordedAt))
        << key.name;
  }
}

TEST(DeviceProofTest, IsOfTheFiveMinutesBeforeAndAfter) {
  const auto at = [](Timestamp now) {
    return CheckDeviceProof(RecordedProof(kP256.proof), Unbase64(kP256.public_key),
                            RecordedQuestion(), now);
  };
  EXPECT_OK(at(kRecordedAt + kProofTolerance));
  EXPECT_OK(at(kRecordedAt - kProofTolerance));
  const auto stale = FailsWith(ErrorReason::kDeviceProofRefused, "device_proof.signed_at");
  EXPECT_THAT(at(kRecordedAt + kProofTolerance + microseconds(1)), stale);
  EXPECT_THAT(at(kRecordedAt - kProofTolerance - microseconds(1)), stale);
  EXPECT_THAT(at(kRecordedAt + std::chrono::hours(24 * 365)), stale);
}

// What somebody may try who has taken a proof down, or has a broker and no device.
struct Attack {
  const char* name;
  std::function<void(v1::DeviceProof&, DeviceQuestion&, std::string& key)> change;
  ErrorReason reason;
  const char* field;
};

TEST(DeviceProofTest, ProvesNothingElse) {
  constexpr ErrorReason kRefused = ErrorReason::kDeviceProofRefused;
  constexpr char kSignature[] = "device_proof.signature";
  static const std::string own_key_hash(32, 'o');
  const Attack attacks[] = {
      {"the certificate is for a key of the broker's own",
       [](auto&, auto& question, auto&) { question.public_key_sha256 = own_key_hash; }, kRefused,
       kSignature},
      {"it is for another user", [](auto&, auto& q, auto&) { q.user_upn = "ceo@contoso.example"; },
       kRefused, kSignature},
      {"it is for the user in other letters",
       [](auto&, auto& q, auto&) { q.user_upn = "ÄLICE@contoso.example"; }, kRefused, kSignature},
      {"it is for another user id", [](auto&, auto& q, auto&) { q.user_id = "u-1"; }, kRefused,
       kSignature},
      {"the user id is left out", [](auto&, auto& q, auto&) { q.user_id = ""; }, kRefused,
       kSignature},
      {"it is for another device", [](auto&, auto& q, auto&) { q.device_id = "laptop-2"; },
       kRefused, kSignature},
      {"it is for another tenant", [](auto&, auto& q, auto&) { q.tenant_id = "fabrikam"; },
       kRefused, kSignature},
      {"it is replayed under a request id of its own",
       [](auto&, auto& q, auto&) { q.request_id = "request-2"; }, kRefused, kSignature},
      {"fields are shifted into each other",
       [](auto&, auto& q, auto&) {
         q.tenant_id = "contoso\n4:u-17";
         q.user_id = "";
       },
       kRefused, kSignature},
      {"the time is made newer",
       [](auto& proof, auto&, auto&) {
         proof.mutable_signed_at()->set_seconds(proof.signed_at().seconds() + 1);
       },
       kRefused, kSignature},
      {"the nonce is another",
       [](auto& proof, auto&, auto&) { proof.set_nonce("0123456789abcdef"); }, kRefused,
       kSignature},
      {"an enrolment is used as a proof",
       [](auto& proof, auto&, auto&) { proof.set_signature(Unbase64(kP256.enrolment)); }, kRefused,
       kSignature},
      {"another key signed it", [](auto&, auto&, auto& key) { key = Unbase64(kP384.public_key); },
       kRefused, kSignature},
      {"a key of another kind signed it",
       [](auto&, auto&, auto& key) { key = Unbase64(kRsa.public_key); }, kRefused, kSignature},
      {"it is signed with another hash",
       [](auto& proof, auto&, auto&) { proof.set_signature(Unbase64(kP256ProofWithSha384)); },
       kRefused, kSignature},
      {"it is cut",
       [](auto& proof, auto&, auto&) {
         proof.mutable_signature()->resize(proof.signature().size() - 1);
       },
       kRefused, kSignature},
      {"something follows it",
       [](auto& proof, auto&, auto&) { proof.mutable_signature()->push_back('\0'); }, kRefused,
       kSignature},
      {"the signature is zero, as CVE-2022-21449 has it",
       [](auto& proof, auto&, auto&) {
         proof.set_signature(std::string("\x30\x06\x02\x01\x00\x02\x01\x00", 8));
       },
       kRefused, kSignature},
      {"there is no signature", [](auto& proof, auto&, auto&) { proof.clear_signature(); },
       ErrorReason::kFieldMissing, kSignature},
      {"there is no time", [](auto& proof, auto&, auto&) { proof.clear_signed_at(); },
       ErrorReason::kFieldMissing, "device_proof.signed_at"},
      {"the time has a fraction, which nobody signed",
       [](auto& proof, auto&, auto&) { proof.mutable_signed_at()->set_nanos(1); },
       ErrorReason::kFieldInvalid, "device_proof.signed_at"},
      {"the time is none",
       [](auto& proof, auto&, auto&) { proof.mutable_signed_at()->set_seconds(1LL << 62); },
       ErrorReason::kFieldInvalid, "device_proof.signed_at"},
      {"there is no nonce", [](auto& proof, auto&, auto&) { proof.clear_nonce(); },
       ErrorReason::kFieldMissing, "device_proof.nonce"},
      {"the nonce is short",
       [](auto& proof, auto&, auto&) { proof.set_nonce(std::string(15, 'n')); },
       ErrorReason::kFieldInvalid, "device_proof.nonce"},
      {"the nonce is long",
       [](auto& proof, auto&, auto&) { proof.set_nonce(std::string(65, 'n')); },
       ErrorReason::kFieldInvalid, "device_proof.nonce"},
  };
  for (const Attack& attack : attacks) {
    v1::DeviceProof proof = RecordedProof(kP256.proof);
    DeviceQuestion question = RecordedQuestion();
    std::string key = Unbase64(kP256.public_key);
    ASSERT_OK(CheckDeviceProof(proof, key, question, kRecordedAt)) << "control";
    attack.change(proof, question, key);
    EXPECT_THAT(CheckDeviceProof(proof, key, question, kRecordedAt),
                FailsWith(attack.reason, attack.field))
        << attack.name;
  }
}

TEST(EnrolmentProofTest, EnrolsNoKeyThatTheDeviceHasNot) {
  const std::string key = Unbase64(kP256.public_key);
  const std::string hash = ca::Sha256(key);
  const auto refused = FailsWith(ErrorReason::kDeviceProofRefused, "proof.signature");
  ASSERT_OK(CheckEnrolmentProof(RecordedProof(kP256.enrolment), key, {"contoso", "laptop-1", hash},
                                kRecordedAt));
  // For another device or tenant; a key of somebody else beside the proof by one's own; a proof for
  // a certificate, which every broker sees.
  EXPECT_THAT(CheckEnrolmentProof(RecordedProof(kP256.enrolment), key,
                                  {"contoso", "laptop-2", hash}, kRecordedAt),
              refused);
  EXPECT_THAT(CheckEnrolmentProof(RecordedProof(kP256.enrolment), key,
                                  {"fabrikam", "laptop-1", hash}, kRecordedAt),
              refused);
  const std::string other = Unbase64(kP384.public_key);
  EXPECT_THAT(CheckEnrolmentProof(RecordedProof(kP256.enrolment), other,
                                  {"contoso", "laptop-1", ca::Sha256(other)}, kRecordedAt),
              refused);
  EXPECT_THAT(CheckEnrolmentProof(RecordedProof(kP256.proof), key, {"contoso", "laptop-1", hash},
                                  kRecordedAt),
              refused);
  EXPECT_THAT(
      CheckEnrolmentProof(RecordedProof(kP256.enrolment), key, {"contoso", "laptop-1", hash},
                          kRecordedAt + kProofTolerance + seconds(1)),
      FailsWith(ErrorReason::kDeviceProofRefused, "proof.signed_at"));
}

}  // namespace
}  // namespace hourglass::issuance
