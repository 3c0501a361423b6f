// One question to a custodian, on its way from the thread that waits for the answer to a worker.
#ifndef HOURGLASS_HSM_KEYHOLDER_QUEUE_CALL_H_
#define HOURGLASS_HSM_KEYHOLDER_QUEUE_CALL_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/keyholder/protocol/keyholder.pb.h"
#include "hsm/keyholder/recovery/recovery.h"

namespace hourglass::hsm {

// How many of one thread's calls are not answered yet. That thread waits for none, and is woken
// once.
class Unanswered {
 public:
  Unanswered(std::size_t calls, SteadyTime deadline);

  // False once the deadline has passed while some are not answered.
  bool Wait() const;
  // By whoever has given a sign of life: the one who waits waits until then.
  void Extend(SteadyTime deadline);
  // By whoever has answered one.
  void CountDown();

 private:
  std::atomic<std::uint32_t> count_;
  std::atomic<SteadyTime> deadline_;
};

// Shared by the one who asks and the one who answers, who calls one of the Answer functions once.
class Call {
 public:
  // For a signature over `digest`, of at most 64 octets.
  Call(absl::string_view digest, std::shared_ptr<Unanswered> unanswered);
  // For anything else; a worker that takes longer than `timeout` for it, or for a part of it,
  // hangs.
  Call(keyholder::Request request, std::chrono::milliseconds timeout,
       std::shared_ptr<Unanswered> unanswered);
  // Wipes what the request and the reply hold of secrets.
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  absl::string_view digest() const { return absl::string_view(digest_.data(), digest_size_); }
  keyholder::Request& request() { return *request_; }
  std::chrono::milliseconds timeout() const { return timeout_; }

  // For the one who asked and waits no longer: false where there is an answer to take; else there
  // is none any more.
  bool Abandon();
  // Nobody waits for the answer any more.
  bool abandoned() const { return state_.load(std::memory_order_relaxed) == kAbandoned; }

  // A part of it is done: it is waited for until `deadline`.
  void Extend(SteadyTime deadline) { unanswered_->Extend(deadline); }

  void AnswerError(absl::Status error);
  void AnswerSignature(std::string signature);
  void AnswerReply(keyholder::Reply reply);

  // After Unanswered::Wait has returned true, or Abandon false.
  absl::StatusOr<std::string> TakeSignature();
  absl::StatusOr<keyholder::Reply> TakeReply();

  // How often a worker was lost over it. For whoever holds the call in a queue or a link.
  int attempts = 0;
  // Since when it waits, and how long for each part.
  SteadyTime asked = SteadyTime::min();
  std::chrono::milliseconds wait{0};
  // Only a worker that was started since may answer.
  SteadyTime worker_since = SteadyTime::min();

 private:
  enum State : std::uint32_t { kWaiting, kAnswered, kAbandoned };

  void Answered();

  std::array<char, 64> digest_;
  std::size_t digest_size_ = 0;
  std::optional<keyholder::Request> request_;
  std::chrono::milliseconds timeout_{0};
  const std::shared_ptr<Unanswered> unanswered_;

  std::atomic<std::uint32_t> state_ = kWaiting;
  // Written before state_ becomes kAnswered, read after.
  absl::Status error_;
  std::string signature_;
  std::optional<keyholder::Reply> reply_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_QUEUE_CALL_H_
