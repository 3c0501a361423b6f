// A request for a certificate whose end a test waits for.
#ifndef HOURGLASS_ISSUANCE_PIPELINE_TESTING_WATCHED_TASK_H_
#define HOURGLASS_ISSUANCE_PIPELINE_TESTING_WATCHED_TASK_H_

#include <condition_variable>
#include <mutex>

#include "absl/status/status.h"
#include "hourglass/v1/issuance.pb.h"
#include "issuance/identity/caller.h"
#include "issuance/pipeline/issue_task.h"

namespace hourglass::issuance {

// Knows how often it was finished, and lets a test wait for it.
class WatchedTask final : public IssueTask {
 public:
  WatchedTask(const Caller* asking, const v1::IssueCertificateRequest& asked) : asked_(asked) {
    caller = asking;
    request = &asked_;
    response = &answer;
  }
  bool CallerIsGone() const override { return caller_is_gone; }
  void Finished() override {
    const std::lock_guard lock(mutex_);
    ++finished_;
    changed_.notify_all();
  }
  const absl::Status& Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return finished_ > 0; });
    return status;
  }
  int finished() {
    const std::lock_guard lock(mutex_);
    return finished_;
  }

  v1::IssueCertificateResponse answer;
  bool caller_is_gone = false;

 private:
  const v1::IssueCertificateRequest asked_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int finished_ = 0;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_PIPELINE_TESTING_WATCHED_TASK_H_
