#include "issuance/compliance/question.h"

#include <cstddef>
#include <string>

#include "absl/strings/escaping.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

// Octets.
constexpr std::size_t kMinNonceSize = 16;
constexpr std::size_t kMaxNonceSize = 64;
constexpr std::size_t kPublicKeyHashSize = 32;
constexpr std::size_t kVerdictIdSize = 16;

absl::Status CheckUser(const v1::EvaluateRequest& request) {
  if (!request.user_id().empty()) {
    RETURN_IF_ERROR(CheckId(request.user_id(), kMaxUserIdSize, "user_id"));
  }
  return CheckUpnText(request.user_upn(), "user_upn");
}

absl::Status CheckPublicKeyHash(const v1::EvaluateRequest& request) {
  if (request.public_key_sha256().empty()) return absl::OkStatus();
  if (request.public_key_sha256().size() != kPublicKeyHashSize) {
    return Error(ErrorReason::kFieldInvalid, "public_key_sha256", "must have 32 octets or none");
  }
  if (request.user_upn().empty()) {
    return Error(ErrorReason::kFieldMissing, "user_upn", "is required for a certificate");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckQuestion(const v1::EvaluateRequest& request) {
  RETURN_IF_ERROR(CheckTenantId(request.tenant_id()));
  RETURN_IF_ERROR(CheckId(request.device_id(), kMaxDeviceIdSize, "device_id"));
  if (request.nonce().empty()) return Error(ErrorReason::kFieldMissing, "nonce", "is required");
  if (request.nonce().size() < kMinNonceSize || request.nonce().size() > kMaxNonceSize) {
    return Error(ErrorReason::kFieldInvalid, "nonce", "must have 16 to 64 octets");
  }
  RETURN_IF_ERROR(CheckUser(request));
  return CheckPublicKeyHash(request);
}

void NameQuestion(const v1::EvaluateRequest& request, v1::Verdict* verdict) {
  verdict->set_nonce(request.nonce());
  verdict->set_tenant_id(request.tenant_id());
  verdict->set_user_id(request.user_id());
  verdict->set_user_upn(request.user_upn());
  verdict->set_device_id(request.device_id());
  verdict->set_public_key_sha256(request.public_key_sha256());
}

absl::StatusOr<v1::Verdict> VerdictOn(const v1::EvaluateRequest& request,
                                      absl::string_view policy_version,
                                      absl::Span<const v1::DenyReason> reasons, Timestamp now,
                                      Entropy& entropy) {
  ASSIGN_OR_RETURN(const std::string id, entropy.Take(kVerdictIdSize));
  v1::Verdict verdict;
  verdict.set_verdict_id(absl::BytesToHexString(id));
  NameQuestion(request, &verdict);
  verdict.set_policy_version(std::string(policy_version));
  *verdict.mutable_evaluated_at() = ToProto(now);
  if (reasons.empty()) {
    verdict.mutable_allow();
  } else {
    verdict.mutable_deny()->mutable_reasons()->Assign(reasons.begin(), reasons.end());
  }
  return verdict;
}

}  // namespace hourglass::issuance
