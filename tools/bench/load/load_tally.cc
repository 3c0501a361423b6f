#include "tools/bench/load/load_tally.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "hourglass/v1/error.pb.h"
#include "issuance/wire/status_detail.h"

namespace hourglass::bench {
namespace {

// One in so many answers, and so many of a window, are kept.
constexpr std::uint64_t kSampledEvery = 61;
constexpr std::size_t kMaxSamples = 200;

}  // namespace

LatencyHistogram LoadResult::LatenciesBetween(LoadClock::time_point from,
                                              LoadClock::time_point until) const {
  LatencyHistogram histogram;
  for (const TimedLatency& timed : times) {
    if (from <= timed.intended && timed.intended < until) histogram.Add(timed.latency);
  }
  return histogram;
}

std::string LoadResult::ErrorText() const {
  std::string text;
  for (const auto& [reason, count] : errors) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", reason, " ", count);
  }
  return text;
}

std::string ReasonText(const grpc::Status& status) {
  if (const auto detail = issuance::ErrorDetailOf(status); detail.has_value()) {
    return v1::ErrorReason_Name(detail->reason());
  }
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()));
}

void LoadTally::Begin() {
  const std::lock_guard lock(mutex_);
  result_ = LoadResult();
  awaited_ = 0;
  begin_ = LoadClock::now();
  end_ = LoadClock::time_point::max();
}

LoadResult LoadTally::End() {
  std::unique_lock lock(mutex_);
  end_ = LoadClock::now();
  result_.seconds = std::chrono::duration<double>(end_ - begin_).count();
  if (membership_ == Membership::kByIntention) {
    all_answered_.wait(lock, [this] { return sent_until_ >= end_ && awaited_ == 0; });
  }
  begin_ = LoadClock::time_point::max();
  for (const auto& [reason, count] : broken_) result_.errors[reason] += count;
  return std::move(result_);
}

std::uint64_t LoadTally::Certificates() {
  const std::lock_guard lock(mutex_);
  return result_.certificates;
}

void LoadTally::SentUntil(LoadClock::time_point time) {
  const std::lock_guard lock(mutex_);
  sent_until_ = time;
  all_answered_.notify_all();
}

void LoadTally::Sent(LoadClock::time_point intended) {
  if (membership_ == Membership::kByAnswer) return;
  const std::lock_guard lock(mutex_);
  if (InWindow(intended)) ++awaited_;
}

bool LoadTally::Counts(LoadClock::time_point intended, LoadClock::time_point now) {
  if (membership_ == Membership::kByAnswer) return InWindow(now);
  if (!InWindow(intended)) return false;
  if (--awaited_ == 0) all_answered_.notify_all();
  return true;
}

void LoadTally::Issued(LoadClock::time_point intended, LoadClock::time_point sent,
                       absl::FunctionRef<SampledAnswer()> answer) {
  const LoadClock::time_point now = LoadClock::now();
  const std::lock_guard lock(mutex_);
  if (!Counts(intended, now)) return;
  result_.latencies.Add(now - intended);
  result_.delays.Add(sent - intended);
  if (times_ == Times::kKept) result_.times.push_back({intended, now - intended});
  if (result_.certificates++ % kSampledEvery == 0 && result_.samples.size() < kMaxSamples) {
    result_.samples.push_back(answer());
    result_.samples.back().sent = sent;
  }
}

void LoadTally::Failed(LoadClock::time_point intended, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  if (Counts(intended, LoadClock::now())) ++result_.errors[reason];
}

void LoadTally::AskedAgain(LoadClock::time_point intended) {
  const LoadClock::time_point now = LoadClock::now();
  const std::lock_guard lock(mutex_);
  if (InWindow(membership_ == Membership::kByAnswer ? now : intended)) ++result_.asked_again;
}

void LoadTally::Broken(const std::string& reason) {
  const std::lock_guard lock(mutex_);
  ++broken_[reason];
}

}  // namespace hourglass::bench
