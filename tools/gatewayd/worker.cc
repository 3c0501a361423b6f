#include "tools/gatewayd/worker.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/time/clock.h"

namespace hourglass::gatewayd {

Worker::Worker(std::unique_ptr<Gateway> gateway, int reported,
               std::function<absl::Duration(int)> retry_after)
    : gateway_(std::move(gateway)),
      reported_(reported),
      retry_after_(std::move(retry_after)),
      stop_(eventfd(0, EFD_CLOEXEC)),
      thread_([this] { Run(); }) {}

Worker::~Worker() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  eventfd_write(stop_, 1);
  thread_.join();
  close(stop_);
}

void Worker::Add(Task task) {
  MutexLock lock(mutex_);
  added_.push_back(std::move(task));
  changed_.notify_all();
}

std::optional<Report> Worker::Take() {
  MutexLock lock(mutex_);
  if (reports_.empty()) return std::nullopt;
  std::optional<Report> report(std::move(reports_.front()));
  reports_.pop_front();
  return report;
}

bool Worker::Next(absl::Duration pause) {
  const auto is_news = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !added_.empty();
  };
  MutexLock lock(mutex_);
  if (tasks_.empty()) {
    changed_.wait(lock, is_news);
  } else {
    changed_.wait_for(lock, absl::ToChronoNanoseconds(pause), is_news);
  }
  std::move(added_.begin(), added_.end(), std::back_inserter(tasks_));
  added_.clear();
  return !stopping_;
}

void Worker::Tell(Report report) {
  MutexLock lock(mutex_);
  reports_.push_back(std::move(report));
  eventfd_write(reported_, 1);
}

Report Worker::Try() {
  const Outcome outcome = gateway_->End(tasks_, Patience(kLimit, stop_));
  const absl::Time now = absl::Now();
  const auto told = [this, now](std::size_t task, const std::string& what, Match how) {
    const Task& one = tasks_[task];
    return Told{.event = one.concern.words,
                .cursor = one.concern.cursor,
                .what = what,
                .how = how,
                .after = now - one.came};
  };
  Report report;
  report.status = outcome.status;
  for (const EndedTunnel& one : outcome.ended) {
    report.ended.push_back(told(one.task, one.tunnel, one.how));
  }
  // What is tried again is told of when it is done.
  for (const NotTold& one : outcome.not_told) {
    if (outcome.status.ok()) report.not_told.push_back(told(one.task, one.why, Match::kNone));
  }
  auto left = outcome.status.ok() ? tasks_.end() : tasks_.begin();
  for (; left != tasks_.end() && IsOver(left->concern, now); ++left) {
    report.given_up.push_back(
        told(static_cast<std::size_t>(left - tasks_.begin()), "", Match::kNone));
  }
  report.done = static_cast<std::size_t>(
      std::count_if(tasks_.begin(), left, [](const Task& task) { return !task.is_again; }));
  tasks_.erase(tasks_.begin(), left);
  return report;
}

void Worker::Run() {
  int failures = 0;
  while (Next(failures == 0 ? absl::ZeroDuration() : retry_after_(failures))) {
    Report report = Try();
    failures = report.status.ok() ? 0 : failures + 1;
    Tell(std::move(report));
  }
}

}  // namespace hourglass::gatewayd
