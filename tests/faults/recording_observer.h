// Remembers what happened to custodians and keys.
#ifndef HOURGLASS_TESTS_FAULTS_RECORDING_OBSERVER_H_
#define HOURGLASS_TESTS_FAULTS_RECORDING_OBSERVER_H_

#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/key/custodian.h"

namespace hourglass {

class RecordingObserver : public hsm::KeyObserver {
 public:
  void CustodianChanged(absl::string_view custodian, const hsm::CustodianStatus& status) override {
    const std::lock_guard lock(mutex_);
    changes_.push_back(
        absl::StrCat(custodian, " ", hsm::CustodianStateName(status.state), ": ", status.message));
  }
  void WorkerEnded(absl::string_view, int, absl::string_view how) override {
    const std::lock_guard lock(mutex_);
    endings_.emplace_back(how);
  }
  void WorkerSaid(absl::string_view, absl::string_view line) override {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(line);
  }
  void KeyTakenOutOfService(absl::string_view key_uri) override {
    const std::lock_guard lock(mutex_);
    keys_out_of_service_.emplace_back(key_uri);
  }

  // `NAME STATE: MESSAGE` of each change, oldest first.
  std::vector<std::string> changes() const { return Copy(changes_); }
  // How each worker process ended.
  std::vector<std::string> endings() const { return Copy(endings_); }
  std::vector<std::string> lines() const { return Copy(lines_); }
  std::vector<std::string> keys_out_of_service() const { return Copy(keys_out_of_service_); }

 private:
  std::vector<std::string> Copy(const std::vector<std::string>& of) const {
    const std::lock_guard lock(mutex_);
    return of;
  }

  mutable std::mutex mutex_;
  std::vector<std::string> changes_;
  std::vector<std::string> endings_;
  std::vector<std::string> lines_;
  std::vector<std::string> keys_out_of_service_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_FAULTS_RECORDING_OBSERVER_H_
