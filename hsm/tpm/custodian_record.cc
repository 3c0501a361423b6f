#include "hsm/tpm/custodian_record.h"

#include <string>

#include "hsm/base/error.h"
#include "hsm/tpm/response_code.h"

namespace hourglass::hsm {
namespace {

// The weight of a new measurement.
constexpr int kOneIn = 8;

std::string ClassOf(const absl::Status& error) {
  if (const std::optional<TSS2_RC> code = TpmCodeOf(error)) return TpmCodeName(*code);
  return std::string(ErrorReasonName(ReasonOf(error)));
}

}  // namespace

CustodianStatus CustodianRecord::Status() const {
  const MutexLock lock(mutex_);
  return status_;
}

void CustodianRecord::Become(CustodianStatus::State state, absl::string_view message) {
  if (status_.state != state) status_.since = std::chrono::steady_clock::now();
  status_.state = state;
  status_.message = std::string(message);
}

void CustodianRecord::Note(const absl::Status& result) {
  const MutexLock lock(mutex_);
  if (result.ok()) return Become(CustodianStatus::State::kHealthy, "");
  ++status_.errors[ClassOf(result)];
  const std::optional<TSS2_RC> code = TpmCodeOf(result);
  if (ReasonOf(result) == ErrorReason::kPinRefused || (code.has_value() && NeedsSomebody(*code))) {
    Become(CustodianStatus::State::kFailed, result.message());
  } else if (code.has_value()) {
    Become(CustodianStatus::State::kRecovering, result.message());
  }
}

void CustodianRecord::NoteConnection(bool connected) {
  const MutexLock lock(mutex_);
  status_.sessions = connected ? 1 : 0;
  if (connected) ++status_.logins;
}

void CustodianRecord::NoteSignature(std::chrono::steady_clock::duration time) {
  const MutexLock lock(mutex_);
  ++status_.signatures;
  const auto latest = std::chrono::duration_cast<std::chrono::microseconds>(time);
  std::chrono::microseconds& mean = status_.signature_time;
  mean = mean.count() == 0 ? latest : mean + (latest - mean) / kOneIn;
}

}  // namespace hourglass::hsm
