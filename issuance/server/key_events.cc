#include "issuance/server/key_events.h"

#include "absl/strings/str_cat.h"

namespace hourglass::issuance {

void KeyEvents::CustodianChanged(absl::string_view custodian, const hsm::CustodianStatus& status) {
  switch (status.state) {
    case hsm::CustodianStatus::State::kUnused:
      return;
    case hsm::CustodianStatus::State::kHealthy:
      if (status.message.empty()) {
        log_->Info("key_custodian_healthy", {{"token", custodian}});
      } else {
        log_->Warning("key_custodian_healthy", {{"token", custodian}, {"message", status.message}});
      }
      return;
    case hsm::CustodianStatus::State::kRecovering:
      log_->Warning("key_custodian_recovering",
                    {{"token", custodian}, {"message", status.message}});
      return;
    case hsm::CustodianStatus::State::kFailed:
      log_->Failure("key_custodian_failed", {{"token", custodian}, {"message", status.message}});
      return;
  }
}

void KeyEvents::WorkerEnded(absl::string_view custodian, int pid, absl::string_view how) {
  log_->Warning("keyholder_ended",
                {{"token", custodian}, {"pid", absl::StrCat(pid)}, {"how", how}});
}

void KeyEvents::WorkerSaid(absl::string_view custodian, absl::string_view line) {
  log_->Warning("keyholder_said", {{"token", custodian}, {"line", line}});
}

void KeyEvents::KeyTakenOutOfService(absl::string_view key_uri) {
  log_->Failure("key_out_of_service",
                {{"key", key_uri},
                 {"message",
                  "a signature by this key did not verify and was not released; check "
                  "the token, then restart the service"}});
}

}  // namespace hourglass::issuance
