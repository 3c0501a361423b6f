#include "issuance/services/access/decision_watch.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "ca/encoding/digest.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/calls/call_bounds.h"
#include "issuance/calls/malformed_message.h"
#include "issuance/decisions/event_cursor.h"
#include "issuance/decisions/live_certificates.h"
#include "issuance/identity/methods.h"
#include "issuance/services/access/decision_mapper.h"
#include "issuance/timekeeping/deciding_time.h"
#include "issuance/wire/status_detail.h"

namespace hourglass::issuance {
namespace {

constexpr absl::string_view kWatchDecisions = "WatchDecisions";
constexpr int kMostReadTogether = 20;

grpc::Status Stopping() {
  return ToGrpcStatus(Error(ErrorReason::kStopping, "", "the service is stopping"));
}

grpc::Status CallerIsGone() {
  return grpc::Status(grpc::StatusCode::CANCELLED, "the caller is gone");
}

}  // namespace

absl::StatusOr<v1::DecisionEvent> Told(const DecisionSources& sources, const DecisionEvent& event) {
  v1::DecisionEvent proto = ToProto(event);
  // What is live is not told by a clock that leapt, and a block is told all the same.
  const absl::StatusOr<Timestamp> now = DecidingTime(*sources.clock);
  if (!now.ok()) return proto;
  ASSIGN_OR_RETURN(const ConcernedCertificates concerned,
                   CertificatesConcerned(*sources.journal, event, *now));
  proto.set_certificates_complete(concerned.is_complete);
  std::map<std::string, std::string> roots;  // their hashes, by id
  for (const JournalRecord& record : concerned.records) {
    const auto [root, is_new] = roots.try_emplace(record.intent.root_id);
    if (is_new) {
      ASSIGN_OR_RETURN(const RootRecord found,
                       sources.tenants->GetRoot(event.tenant_id, record.intent.root_id));
      root->second = ca::Sha256(found.certificate);
    }
    *proto.add_certificates() = ToProto(record, root->second);
  }
  return proto;
}

// Does one thing at a time, `doing_`, and whoever ends that says what is next: so gRPC is asked one
// thing at a time, nothing after Finish, and a stream is not done while a thread of the pool has
// it. What comes meanwhile is noted, once. Shared with who is about to wake it, who may come late.
class DecisionWatches::Watch final : public Reactor {
 public:
  Watch(DecisionWatches* watches, grpc::CallbackServerContext* context)
      : watches_(watches), context_(context), call_(watches->calls_->Follow(*context)) {}

  void Start(std::shared_ptr<Watch> self, const Request& asked);
  // There may be more events.
  void Wake() {
    Change([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { is_due_ = true; });
  }
  void Stop() { End(Stopping()); }

  void OnWriteDone(bool ok) override;
  void OnCancel() override { End(CallerIsGone()); }
  void OnDone() override;

 private:
  enum class Doing { kNothing, kLooking, kSending, kFinishing };

  absl::Status MayBegin(const Request& asked);
  void Refuse(const absl::Status& refusal);
  // When nothing is being done the stream ends with `status`, unless another end came first.
  void End(grpc::Status status);
  // Has a thread of the pool do it. False where no more calls of the caller may wait.
  bool Queue(std::function<void()> call);
  void QueueLook();
  void Look();
  // Whether there is an event to be sent, which is in answer_ then.
  absl::StatusOr<bool> FindNext();
  absl::Status FindStart();

  // Runs `change` with mutex_ held, and begins what is to be done then; the stream may be gone when
  // it returns, unless the caller shares it.
  void Change(absl::FunctionRef<void()> change) ABSL_LOCKS_EXCLUDED(mutex_);
  Doing Next() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  DecisionWatches* const watches_;
  grpc::CallbackServerContext* const context_;
  OpenCalls::Call call_;
  const Caller* caller_ = nullptr;
  std::string tenant_id_;
  CallBounds::Ticket ticket_;
  std::shared_ptr<Watch> self_;

  // Of whoever looks, and then gRPC's until it is sent.
  v1::DecisionEvent answer_;
  std::string cursor_;                 // as the caller named it
  std::optional<std::uint64_t> sent_;  // the last event, or the one of the cursor
  std::deque<DecisionEvent> next_;     // those that were read together

  Mutex mutex_;
  Doing doing_ ABSL_GUARDED_BY(mutex_) = Doing::kNothing;
  bool is_due_ ABSL_GUARDED_BY(mutex_) = false;
  bool has_answer_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
};

void DecisionWatches::Watch::Start(std::shared_ptr<Watch> self, const Request& asked) {
  self_ = self;
  const absl::Status begun = MayBegin(asked);
  if (!begun.ok()) return Refuse(begun);
  tenant_id_ = asked.message.tenant_id();
  cursor_ = asked.message.cursor();
  if (!watches_->Add(tenant_id_, std::move(self))) return Stop();
  // After it was added: an event of before is seen, and one of after is looked for.
  Wake();
}

absl::Status DecisionWatches::Watch::MayBegin(const Request& asked) {
  CallRunner& calls = *watches_->calls_;
  ASSIGN_OR_RETURN(caller_, calls.Identify(*context_));
  if (!asked.is_sound) {
    if (context_->IsCancelled()) return absl::CancelledError("given up before its message came");
    return MalformedMessage(v1::WatchDecisionsRequest::descriptor()->name());
  }
  RETURN_IF_ERROR(Permit(*caller_, MethodNamed(kWatchDecisions), asked.message.tenant_id()));
  ASSIGN_OR_RETURN(ticket_, calls.bounds().BeginWatch(caller_->name));
  return absl::OkStatus();
}

void DecisionWatches::Watch::Refuse(const absl::Status& refusal) {
  if (!absl::IsCancelled(refusal)) {
    watches_->calls_->LogFailure(*context_, kWatchDecisions, caller_, refusal);
  }
  call_.Refuse();
  End(FailureOf(refusal, {}));
}

void DecisionWatches::Watch::End(grpc::Status status) {
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!end_.has_value()) end_ = std::move(status);
  });
}

DecisionWatches::Watch::Doing DecisionWatches::Watch::Next() {
  if (doing_ != Doing::kNothing) return Doing::kNothing;
  if (end_.has_value()) {
    doing_ = Doing::kFinishing;
  } else if (std::exchange(has_answer_, false)) {
    doing_ = Doing::kSending;
  } else if (std::exchange(is_due_, false)) {
    doing_ = Doing::kLooking;
  }
  return doing_;
}

void DecisionWatches::Watch::Change(absl::FunctionRef<void()> change) {
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
      return StartWrite(&answer_);
    case Doing::kFinishing:
      return Finish(end);
  }
}

bool DecisionWatches::Watch::Queue(std::function<void()> call) {
  return watches_->calls_->Queue(*caller_, MethodNamed(kWatchDecisions), std::move(call));
}

void DecisionWatches::Watch::QueueLook() {
  if (Queue([this] { Look(); })) return;
  const absl::Status refusal =
      Error(ErrorReason::kOverloaded, "", "more calls are waiting than the service takes");
  watches_->calls_->LogFailure(*context_, kWatchDecisions, caller_, refusal);
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    doing_ = Doing::kNothing;
    if (!end_.has_value()) end_ = FailureOf(refusal, {});
  });
}

void DecisionWatches::Watch::Look() {
  const absl::StatusOr<bool> found = FindNext();
  if (!found.ok() && !absl::IsCancelled(found.status())) {
    watches_->calls_->LogFailure(*context_, kWatchDecisions, caller_, found.status());
  }
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    doing_ = Doing::kNothing;
    has_answer_ = found.ok() && *found;
    if (!found.ok() && !end_.has_value()) end_ = FailureOf(found.status(), {});
  });
}

absl::Status DecisionWatches::Watch::FindStart() {
  const DecisionSources& sources = watches_->sources_;
  RETURN_IF_ERROR(sources.tenants->GetTenant(tenant_id_).status());
  sent_ = 0;
  if (cursor_.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(sent_, SequenceAt(*sources.decisions, tenant_id_, cursor_));
  return absl::OkStatus();
}

absl::StatusOr<bool> DecisionWatches::Watch::FindNext() {
  CallRunner& calls = *watches_->calls_;
  const DecisionSources& sources = watches_->sources_;
  if (context_->IsCancelled()) return absl::CancelledError("the caller is gone");
  // What was sound when the stream began need not be so now.
  RETURN_IF_ERROR(calls.Identify(*context_).status());
  if (!sent_.has_value()) RETURN_IF_ERROR(FindStart());
  if (next_.empty()) {
    ASSIGN_OR_RETURN(std::vector<DecisionEvent> events,
                     sources.decisions->ListEvents(tenant_id_, *sent_, kMostReadTogether));
    next_.assign(std::make_move_iterator(events.begin()), std::make_move_iterator(events.end()));
  }
  if (next_.empty()) return false;
  if (!calls.bounds().HasRoom(caller_->name)) {
    return Error(ErrorReason::kOverloaded, "", "too many answers are not read");
  }
  ASSIGN_OR_RETURN(answer_, Told(sources, next_.front()));
  sent_ = next_.front().sequence;
  next_.pop_front();
  ticket_.Hold(answer_.ByteSizeLong());
  return true;
}

void DecisionWatches::Watch::OnWriteDone(bool ok) {
  // Clear() would keep the memory, for months.
  v1::DecisionEvent().Swap(&answer_);
  ticket_.Hold(0);
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    doing_ = Doing::kNothing;
    is_due_ = true;
    if (!ok && !end_.has_value()) end_ = CallerIsGone();
  });
}

void DecisionWatches::Watch::OnDone() {
  watches_->Remove(tenant_id_, self_);
  call_ = OpenCalls::Call();
  // The end of the last call may be the end of whoever counts them: after all else is gone. Only
  // who came to wake it may share it still, and finds that nothing is to be done.
  const CallBounds::Ticket last = std::move(ticket_);
  self_.reset();
}

DecisionWatches::DecisionWatches(CallRunner* calls, const DecisionSources& sources)
    : calls_(calls), sources_(sources), looking_(std::chrono::seconds(1), [this] { Look(); }) {}

DecisionWatches::Reactor* DecisionWatches::Open(grpc::CallbackServerContext* context,
                                                const Request& asked) {
  auto watch = std::make_shared<Watch>(this, context);
  watch->Start(watch, asked);
  return watch.get();
}

void DecisionWatches::Stop() {
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

void DecisionWatches::Look() {
  {
    const MutexLock lock(mutex_);
    if (open_.empty()) return;
  }
  // Where it fails the streams fail too, when they have something to look for.
  const auto newest = sources_.decisions->NewestEvents();
  if (!newest.ok()) return;
  std::vector<std::shared_ptr<Watch>> woken;
  {
    const MutexLock lock(mutex_);
    for (const auto& [tenant_id, watches] : open_) {
      const auto found = newest->find(tenant_id);
      if (found == newest->end() || newest_[tenant_id] == found->second) continue;
      woken.insert(woken.end(), watches.begin(), watches.end());
    }
  }
  newest_ = *newest;
  for (const std::shared_ptr<Watch>& watch : woken) watch->Wake();
}

bool DecisionWatches::Add(const std::string& tenant_id, std::shared_ptr<Watch> watch) {
  const MutexLock lock(mutex_);
  if (!stopping_) open_[tenant_id].insert(std::move(watch));
  return !stopping_;
}

void DecisionWatches::Remove(const std::string& tenant_id, const std::shared_ptr<Watch>& watch) {
  const MutexLock lock(mutex_);
  const auto found = open_.find(tenant_id);
  if (found == open_.end()) return;
  found->second.erase(watch);
  if (found->second.empty()) open_.erase(found);
}

}  // namespace hourglass::issuance
