#include "issuance/calls/call_pool.h"

#include <algorithm>
#include <utility>

#include "issuance/base/background_thread.h"
#include "issuance/store/reading.h"

namespace hourglass::issuance {
namespace {

template <typename T>
T AtLeastOne(T value) {
  return std::max(T{1}, value);
}

CallLines::Limits ForChanges(const CallPoolOptions& options) {
  return {options.changes_waiting, AtLeastOne(options.changes_waiting / 2),
          AtLeastOne(options.changing_threads / 2)};
}

}  // namespace

CallPool::CallPool(const CallPoolOptions& options)
    : promotions_(ForChanges(options)),
      changes_(ForChanges(options)),
      listings_({options.listings_waiting, AtLeastOne(options.listings_waiting * 3 / 4),
                 AtLeastOne(options.listing_threads / 2)}) {
  threads_.emplace_back([this] { Work({&promotions_}, promotion_comes_); });
  for (int i = 0; i < options.changing_threads; ++i) {
    threads_.emplace_back([this] { Work({&promotions_, &changes_}, change_comes_); });
  }
  for (int i = 0; i < options.listing_threads; ++i) {
    threads_.emplace_back([this] {
      RunInBackground();
      SetReadingOfThisThread(Reading::kListing);
      Work({&listings_}, listing_comes_);
    });
  }
}

CallPool::~CallPool() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  NotifyAll();
  for (std::thread& thread : threads_) thread.join();
}

void CallPool::NotifyAll() {
  promotion_comes_.notify_all();
  change_comes_.notify_all();
  listing_comes_.notify_all();
}

bool CallPool::Submit(absl::string_view caller, MethodKind kind, CallLines::Call call) {
  const MutexLock lock(mutex_);
  switch (kind) {
    case MethodKind::kPromotion:
      if (!promotions_.Add(caller, std::move(call))) return false;
      // Whichever is free first.
      promotion_comes_.notify_one();
      change_comes_.notify_one();
      return true;
    case MethodKind::kChange:
      if (!changes_.Add(caller, std::move(call))) return false;
      change_comes_.notify_one();
      return true;
    case MethodKind::kListing:
      if (!listings_.Add(caller, std::move(call))) return false;
      listing_comes_.notify_one();
      return true;
    case MethodKind::kIssuing:
      break;
  }
  return false;
}

CallLines* CallPool::WithOne(const Kinds& kinds) {
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [](const CallLines* lines) { return lines->HasOne(); });
  return found == kinds.end() ? nullptr : *found;
}

bool CallPool::NothingWaits(const Kinds& kinds) {
  return std::all_of(kinds.begin(), kinds.end(),
                     [](const CallLines* lines) { return lines->waiting() == 0; });
}

void CallPool::Work(const Kinds& kinds, ConditionVariable& comes) {
  MutexLock lock(mutex_);
  for (;;) {
    comes.wait(lock, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return WithOne(kinds) != nullptr || (stopping_ && NothingWaits(kinds));
    });
    CallLines* const lines = WithOne(kinds);
    if (lines == nullptr) return;
    CallLines::Taken taken = lines->Take();
    lock.unlock();
    taken.call();
    // What it holds goes before others are let in.
    taken.call = nullptr;
    lock.lock();
    lines->End(taken.caller);
    // This thread looks again; others only wait for the end.
    if (stopping_) NotifyAll();
  }
}

}  // namespace hourglass::issuance
