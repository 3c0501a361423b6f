#include "issuance/services/issue_stream.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "hourglass/v1/issuance.pb.h"
#include "hsm/base/error.h"
#include "issuance/calls/call_bounds.h"
#include "issuance/calls/read_message.h"
#include "issuance/pipeline/issue_task.h"
#include "issuance/wire/request_fields.h"
#include "issuance/wire/status_detail.h"

namespace hourglass::issuance {
namespace {

constexpr absl::string_view kIssueCertificates = "IssueCertificates";

grpc::Status Stopping() {
  return ToGrpcStatus(Error(ErrorReason::kStopping, "", "the service is stopping"));
}

}  // namespace

// Who changes what the stream knows also does what is to be done now, unless another thread is at
// it: that one looks again. So gRPC is asked one thing at a time, and nothing after Finish.
class IssueStreams::Stream final : public Reactor {
 public:
  Stream(IssueStreams* streams, grpc::CallbackServerContext* context)
      : streams_(streams), context_(context), call_(streams->calls_->Follow(*context)) {}

  void Start();
  void Stop() { End(Stopping()); }

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  class Message;

  // Nothing more is read, and when all is answered the stream ends with `status`, unless another
  // end came first.
  void End(grpc::Status status);
  void Refuse(const absl::Status& refusal);
  void HandIn(std::unique_ptr<Message> message);
  void Answer(std::unique_ptr<Message> message);

  // Runs `change` with mutex_ held, and does what is to be done then; the stream may be gone when
  // it returns.
  void Change(absl::FunctionRef<void()> change) ABSL_LOCKS_EXCLUDED(mutex_);

  void DropAnswers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayRead() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayFinish() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return end_.has_value() && under_way_ == 0;
  }
  // Takes the next answer, to be written; it stays until it is.
  const grpc::ByteBuffer* NextAnswer(grpc::WriteOptions* options)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  IssueStreams* const streams_;
  grpc::CallbackServerContext* const context_;
  OpenCalls::Call call_;
  const Caller* caller_ = nullptr;
  std::string certificate_sha256_;  // of the caller
  CallBounds::Ticket ticket_;
  grpc::ByteBuffer read_;  // gRPC's while reading_

  Mutex mutex_;
  int under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  bool acting_ ABSL_GUARDED_BY(mutex_) = false;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool caller_is_gone_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::unique_ptr<Message>> answers_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Message> writing_ ABSL_GUARDED_BY(mutex_);
};

// A request, and then its answer. Its own while a lane has it.
class IssueStreams::Stream::Message final : public IssueTask {
 public:
  explicit Message(Stream* stream) : stream_(stream) {
    caller = stream->caller_;
    caller_certificate_sha256 = stream->certificate_sha256_;
    request = &asked_;
    response = answer_.mutable_issued();
  }

  // Takes the octets; false where they are no such message.
  bool Parse(grpc::ByteBuffer* octets) {
    ticket_ = stream_->streams_->calls_->bounds().Take(caller->name, octets->Length());
    return ReadMessage(octets, &asked_);
  }

  // Of the answer, once it is concluded.
  const grpc::ByteBuffer* octets() const { return &octets_; }

  bool CallerIsGone() const override { return stream_->context_->IsCancelled(); }

  void Finished() override {
    Conclude(stream_->streams_->desk_->HandOut(*this, *stream_->context_, kIssueCertificates));
    stream_->Answer(std::unique_ptr<Message>(this));
  }

  void Conclude(const grpc::Status& outcome) {
    // What is no id is not said again: it may be as long as a message.
    if (CheckTenantId(asked_.tenant_id()).ok()) answer_.set_tenant_id(asked_.tenant_id());
    if (CheckId(asked_.request_id(), kMaxRequestIdSize, "request_id").ok()) {
      answer_.set_request_id(asked_.request_id());
    }
    if (!outcome.ok()) *answer_.mutable_refused() = ToRpcStatus(outcome);
    bool own_buffer = false;
    grpc::SerializationTraits<v1::IssueCertificatesResponse>::Serialize(answer_, &octets_,
                                                                        &own_buffer);
    ticket_.Hold(octets_.Length());
    // Only the octets are left to be sent. Clear() would keep the memory.
    v1::IssueCertificateRequest().Swap(&asked_);
    v1::IssueCertificatesResponse().Swap(&answer_);
  }

 private:
  Stream* const stream_;
  CallBounds::Ticket ticket_;
  v1::IssueCertificateRequest asked_;
  v1::IssueCertificatesResponse answer_;
  grpc::ByteBuffer octets_;
};

void IssueStreams::Stream::Start() {
  CallRunner& calls = *streams_->calls_;
  const absl::StatusOr<const Caller*> identified = calls.Identify(*context_, &certificate_sha256_);
  if (!identified.ok()) return Refuse(identified.status());
  caller_ = *identified;
  absl::StatusOr<CallBounds::Ticket> begun = calls.bounds().BeginStream(caller_->name);
  if (!begun.ok()) return Refuse(begun.status());
  ticket_ = *std::move(begun);
  if (!streams_->Add(this)) return End(Stopping());
  Change([] {});
}

void IssueStreams::Stream::Refuse(const absl::Status& refusal) {
  streams_->calls_->LogFailure(*context_, kIssueCertificates, caller_, refusal);
  call_.Refuse();
  End(FailureOf(refusal, {}));
}

bool IssueStreams::Stream::MayRead() const {
  if (end_.has_value() || reading_ || under_way_ >= kMaxUnderWay) return false;
  // With none under way nothing would make it look again.
  return under_way_ == 0 || streams_->calls_->bounds().HasRoom(caller_->name);
}

void IssueStreams::Stream::End(grpc::Status status) {
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!end_.has_value()) end_ = std::move(status);
  });
}

void IssueStreams::Stream::OnReadDone(bool ok) {
  if (!ok) return End(grpc::Status::OK);
  auto message = std::make_unique<Message>(this);
  if (!message->Parse(&read_)) {
    return End(streams_->desk_->RefuseMalformed(caller_, *context_, kIssueCertificates));
  }
  // What was sound when the stream began need not be so now.
  const absl::StatusOr<const Caller*> identified = streams_->calls_->Identify(*context_);
  if (!identified.ok()) {
    streams_->calls_->LogFailure(*context_, kIssueCertificates, caller_, identified.status());
    return End(FailureOf(identified.status(), {}));
  }
  {
    const MutexLock lock(mutex_);
    // Read while the stream ended: it may be finished, and waits for nothing that begins now.
    if (end_.has_value()) return;
    ++under_way_;
  }
  HandIn(std::move(message));
  Change([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { reading_ = false; });
}

void IssueStreams::Stream::HandIn(std::unique_ptr<Message> message) {
  const std::optional<grpc::Status> refusal =
      streams_->desk_->HandIn(message.get(), *context_, kIssueCertificates);
  if (!refusal.has_value()) {
    // Comes back by Finished.
    static_cast<void>(message.release());
    return;
  }
  message->Conclude(*refusal);
  Answer(std::move(message));
}

void IssueStreams::Stream::Answer(std::unique_ptr<Message> message) {
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    answers_.push_back(std::move(message));
    if (caller_is_gone_) DropAnswers();
  });
}

void IssueStreams::Stream::OnWriteDone(bool ok) {
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    writing_.reset();
    --under_way_;
    if (!ok) DropAnswers();
  });
}

void IssueStreams::Stream::OnCancel() {
  Change([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { DropAnswers(); });
}

void IssueStreams::Stream::DropAnswers() {
  caller_is_gone_ = true;
  if (!end_.has_value()) end_ = grpc::Status(grpc::StatusCode::CANCELLED, "the caller is gone");
  under_way_ -= static_cast<int>(answers_.size());
  answers_.clear();
}

void IssueStreams::Stream::Change(absl::FunctionRef<void()> change) {
  MutexLock lock(mutex_);
  change();
  if (acting_) return;
  acting_ = true;
  for (;;) {
    if (writing_ == nullptr && !answers_.empty()) {
      grpc::WriteOptions options;
      const grpc::ByteBuffer* const octets = NextAnswer(&options);
      lock.unlock();
      StartWrite(octets, options);
    } else if (MayRead()) {
      reading_ = true;
      lock.unlock();
      StartRead(&read_);
    } else if (MayFinish()) {
      // Nobody acts after this one.
      const grpc::Status end = *end_;
      lock.unlock();
      return Finish(end);
    } else {
      acting_ = false;
      return;
    }
    lock.lock();
  }
}

const grpc::ByteBuffer* IssueStreams::Stream::NextAnswer(grpc::WriteOptions* options) {
  writing_ = std::move(answers_.front());
  answers_.pop_front();
  // The last of those that is ready takes them all to the caller.
  if (!answers_.empty()) options->set_buffer_hint();
  return writing_->octets();
}

void IssueStreams::Stream::OnDone() {
  streams_->Remove(this);
  // The end of the last call may be the end of whoever counts them: after all else is gone.
  const CallBounds::Ticket last = std::move(ticket_);
  delete this;
}

IssueStreams::Reactor* IssueStreams::Open(grpc::CallbackServerContext* context) {
  auto* const stream = new Stream(this, context);
  stream->Start();
  return stream;
}

void IssueStreams::Stop() {
  const MutexLock lock(mutex_);
  stopping_ = true;
  for (Stream* stream : open_) stream->Stop();
}

bool IssueStreams::Add(Stream* stream) {
  const MutexLock lock(mutex_);
  if (!stopping_) open_.insert(stream);
  return !stopping_;
}

void IssueStreams::Remove(Stream* stream) {
  const MutexLock lock(mutex_);
  open_.erase(stream);
}

}  // namespace hourglass::issuance
