#include "tests/faults/signing_load.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "hsm/key/signature.h"

namespace hourglass {

SigningLoad::SigningLoad(const std::vector<hsm::SigningKey*>& keys, int threads,
                         std::chrono::microseconds pace)
    : keys_(keys), lines_(keys.size()) {
  for (std::size_t key = 0; key < keys_.size(); ++key) {
    for (int thread = 0; thread < threads; ++thread) {
      threads_.emplace_back([=, this] { Run(key, thread, pace); });
    }
  }
}

SigningLoad::~SigningLoad() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
}

void SigningLoad::Run(std::size_t key, int thread, std::chrono::microseconds pace) {
  const absl::StatusOr<hsm::VerifyingKey> verifier =
      hsm::VerifyingKey::FromPublicKey(keys_[key]->public_key());
  if (!verifier.ok()) {
    std::fprintf(stderr, "%s\n", verifier.status().ToString().c_str());
    std::abort();
  }
  SteadyTime next = std::chrono::steady_clock::now();
  for (int number = 0; !stopping_; ++number) {
    const std::string message = absl::StrCat("signature ", number, " of thread ", thread);
    SignCall call;
    call.begin = std::chrono::steady_clock::now();
    const absl::StatusOr<std::string> signature = keys_[key]->Sign(message);
    call.end = std::chrono::steady_clock::now();
    absl::Status status = signature.status();
    if (status.ok()) {
      status = verifier->Verify(message, *signature);
      if (!status.ok()) {
        ++wrong_signatures_;
        keys_[key]->TakeOutOfService();
      }
    }
    call.reason = ReasonOf(status);
    Record(key, call, status);
    next = std::max(next + pace, call.end);
    std::this_thread::sleep_until(next);
  }
}

void SigningLoad::Record(std::size_t key, const SignCall& call, const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  lines_[key].calls.push_back(call);
  if (!status.ok()) lines_[key].last_failure = status.ToString();
  recorded_.notify_all();
}

std::vector<SignCall> SigningLoad::Calls(std::size_t key, SteadyTime from, SteadyTime to) const {
  const std::lock_guard lock(mutex_);
  std::vector<SignCall> calls;
  for (const SignCall& call : lines_[key].calls) {
    if (call.end >= from && call.end < to) calls.push_back(call);
  }
  // Threads record in another order than they end.
  std::sort(calls.begin(), calls.end(),
            [](const SignCall& a, const SignCall& b) { return a.end < b.end; });
  return calls;
}

bool SigningLoad::WaitFor(std::size_t key, SteadyTime since, std::chrono::milliseconds limit,
                          bool must_be_good) const {
  std::unique_lock lock(mutex_);
  return recorded_.wait_for(lock, limit, [&] {
    const std::vector<SignCall>& calls = lines_[key].calls;
    for (auto call = calls.rbegin(); call != calls.rend() && call->end > since; ++call) {
      if (call->begin > since && (call->good() || !must_be_good)) return true;
    }
    return false;
  });
}

bool SigningLoad::WaitForGood(std::size_t key, SteadyTime since,
                              std::chrono::milliseconds limit) const {
  return WaitFor(key, since, limit, true);
}

bool SigningLoad::WaitForAnswer(std::size_t key, SteadyTime since,
                                std::chrono::milliseconds limit) const {
  return WaitFor(key, since, limit, false);
}

void SigningLoad::Continue(std::chrono::milliseconds duration) const {
  std::this_thread::sleep_for(duration);
}

std::string SigningLoad::LastFailure(std::size_t key) const {
  const std::lock_guard lock(mutex_);
  return lines_[key].last_failure;
}

Milliseconds Percentile99(const std::vector<SignCall>& calls) {
  if (calls.empty()) return Milliseconds(0);
  std::vector<std::chrono::steady_clock::duration> durations;
  for (const SignCall& call : calls) durations.push_back(call.end - call.begin);
  const auto position =
      durations.begin() + static_cast<std::ptrdiff_t>(durations.size() * 99 / 100);
  std::nth_element(durations.begin(), position, durations.end());
  return *position;
}

}  // namespace hourglass
