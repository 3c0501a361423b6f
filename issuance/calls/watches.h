// Streams that a server sends for months: what is to be sent next is found when somebody says that
// there may be more.
#ifndef HOURGLASS_ISSUANCE_CALLS_WATCHES_H_
#define HOURGLASS_ISSUANCE_CALLS_WATCHES_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "hsm/base/mutex.h"
#include "hsm/base/status_macros.h"
#include "issuance/calls/call_bounds.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/malformed_message.h"
#include "issuance/calls/unary_service.h"
#include "issuance/identity/methods.h"
#include "issuance/wire/status_detail.h"

namespace hourglass::issuance {

// What one stream sends. Asked on a thread of the pool, for one thing at a time.
template <typename Answer>
class WatchSource {
 public:
  virtual ~WatchSource() = default;

  // Whether there is something to be sent now. An error ends the stream.
  virtual absl::StatusOr<bool> HasNext() = 0;
  // Takes it. An error ends the stream.
  virtual absl::StatusOr<Answer> TakeNext() = 0;

  // Whether there may be more at once when one was sent, without anybody saying so.
  virtual bool MayHaveMore() const = 0;
  // Whether Note is to be called for each that gRPC has written.
  virtual bool NotesWhatIsSent() const = 0;
  // Before the stream ends; not where no more calls of the caller may wait.
  virtual void Note() {}
};

// The open streams of one method, by the tenant that their first and only message asks for. Has no
// thread: what may block is done in turn with the other calls of who watches. Safe to call from
// several threads.
template <typename Question, typename Answer>
class Watches {
 public:
  using Request = Asked<Question>;
  using Reactor = grpc::ServerWriteReactor<Answer>;
  using Source = WatchSource<Answer>;
  using MakeSource = std::function<std::unique_ptr<Source>(const Caller&, const Question&)>;

  // `method` is the name of one of Methods(). All must outlive this object, and that every stream.
  Watches(CallRunner* calls, absl::string_view method, MakeSource make_source)
      : calls_(calls), method_(method), make_source_(std::move(make_source)) {}
  Watches(const Watches&) = delete;
  Watches& operator=(const Watches&) = delete;

  // The stream keeps itself until it is done. It ends with an error and never with OK:
  // CallRunner::Identify, which is asked before each answer; FIELD_INVALID for a message that is
  // none; those of Permit and of the source; OVERLOADED where there are as many as CallLimits has,
  // where more of the caller's calls wait than may, or where it reads nothing and holds as many
  // octets as it may; STOPPING; CANCELLED where the caller is gone. All but the last two are logged
  // and counted.
  Reactor* Open(grpc::CallbackServerContext* context, const Request& asked);

  // There may be more to send to who watches the tenant.
  void Wake(absl::string_view tenant_id);

  // The tenants that somebody watches.
  std::vector<std::string> Tenants() const;

  // Sends no more, and opens none: they end with STOPPING.
  void Stop();

 private:
  class Watch;
  using OfTenant = absl::flat_hash_set<std::shared_ptr<Watch>>;

  static grpc::Status CallerIsGone() {
    return grpc::Status(grpc::StatusCode::CANCELLED, "the caller is gone");
  }

  bool Add(const std::string& tenant_id, std::shared_ptr<Watch> watch);
  void Remove(const std::string& tenant_id, const std::shared_ptr<Watch>& watch);

  CallRunner* const calls_;
  const absl::string_view method_;
  const MakeSource make_source_;
  mutable Mutex mutex_;  // held while no watch is called
  absl::flat_hash_map<std::string, OfTenant> open_
      ABSL_GUARDED_BY(mutex_);  // by tenant, none empty
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

// Does one thing at a time, `doing_`, and whoever ends that says what is next: so gRPC is asked one
// thing at a time, nothing after Finish, and a stream is not done while a thread of the pool has
// it. What comes meanwhile is noted, once. Shared with who is about to wake it, who may come late.
template <typename Question, typename Answer>
class Watches<Question, Answer>::Watch final : public Reactor {
 public:
  Watch(Watches* watches, grpc::CallbackServerContext* context)
      : watches_(watches), context_(context), call_(watches->calls_->Follow(*context)) {}

  void Start(std::shared_ptr<Watch> self, const Request& asked);
  // There may be more.
  void Wake() {
    Change([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { is_due_ = true; });
  }
  void Stop() { End(ToGrpcStatus(Error(ErrorReason::kStopping, "", "the service is stopping"))); }

  void OnWriteDone(bool ok) override;
  void OnCancel() override { End(CallerIsGone()); }
  void OnDone() override;

 private:
  enum class Doing { kNothing, kLooking, kSending, kNoting, kFinishing };

  absl::Status MayBegin(const Request& asked);
  void Refuse(const absl::Status& refusal);
  // When nothing is being done the stream ends with `status`, unless another end came first.
  void End(grpc::Status status);
  // Has a thread of the pool do it. False where no more calls of the caller may wait.
  bool Queue(std::function<void()> call);
  void QueueLook();
  void Look();
  void QueueNote();
  // Whether there is something to be sent, which is in answer_ then.
  absl::StatusOr<bool> FindNext();

  // Runs `change` with mutex_ held, and begins what is to be done then; the stream may be gone when
  // it returns, unless the caller shares it.
  void Change(absl::FunctionRef<void()> change) ABSL_LOCKS_EXCLUDED(mutex_);
  Doing Next() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Watches* const watches_;
  grpc::CallbackServerContext* const context_;
  OpenCalls::Call call_;
  const Caller* caller_ = nullptr;
  std::string tenant_id_;
  CallBounds::Ticket ticket_;
  std::shared_ptr<Watch> self_;
  std::unique_ptr<Source> source_;  // of whoever looks
  Answer answer_;                   // of whoever looks, and then gRPC's until it is sent

  mutable Mutex mutex_;
  Doing doing_ ABSL_GUARDED_BY(mutex_) = Doing::kNothing;
  bool is_due_ ABSL_GUARDED_BY(mutex_) = false;
  bool has_answer_ ABSL_GUARDED_BY(mutex_) = false;
  bool has_sent_ ABSL_GUARDED_BY(mutex_) = false;  // what is not noted yet
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
};

template <typename Question, typename Answer>
void Watches<Question, Answer>::Watch::Start(std::shared_ptr<Watch> self, const Request& asked) {
  self_ = self;
  const absl::Status begun = MayBegin(asked);
  if (!begun.ok()) return Refuse(begun);
  tenant_id_ = asked.message.tenant_id();
  source_ = watches_->make_source_(*caller_, asked.message);
  if (!watches_->Add(tenant_id_, std::move(self))) return Stop();
  // After it was added: what is there by now is seen, and who has more later finds it.
  Wake();
}

template <typename Question, typename Answer>
absl::Status Watches<Question, Answer>::Watch::MayBegin(const Request& asked) {
  CallRunner& calls = *watches_->calls_;
  ASSIGN_OR_RETURN(caller_, calls.Identify(*context_));
  if (!asked.is_sound) {
    if (context_->IsCancelled()) return absl::CancelledError("given up before its message came");
    return MalformedMessage(Question::descriptor()->name());
  }
  RETURN_IF_ERROR(Permit(*caller_, MethodNamed(watches_->method_), asked.message.tenant_id()));
  ASSIGN_OR_RETURN(ticket_, calls.bounds().BeginWatch(caller_->name));
  return absl::OkStatus();
}

template <typename Question, typename Answer>
void Watches<Question, Answer>::Watch::Refuse(const absl::Status& refusal) {
  if (!absl::IsCancelled(refusal)) {
    watches_->calls_->LogFailure(*context_, watches_->method_, caller_, refusal);
  }
  call_.Refuse();
  End(FailureOf(refusal, {}));
}

template <typename Question, typename Answer>
void Watches<Question, Answer>::Watch::End(grpc::Status status) {
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!end_.has_value()) end_ = std::move(status);
  });
}

template <typename Question, typename Answer>
typename Watches<Question, Answer>::Watch::Doing Watches<Question, Answer>::Watch::Next() {
  if (doing_ != Doing::kNothing) return Doing::kNothing;
  // First: also who has hung up since has been sent it.
  if (std::exchange(has_sent_, false)) {
    doing_ = Doing::kNoting;
  } else if (end_.has_value()) {
    doing_ = Doing::kFinishing;
  } else if (std::exchange(has_answer_, false)) {
    doing_ = Doing::kSending;
  } else if (std::exchange(is_due_, false)) {
    doing_ = Doing::kLooking;
  }
  return doing_;
}

template <typename Question, typename Answer>
void Watches<Question, Answer>::Watch::Change(absl::FunctionRef<void()> change) {
  Doing next = Doing::kNothing;
  grpc::Status end;
  {
    const MutexLock lock(mutex_);
    change();
    next = Next();
    if (next == Doing::kFinishing) end = *end_;
  }
  // Nobody else begins anything until this has ended.
  switch (next) {
    case Doing::kNothing:
      return;
    case Doing::kLooking:
      return QueueLook();
    case Doing::kSending:
      return this->StartWrite(&answer_);
    case Doing::kNoting:
      return QueueNote();
    case Doing::kFinishing:
      return this->Finish(end);
  }
}

template <typename Question, typename Answer>
bool Watches<Question, Answer>::Watch::Queue(std::function<void()> call) {
  return watches_->calls_->Queue(*caller_, MethodNamed(watches_->method_), std::move(call));
}

template <typename Question, typename Answer>
void Watches<Question, Answer>::Watch::QueueLook() {
  if (Queue([this] { Look(); })) return;
  const absl::Status refusal =
      Error(ErrorReason::kOverloaded, "", "more calls are waiting than the service takes");
  watches_->calls_->LogFailure(*context_, watches_->method_, caller_, refusal);
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    doing_ = Doing::kNothing;
    if (!end_.has_value()) end_ = FailureOf(refusal, {});
  });
}

template <typename Question, typename Answer>
void Watches<Question, Answer>::Watch::Look() {
  const absl::StatusOr<bool> found = FindNext();
  if (!found.ok() && !absl::IsCancelled(found.status())) {
    watches_->calls_->LogFailure(*context_, watches_->method_, caller_, found.status());
  }
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    doing_ = Doing::kNothing;
    has_answer_ = found.ok() && *found;
    if (!found.ok() && !end_.has_value()) end_ = FailureOf(found.status(), {});
  });
}

template <typename Question, typename Answer>
absl::StatusOr<bool> Watches<Question, Answer>::Watch::FindNext() {
  CallRunner& calls = *watches_->calls_;
  if (context_->IsCancelled()) return absl::CancelledError("the caller is gone");
  // What was sound when the stream began need not be so now.
  RETURN_IF_ERROR(calls.Identify(*context_).status());
  ASSIGN_OR_RETURN(const bool has_next, source_->HasNext());
  if (!has_next) return false;
  if (!calls.bounds().HasRoom(caller_->name)) {
    return Error(ErrorReason::kOverloaded, "", "too many answers are not read");
  }
  ASSIGN_OR_RETURN(answer_, source_->TakeNext());
  ticket_.Hold(answer_.ByteSizeLong());
  return true;
}

template <typename Question, typename Answer>
void Watches<Question, Answer>::Watch::OnWriteDone(bool ok) {
  // Clear() would keep the memory, for months.
  Answer().Swap(&answer_);
  ticket_.Hold(0);
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    doing_ = Doing::kNothing;
    has_sent_ = ok && source_->NotesWhatIsSent();
    is_due_ = is_due_ || source_->MayHaveMore();
    if (!ok && !end_.has_value()) end_ = CallerIsGone();
  });
}

template <typename Question, typename Answer>
void Watches<Question, Answer>::Watch::QueueNote() {
  const auto noted = [this] {
    Change([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { doing_ = Doing::kNothing; });
  };
  const bool is_queued = Queue([this, noted] {
    source_->Note();
    noted();
  });
  if (!is_queued) noted();
}

template <typename Question, typename Answer>
void Watches<Question, Answer>::Watch::OnDone() {
  watches_->Remove(tenant_id_, self_);
  call_ = OpenCalls::Call();
  // The end of the last call may be the end of whoever counts them: after all else is gone. Only
  // who came to wake it may share it still, and finds that nothing is to be done.
  const CallBounds::Ticket last = std::move(ticket_);
  self_.reset();
}

template <typename Question, typename Answer>
typename Watches<Question, Answer>::Reactor* Watches<Question, Answer>::Open(
    grpc::CallbackServerContext* context, const Request& asked) {
  auto watch = std::make_shared<Watch>(this, context);
  watch->Start(watch, asked);
  return watch.get();
}

template <typename Question, typename Answer>
void Watches<Question, Answer>::Stop() {
  std::vector<std::shared_ptr<Watch>> all;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    for (const auto& [tenant_id, watches] : open_) {
      all.insert(all.end(), watches.begin(), watches.end());
    }
  }
  for (const std::shared_ptr<Watch>& watch : all) watch->Stop();
}

template <typename Question, typename Answer>
void Watches<Question, Answer>::Wake(absl::string_view tenant_id) {
  std::vector<std::shared_ptr<Watch>> woken;
  {
    const MutexLock lock(mutex_);
    const auto found = open_.find(tenant_id);
    if (found == open_.end()) return;
    woken.assign(found->second.begin(), found->second.end());
  }
  for (const std::shared_ptr<Watch>& watch : woken) watch->Wake();
}

template <typename Question, typename Answer>
std::vector<std::string> Watches<Question, Answer>::Tenants() const {
  const MutexLock lock(mutex_);
  std::vector<std::string> tenants;
  for (const auto& [tenant_id, watches] : open_) tenants.push_back(tenant_id);
  return tenants;
}

template <typename Question, typename Answer>
bool Watches<Question, Answer>::Add(const std::string& tenant_id, std::shared_ptr<Watch> watch) {
  const MutexLock lock(mutex_);
  if (!stopping_) open_[tenant_id].insert(std::move(watch));
  return !stopping_;
}

template <typename Question, typename Answer>
void Watches<Question, Answer>::Remove(const std::string& tenant_id,
                                       const std::shared_ptr<Watch>& watch) {
  const MutexLock lock(mutex_);
  const auto found = open_.find(tenant_id);
  if (found == open_.end()) return;
  found->second.erase(watch);
  if (found->second.empty()) open_.erase(found);
}

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CALLS_WATCHES_H_
