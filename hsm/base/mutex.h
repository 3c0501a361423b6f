// Mutexes whose use clang checks: what a mutex guards is said by ABSL_GUARDED_BY beside it.
#ifndef HOURGLASS_HSM_BASE_MUTEX_H_
#define HOURGLASS_HSM_BASE_MUTEX_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#include "absl/base/thread_annotations.h"

namespace hourglass {

// std::mutex, which libstdc++ does not annotate. Held through a MutexLock alone.
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

// Holds a mutex while it lives, but between unlock() and lock(). Spelled as std::unique_lock.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : lock_(mutex.mutex_) {}
  ~MutexLock() ABSL_UNLOCK_FUNCTION() {}
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS { lock_.lock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS { lock_.unlock(); }

 private:
  friend class ConditionVariable;
  std::unique_lock<std::mutex> lock_;
};

// std::condition_variable for a MutexLock. What is waited for is a function that needs the mutex:
//   changed_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_; });
// Durations are of the steady clock.
class ConditionVariable {
 public:
  void notify_one() noexcept { condition_.notify_one(); }
  void notify_all() noexcept { condition_.notify_all(); }

  // Returns for no reason, too.
  void wait(MutexLock& lock) { condition_.wait(lock.lock_); }

  template <typename Predicate>
  void wait(MutexLock& lock, Predicate predicate) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    while (!predicate()) wait(lock);
  }

  // What `predicate` says at the end: false only where the time has passed.
  template <typename Rep, typename Period, typename Predicate>
  bool wait_for(MutexLock& lock, const std::chrono::duration<Rep, Period>& duration,
                Predicate predicate) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return condition_.wait_for(lock.lock_, duration, predicate);
  }

  template <typename Predicate>
  bool wait_until(MutexLock& lock, std::chrono::steady_clock::time_point end,
                  Predicate predicate) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return condition_.wait_until(lock.lock_, end, predicate);
  }

 private:
  std::condition_variable condition_;
};

// std::shared_mutex. Held through a WriterMutexLock or by many a ReaderMutexLock.
class ABSL_LOCKABLE SharedMutex {
 public:
  SharedMutex() = default;
  SharedMutex(const SharedMutex&) = delete;
  SharedMutex& operator=(const SharedMutex&) = delete;

 private:
  friend class ReaderMutexLock;
  friend class WriterMutexLock;
  std::shared_mutex mutex_;
};

// Shared with other readers: what the mutex guards may be read.
class ABSL_SCOPED_LOCKABLE ReaderMutexLock {
 public:
  explicit ReaderMutexLock(SharedMutex& mutex) ABSL_SHARED_LOCK_FUNCTION(mutex)
      : lock_(mutex.mutex_) {}
  ~ReaderMutexLock() ABSL_UNLOCK_FUNCTION() {}
  ReaderMutexLock(const ReaderMutexLock&) = delete;
  ReaderMutexLock& operator=(const ReaderMutexLock&) = delete;

 private:
  const std::shared_lock<std::shared_mutex> lock_;
};

// Alone: what the mutex guards may be changed.
class ABSL_SCOPED_LOCKABLE WriterMutexLock {
 public:
  explicit WriterMutexLock(SharedMutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex)
      : lock_(mutex.mutex_) {}
  ~WriterMutexLock() ABSL_UNLOCK_FUNCTION() {}
  WriterMutexLock(const WriterMutexLock&) = delete;
  WriterMutexLock& operator=(const WriterMutexLock&) = delete;

 private:
  const std::unique_lock<std::shared_mutex> lock_;
};

}  // namespace hourglass

#endif  // HOURGLASS_HSM_BASE_MUTEX_H_
