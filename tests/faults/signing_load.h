// Keys under steady load, and what became of each signature that was asked for.
#ifndef HOURGLASS_TESTS_FAULTS_SIGNING_LOAD_H_
#define HOURGLASS_TESTS_FAULTS_SIGNING_LOAD_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hsm/base/error.h"
#include "hsm/key/signing_key.h"

namespace hourglass {

using SteadyTime = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::duration<double, std::milli>;

struct SignCall {
  SteadyTime begin;
  SteadyTime end;
  // kUnspecified: a signature that verifies was returned.
  ErrorReason reason = ErrorReason::kUnspecified;

  bool good() const { return reason == ErrorReason::kUnspecified; }
};

// Threads that sign one message after another, each another message, and verify each signature. As
// Authority does, a key whose signature does not verify is taken out of service.
class SigningLoad {
 public:
  // `threads` for each key; each begins a signature every `pace`, so that what is measured is the
  // keys and not the wait for this machine's cores. The keys must outlive this object.
  SigningLoad(const std::vector<hsm::SigningKey*>& keys, int threads,
              std::chrono::microseconds pace);
  ~SigningLoad();
  SigningLoad(const SigningLoad&) = delete;
  SigningLoad& operator=(const SigningLoad&) = delete;

  // The calls for a key that ended in [from, to), in the order of their ends.
  std::vector<SignCall> Calls(std::size_t key, SteadyTime from,
                              SteadyTime to = SteadyTime::max()) const;

  // Blocks until a good signature of the key was begun and returned after `since`; false where none
  // was within `limit`.
  bool WaitForGood(std::size_t key, SteadyTime since, std::chrono::milliseconds limit) const;
  // The same for any answer at all.
  bool WaitForAnswer(std::size_t key, SteadyTime since, std::chrono::milliseconds limit) const;
  // Blocks until the load has gone on for so long.
  void Continue(std::chrono::milliseconds duration) const;

  // Signatures that were returned and did not verify.
  int wrong_signatures() const { return wrong_signatures_; }
  // The message of the last failure of the key.
  std::string LastFailure(std::size_t key) const;

 private:
  struct Line {
    std::vector<SignCall> calls;
    std::string last_failure;
  };

  void Run(std::size_t key, int thread, std::chrono::microseconds pace);
  void Record(std::size_t key, const SignCall& call, const absl::Status& status);
  bool WaitFor(std::size_t key, SteadyTime since, std::chrono::milliseconds limit,
               bool must_be_good) const;

  const std::vector<hsm::SigningKey*> keys_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> wrong_signatures_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable recorded_;
  std::vector<Line> lines_;  // one a key
  std::vector<std::thread> threads_;
};

// The latency that 99 of 100 of these calls did not exceed; 0 where there are none.
Milliseconds Percentile99(const std::vector<SignCall>& calls);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_FAULTS_SIGNING_LOAD_H_
