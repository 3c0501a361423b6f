// The seventh step, and what is said of a key that cannot be used.
#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ca/authority.h"
#include "hsm/base/error.h"
#include "hsm/key/custodian.h"
#include "issuance/pipeline/pipeline.h"
#include "issuance/pipeline/pipeline_work.h"

namespace hourglass::issuance {

// 7: sign and verify (promise 4; ca::Authority says which signatures are verified).
void Pipeline::SignAndVerify(Batch& batch) {
  std::vector<Work*> unsigned_work;
  for (Work& work : batch) {
    if (work.certificate.empty()) unsigned_work.push_back(&work);
  }
  // Those of one key together.
  const auto signer = [](const Work* work) { return work->tenant->primary.get(); };
  std::ranges::stable_sort(unsigned_work, std::less<>(), signer);
  for (auto first = unsigned_work.begin(); first != unsigned_work.end();) {
    const auto end = std::find_if(first, unsigned_work.end(),
                                  [&](const Work* work) { return signer(work) != signer(*first); });
    std::vector<ca::TbsCertificate> tbs;
    for (auto work = first; work != end; ++work) tbs.push_back(*std::move((*work)->tbs));
    std::vector<absl::StatusOr<std::string>> certificates = signer(*first)->SignAll(std::move(tbs));
    for (auto& certificate : certificates) {
      Work& work = **first++;
      if (certificate.ok()) {
        work.certificate = *std::move(certificate);
      } else {
        work.task->status = KeyFailure(work.intent.tenant_id, certificate.status());
      }
    }
  }
  ForEach(batch, [](Work& work) { return work.task->status; });
}

// A broker has to know that the key cannot be used, and whether asking again may help. Which token,
// folder and PIN source are at fault is for the administrator.
absl::Status Pipeline::KeyFailure(absl::string_view tenant_id, const absl::Status& cause) const {
  ErrorReason reason = ReasonOf(cause);
  switch (reason) {
    case ErrorReason::kKeyNotFound:
    case ErrorReason::kKeyUnavailable:
    case ErrorReason::kPinRefused:
    case ErrorReason::kKeyMismatch:
    case ErrorReason::kKeyUnfit:
      break;
    case ErrorReason::kKeyUnsupported:
    case ErrorReason::kKeyUriInvalid:
    case ErrorReason::kKeyExists:
      // To a broker these would speak of its own request.
      reason = ErrorReason::kKeyUnavailable;
      break;
    default:
      return cause;
  }
  log_.Failure("key_failed", {{"tenant", tenant_id}, {"message", std::string(cause.message())}});
  const absl::Status told = Error(reason, "", "the primary root's key cannot be used");
  const std::optional<std::chrono::milliseconds> delay = hsm::RetryDelayOf(cause);
  return delay.has_value() ? hsm::WithRetryDelay(told, *delay) : told;
}

}  // namespace hourglass::issuance
