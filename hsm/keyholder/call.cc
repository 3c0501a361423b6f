#include "hsm/keyholder/call.h"

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

Call::Call(absl::string_view digest, SteadyTime deadline)
    : digest_size_(digest.size()), deadline_(deadline) {
  std::memcpy(digest_.data(), digest.data(), digest.size());
}

Call::Call(keyholder::Request request, std::chrono::milliseconds timeout, SteadyTime deadline)
    : request_(std::move(request)), timeout_(timeout), deadline_(deadline) {}

Call::~Call() {
  if (!request_.has_value()) return;
  if (request_->has_seal()) {
    Wipe(request_->mutable_seal()->mutable_secret());
    Wipe(request_->mutable_seal()->mutable_recovery_code());
  }
  if (request_->has_unseal()) Wipe(request_->mutable_unseal()->mutable_recovery_code());
  if (reply_.has_value()) Wipe(reply_->mutable_octets());
}

// The standard's timed waits spin and sleep first, at the cost of the cores that sign.
bool Call::Wait() {
  static_assert(sizeof(state_) == sizeof(std::uint32_t));
  const timespec deadline = TimespecOf(deadline_);
  while (state_.load(std::memory_order_acquire) == kWaiting) {
    const long result =
        syscall(SYS_futex, &state_, FUTEX_WAIT_BITSET_PRIVATE, std::uint32_t{kWaiting}, &deadline,
                nullptr, FUTEX_BITSET_MATCH_ANY);
    if (result == 0 || errno != ETIMEDOUT) continue;
    std::uint32_t expected = kWaiting;
    return !state_.compare_exchange_strong(expected, kAbandoned, std::memory_order_acq_rel);
  }
  return true;
}

void Call::Wake() {
  std::uint32_t expected = kWaiting;
  if (!state_.compare_exchange_strong(expected, kAnswered, std::memory_order_acq_rel)) return;
  syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void Call::AnswerError(absl::Status error) {
  error_ = std::move(error);
  Wake();
}

void Call::AnswerSignature(std::string signature) {
  signature_ = std::move(signature);
  Wake();
}

void Call::AnswerReply(keyholder::Reply reply) {
  reply_ = std::move(reply);
  Wake();
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
