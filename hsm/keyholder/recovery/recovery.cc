#include "hsm/keyholder/recovery/recovery.h"

#include <algorithm>
#include <array>
#include <utility>

#include "hsm/base/error.h"

namespace hourglass::hsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kRetryDelay(500);
constexpr auto kForgotten = std::chrono::seconds(10);
constexpr std::array kPauses = {milliseconds(0),   milliseconds(25),  milliseconds(50),
                                milliseconds(100), milliseconds(200), milliseconds(400),
                                milliseconds(500)};
constexpr nanoseconds kShortestPatience = milliseconds(500);
constexpr nanoseconds kFirstDoubt = milliseconds(500);
constexpr nanoseconds kLastDoubt = std::chrono::seconds(60);
constexpr int kMostWorkers = 8;
constexpr int kMostThreads = 64;
constexpr std::size_t kMostInBatch = 64;
constexpr int kMostOutlying = 8;

}  // namespace

milliseconds BackOff::AfterFailure(SteadyTime now) {
  if (last_.has_value() && now - *last_ > kForgotten) failures_ = 0;
  last_ = now;
  const auto pause = kPauses[static_cast<std::size_t>(failures_)];
  failures_ = std::min(failures_ + 1, static_cast<int>(kPauses.size()) - 1);
  return pause;
}

nanoseconds Patience::For(nanoseconds usual, nanoseconds longest) const {
  if (usual.count() == 0) return longest;
  nanoseconds patience = std::max<nanoseconds>(kShortestPatience, 10 * usual);
  for (int i = 0; i < lost_ && patience < longest; ++i) patience += patience / 2;
  return std::min(patience, longest);
}

bool IsToBeAskedAnew(SteadyTime ails_since, SteadyTime confirmed_at, SteadyTime now) {
  return now - confirmed_at >
         std::clamp<nanoseconds>(confirmed_at - ails_since, kFirstDoubt, kLastDoubt);
}

WorkerPlan PlanWorkers(int workers, int sessions, const CustodianFacts& facts, int cores) {
  WorkerPlan plan;
  plan.workers = workers > 0 ? workers : facts.software ? std::clamp(cores, 1, kMostWorkers) : 2;
  if (facts.one_process_only) plan.workers = 1;
  const int most_sessions =
      facts.most_sessions == 0
          ? kMostWorkers * (kMostThreads + 1)
          : static_cast<int>(std::min<std::uint64_t>(facts.most_sessions, 1 << 20));
  plan.workers = std::clamp(plan.workers, 1, std::max(1, most_sessions / 2));
  const int even_share = (std::max(sessions, 1) + plan.workers - 1) / plan.workers;
  plan.threads = facts.software ? 1
                                : std::clamp(std::min(even_share, most_sessions / plan.workers - 1),
                                             1, kMostThreads);
  return plan;
}

std::size_t BatchSize(std::size_t waiting, int takers, nanoseconds one_signature) {
  const auto sharers = static_cast<std::size_t>(std::max(takers, 1));
  std::size_t size = std::min((waiting + sharers - 1) / sharers, kMostInBatch);
  // Nothing is known of the first: it may be a slow one.
  if (one_signature.count() <= 0) return 1;
  const auto fit = static_cast<std::size_t>(kLongestBatch / one_signature);
  return std::max<std::size_t>(std::min(size, fit), 1);
}

nanoseconds SteadyMean(nanoseconds mean, nanoseconds latest) {
  if (mean.count() <= 0) return latest;
  return (7 * mean + std::min(latest, kMostOutlying * mean)) / 8;
}

nanoseconds OverdueAfter(std::size_t size, nanoseconds one_signature) {
  return std::max<nanoseconds>(milliseconds(100),
                               20 * static_cast<nanoseconds::rep>(size) * one_signature);
}

WorkerRemedy WorkerRemedyFor(const absl::Status& error) {
  if (error.ok()) return WorkerRemedy::kNone;
  if (ReasonOf(error) == ErrorReason::kPinRefused) return WorkerRemedy::kNewPin;
  // Also where it comes with the advice to look anew: that a token holds no key at all is believed
  // of a new worker, or a token that was initialised again would never be of use.
  if (ReasonOf(error) == ErrorReason::kKeyNotFound) return WorkerRemedy::kSecondOpinion;
  if (NeedsNewCustodian(error)) return WorkerRemedy::kNewWorker;
  return ReasonOf(error) == ErrorReason::kKeyUnavailable ? WorkerRemedy::kNewWorker
                                                         : WorkerRemedy::kSecondOpinion;
}

absl::Status ForCaller(absl::Status error) {
  if (ReasonOf(error) != ErrorReason::kKeyUnavailable) return error;
  return WithRetryDelay(std::move(error), kRetryDelay);
}

}  // namespace hourglass::hsm
