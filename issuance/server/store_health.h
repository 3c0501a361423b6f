// Whether the store does what is asked of it, for the log and the metrics.
#ifndef HOURGLASS_ISSUANCE_SERVER_STORE_HEALTH_H_
#define HOURGLASS_ISSUANCE_SERVER_STORE_HEALTH_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "issuance/log/event_log.h"

namespace hourglass::issuance {

// What a database tells of itself in passing. Safe to call from several threads.
class StoreHealth {
 public:
  explicit StoreHealth(EventLog log) : log_(std::move(log)) {}

  // Says `store_unavailable` and `store_recovered`.
  void Report(const absl::Status& status) {
    if (status.ok()) {
      available_.store(true, std::memory_order_relaxed);
      log_.Info("store_recovered", {});
      return;
    }
    available_.store(false, std::memory_order_relaxed);
    failures_.fetch_add(1, std::memory_order_relaxed);
    log_.Failure("store_unavailable", {{"message", status.message()}});
  }

  // Says `database_timeline_changed`.
  void ReportTimeline(const std::string& message) {
    timeline_changes_.fetch_add(1, std::memory_order_relaxed);
    log_.Warning("database_timeline_changed", {{"message", message}});
  }

  bool IsAvailable() const { return available_.load(std::memory_order_relaxed); }
  std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }
  std::uint64_t timeline_changes() const {
    return timeline_changes_.load(std::memory_order_relaxed);
  }

 private:
  const EventLog log_;
  std::atomic<bool> available_ = true;
  std::atomic<std::uint64_t> failures_ = 0;
  std::atomic<std::uint64_t> timeline_changes_ = 0;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_STORE_HEALTH_H_
