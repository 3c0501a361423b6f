#include "hsm/keyholder/queue/call.h"

#include <errno.h>
#include <linux/futex.h>
#include <openssl/crypto.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstring>
#include <utility>

namespace hourglass::hsm {
namespace {

using std::chrono::duration_cast;
using std::chrono::nanoseconds;

void Wipe(std::string* secret) { OPENSSL_cleanse(secret->data(), secret->size()); }

timespec TimespecOf(SteadyTime time) {
  const auto since_boot = duration_cast<nanoseconds>(time.time_since_epoch()).count();
  return {since_boot / 1'000'000'000, since_boot % 1'000'000'000};
}

}  // namespace

Unanswered::Unanswered(std::size_t calls, SteadyTime deadline)
    : count_(static_cast<std::uint32_t>(calls)), deadline_(deadline) {}

// The standard's timed waits spin and sleep first, at the cost of the cores that sign.
bool Unanswered::Wait() const {
  static_assert(sizeof(count_) == sizeof(std::uint32_t));
  for (;;) {
    const SteadyTime until = deadline_.load(std::memory_order_acquire);
    const timespec deadline = TimespecOf(until);
    const std::uint32_t count = count_.load(std::memory_order_acquire);
    if (count == 0) return true;
    const long result = syscall(SYS_futex, &count_, FUTEX_WAIT_BITSET_PRIVATE, count, &deadline,
                                nullptr, FUTEX_BITSET_MATCH_ANY);
    if (result == 0 || errno != ETIMEDOUT) continue;
    if (deadline_.load(std::memory_order_acquire) > until) continue;
    return count_.load(std::memory_order_acquire) == 0;
  }
}

void Unanswered::Extend(SteadyTime deadline) {
  deadline_.store(deadline, std::memory_order_release);
}

void Unanswered::CountDown() {
  if (count_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  syscall(SYS_futex, &count_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

Call::Call(absl::string_view digest, std::shared_ptr<Unanswered> unanswered)
    : digest_size_(digest.size()), unanswered_(std::move(unanswered)) {
  std::memcpy(digest_.data(), digest.data(), digest.size());
}

Call::Call(keyholder::Request request, std::chrono::milliseconds timeout,
           std::shared_ptr<Unanswered> unanswered)
    : request_(std::move(request)), timeout_(timeout), unanswered_(std::move(unanswered)) {}

Call::~Call() {
  if (!request_.has_value()) return;
  if (request_->has_seal()) {
    Wipe(request_->mutable_seal()->mutable_secret());
    Wipe(request_->mutable_seal()->mutable_recovery_code());
  }
  if (request_->has_unseal()) Wipe(request_->mutable_unseal()->mutable_recovery_code());
  if (reply_.has_value()) Wipe(reply_->mutable_octets());
}

bool Call::Abandon() {
  std::uint32_t expected = kWaiting;
  return state_.compare_exchange_strong(expected, kAbandoned, std::memory_order_acq_rel);
}

void Call::Answered() {
  std::uint32_t expected = kWaiting;
  if (!state_.compare_exchange_strong(expected, kAnswered, std::memory_order_acq_rel)) return;
  unanswered_->CountDown();
}

void Call::AnswerError(absl::Status error) {
  error_ = std::move(error);
  Answered();
}

void Call::AnswerSignature(std::string signature) {
  signature_ = std::move(signature);
  Answered();
}

void Call::AnswerReply(keyholder::Reply reply) {
  reply_ = std::move(reply);
  Answered();
}

absl::StatusOr<std::string> Call::TakeSignature() {
  if (!error_.ok()) return error_;
  return std::move(signature_);
}

absl::StatusOr<keyholder::Reply> Call::TakeReply() {
  if (!error_.ok()) return error_;
  return *std::move(reply_);
}

}  // namespace hourglass::hsm
