// A stream of messages from the service that a program reads beside what else it does.
#ifndef HOURGLASS_TOOLS_AGENT_MESSAGE_STREAM_H_
#define HOURGLASS_TOOLS_AGENT_MESSAGE_STREAM_H_

#include <errno.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_callback.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "hsm/base/error.h"
#include "hsm/base/mutex.h"
#include "hsm/base/status_macros.h"
#include "tools/client/connection.h"

namespace hourglass::agent {

// How long a stream lives before another takes its place: who was cut off without being told is
// that long behind at most.
inline constexpr absl::Duration kStreamLength = absl::Minutes(10);

// How many messages wait for Take before no more are read.
inline constexpr std::size_t kMostWaiting = 64;

// Which of several messages that came count.
enum class Keep {
  kNewest,  // the last: those before it are passed over
  kEach,    // each, in order; while kMostWaiting wait, the service waits too
};

// A call that is answered by a stream, read by gRPC's threads. Has a connection of its own, which
// takes up renewed credentials. All functions are for one thread.
template <typename Message>
class MessageStream final : private grpc::ClientReadReactor<Message> {
 public:
  // Starts the call of a generated stub's async(): whoever is given has the request in hand.
  using Start = std::function<void(const std::shared_ptr<grpc::Channel>&, grpc::ClientContext*,
                                   grpc::ClientReadReactor<Message>*)>;

  // `start` is called once, at once; what it makes the call with (stub, request) it keeps itself,
  // and it lives as long as this object. Errors: those of client::Connection::Open, INTERNAL_ERROR.
  static absl::StatusOr<std::unique_ptr<MessageStream>> Open(const client::ConnectionConfig& config,
                                                             Keep keep, Start start) {
    ASSIGN_OR_RETURN(const client::Connection connection, client::Connection::Open(config));
    const int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0) {
      return Error(ErrorReason::kInternalError, "",
                   absl::StrCat("no event descriptor: ", strerror(errno)));
    }
    std::unique_ptr<MessageStream> stream(
        new MessageStream(connection, keep, std::move(start), event));
    stream->StartRead(&stream->reading_);
    stream->StartCall();
    return stream;
  }

  // Hangs up.
  ~MessageStream() override {
    context_.TryCancel();
    if (TakePause()) this->RemoveHold();
    {
      MutexLock lock(mutex_);
      done_.wait(lock,
                 [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ended_.has_value(); });
    }
    close(event_);
  }
  MessageStream(const MessageStream&) = delete;
  MessageStream& operator=(const MessageStream&) = delete;

  // Can be read while there is something new to Take, or the stream has ended.
  int event_fd() const { return event_; }

  // The next message that came; nullopt where none waits.
  std::optional<Message> Take() {
    std::optional<Message> next;
    {
      MutexLock lock(mutex_);
      eventfd_t count = 0;
      // The end, and what else waits, stays an event.
      if (!ended_.has_value() && waiting_.size() <= 1) eventfd_read(event_, &count);
      if (waiting_.empty()) return std::nullopt;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (TakePause()) {
      this->StartRead(&reading_);
      this->RemoveHold();
    }
    return next;
  }

  // How it ended: OK where the service ended it in order, or kStreamLength did; else
  // client::CallError; nullopt while it lives.
  std::optional<absl::Status> Ended() {
    MutexLock lock(mutex_);
    if (!ended_.has_value()) return std::nullopt;
    if (ended_->ok() || ended_->error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
      return absl::OkStatus();
    }
    return client::CallError(*ended_, server_);
  }

 private:
  MessageStream(const client::Connection& connection, Keep keep, Start start, int event)
      : server_(connection.server()), keep_(keep), event_(event), start_(std::move(start)) {
    context_.set_deadline(absl::ToChronoTime(absl::Now() + kStreamLength));
    start_(connection.channel(), &context_, this);
  }

  // Whether reading waits for room; the caller ends that. gRPC may call this object from within its
  // own functions, so none of them is called with the mutex.
  bool TakePause() {
    MutexLock lock(mutex_);
    return std::exchange(paused_, false);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    {
      MutexLock lock(mutex_);
      if (keep_ == Keep::kNewest) waiting_.clear();
      waiting_.push_back(std::move(reading_));
      reading_.Clear();
      eventfd_write(event_, 1);
      if (waiting_.size() >= kMostWaiting) {
        // Take goes on, in a thread that is not gRPC's: without the hold the call could end
        // between.
        this->AddHold();
        paused_ = true;
        return;
      }
    }
    this->StartRead(&reading_);
  }

  // The last that gRPC does with this object. It may go as soon as the mutex is free.
  void OnDone(const grpc::Status& status) override {
    MutexLock lock(mutex_);
    ended_ = status;
    eventfd_write(event_, 1);
    done_.notify_all();
  }

  const std::string server_;
  const Keep keep_;
  const int event_;
  const Start start_;
  grpc::ClientContext context_;
  Message reading_;  // gRPC's between StartRead and OnReadDone
  Mutex mutex_;
  ConditionVariable done_;
  std::deque<Message> waiting_ ABSL_GUARDED_BY(mutex_);
  bool paused_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<grpc::Status> ended_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::agent

#endif  // HOURGLASS_TOOLS_AGENT_MESSAGE_STREAM_H_
