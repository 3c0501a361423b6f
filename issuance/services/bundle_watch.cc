#include "issuance/services/bundle_watch.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/calls/call_bounds.h"
#include "issuance/calls/malformed_message.h"
#include "issuance/identity/methods.h"
#include "issuance/wire/status_detail.h"

namespace hourglass::issuance {
namespace {

constexpr absl::string_view kWatchTrustBundle = "WatchTrustBundle";

grpc::Status Stopping() {
  return ToGrpcStatus(Error(ErrorReason::kStopping, "", "the service is stopping"));
}

grpc::Status CallerIsGone() {
  return grpc::Status(grpc::StatusCode::CANCELLED, "the caller is gone");
}

}  // namespace

v1::TrustBundle ToProto(const SignedTrustBundle& bundle) {
  v1::TrustBundle proto;
  proto.set_tenant_id(bundle.tenant_id);
  proto.set_version(bundle.version);
  for (const std::string& root : bundle.roots) proto.add_roots(root);
  proto.set_document(bundle.document);
  for (const ca::BundleSignature& signature : bundle.signatures) {
    v1::BundleSignature& added = *proto.add_signatures();
    added.set_root_sha256(signature.root_sha256);
    added.set_signature(signature.signature);
  }
  return proto;
}

// Does one thing at a time, `doing_`, and whoever ends that says what is next: so gRPC is asked one
// thing at a time, nothing after Finish, and a stream is not done while a thread of the pool has
// it. What comes meanwhile is noted, once. Shared with who is about to wake it, who may come late.
class BundleWatches::Watch final : public Reactor {
 public:
  Watch(BundleWatches* watches, grpc::CallbackServerContext* context)
      : watches_(watches), context_(context), call_(watches->calls_->Follow(*context)) {}

  void Start(std::shared_ptr<Watch> self, const Request& asked);
  // There may be another bundle.
  void Wake() {
    Change([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { is_due_ = true; });
  }
  void Stop() { End(Stopping()); }

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
  void Note();
  // Whether there is a bundle to be sent, which is in answer_ then.
  absl::StatusOr<bool> FindNext();

  // Runs `change` with mutex_ held, and begins what is to be done then; the stream may be gone when
  // it returns, unless the caller shares it.
  void Change(absl::FunctionRef<void()> change) ABSL_LOCKS_EXCLUDED(mutex_);
  Doing Next() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  BundleWatches* const watches_;
  grpc::CallbackServerContext* const context_;
  OpenCalls::Call call_;
  const Caller* caller_ = nullptr;
  std::string tenant_id_;
  CallBounds::Ticket ticket_;
  std::shared_ptr<Watch> self_;

  // Of whoever looks, and then gRPC's until it is sent.
  v1::TrustBundle answer_;
  std::optional<std::uint64_t> sent_version_;
  std::size_t sent_signatures_ = 0;

  Mutex mutex_;
  Doing doing_ ABSL_GUARDED_BY(mutex_) = Doing::kNothing;
  bool is_due_ ABSL_GUARDED_BY(mutex_) = false;
  bool has_answer_ ABSL_GUARDED_BY(mutex_) = false;
  bool has_sent_ ABSL_GUARDED_BY(mutex_) = false;  // what is not noted yet
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
};

void BundleWatches::Watch::Start(std::shared_ptr<Watch> self, const Request& asked) {
  self_ = self;
  const absl::Status begun = MayBegin(asked);
  if (!begun.ok()) return Refuse(begun);
  tenant_id_ = asked.message.tenant_id();
  if (!watches_->Add(tenant_id_, std::move(self))) return Stop();
  // After it was added: a change of before is seen, and one of after is told of.
  Wake();
}

absl::Status BundleWatches::Watch::MayBegin(const Request& asked) {
  CallRunner& calls = *watches_->calls_;
  ASSIGN_OR_RETURN(caller_, calls.Identify(*context_));
  if (!asked.is_sound) {
    if (context_->IsCancelled()) return absl::CancelledError("given up before its message came");
    return MalformedMessage(v1::WatchTrustBundleRequest::descriptor()->name());
  }
  RETURN_IF_ERROR(Permit(*caller_, MethodNamed(kWatchTrustBundle), asked.message.tenant_id()));
  ASSIGN_OR_RETURN(ticket_, calls.bounds().BeginWatch(caller_->name));
  return absl::OkStatus();
}

void BundleWatches::Watch::Refuse(const absl::Status& refusal) {
  if (!absl::IsCancelled(refusal)) {
    watches_->calls_->LogFailure(*context_, kWatchTrustBundle, caller_, refusal);
  }
  call_.Refuse();
  End(FailureOf(refusal, {}));
}

void BundleWatches::Watch::End(grpc::Status status) {
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!end_.has_value()) end_ = std::move(status);
  });
}

BundleWatches::Watch::Doing BundleWatches::Watch::Next() {
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

void BundleWatches::Watch::Change(absl::FunctionRef<void()> change) {
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
    case Doing::kNoting:
      return QueueNote();
    case Doing::kFinishing:
      return Finish(end);
  }
}

bool BundleWatches::Watch::Queue(std::function<void()> call) {
  return watches_->calls_->Queue(*caller_, MethodNamed(kWatchTrustBundle), std::move(call));
}

void BundleWatches::Watch::QueueLook() {
  if (Queue([this] { Look(); })) return;
  const absl::Status refusal =
      Error(ErrorReason::kOverloaded, "", "more calls are waiting than the service takes");
  watches_->calls_->LogFailure(*context_, kWatchTrustBundle, caller_, refusal);
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    doing_ = Doing::kNothing;
    if (!end_.has_value()) end_ = FailureOf(refusal, {});
  });
}

void BundleWatches::Watch::Look() {
  const absl::StatusOr<bool> found = FindNext();
  if (!found.ok() && !absl::IsCancelled(found.status())) {
    watches_->calls_->LogFailure(*context_, kWatchTrustBundle, caller_, found.status());
  }
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    doing_ = Doing::kNothing;
    has_answer_ = found.ok() && *found;
    if (!found.ok() && !end_.has_value()) end_ = FailureOf(found.status(), {});
  });
}

absl::StatusOr<bool> BundleWatches::Watch::FindNext() {
  CallRunner& calls = *watches_->calls_;
  if (context_->IsCancelled()) return absl::CancelledError("the caller is gone");
  // What was sound when the stream began need not be so now.
  RETURN_IF_ERROR(calls.Identify(*context_).status());
  ASSIGN_OR_RETURN(const std::shared_ptr<const SignedTrustBundle> bundle,
                   watches_->bundles_->Get(tenant_id_));
  if (sent_version_.has_value()) {
    // A root that could not sign that version may have done so since: whoever trusts no other root
    // waits for its signature.
    const bool has_gained =
        bundle->version == *sent_version_ && bundle->signatures.size() > sent_signatures_;
    if (bundle->version <= *sent_version_ && !has_gained) return false;
  }
  // It would be refused, and count as sent when somebody can sign it.
  if (!bundle->is_complete && bundle->signatures.empty()) {
    return Error(ErrorReason::kKeyUnavailable, "", "no root can sign the trust bundle now");
  }
  if (!calls.bounds().HasRoom(caller_->name)) {
    return Error(ErrorReason::kOverloaded, "", "too many answers are not read");
  }
  answer_ = ToProto(*bundle);
  sent_version_ = bundle->version;
  sent_signatures_ = bundle->signatures.size();
  ticket_.Hold(answer_.ByteSizeLong());
  return true;
}

void BundleWatches::Watch::OnWriteDone(bool ok) {
  // Clear() would keep the memory, for months.
  v1::TrustBundle().Swap(&answer_);
  ticket_.Hold(0);
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    doing_ = Doing::kNothing;
    has_sent_ = ok;
    if (!ok && !end_.has_value()) end_ = CallerIsGone();
  });
}

void BundleWatches::Watch::QueueNote() {
  if (Queue([this] { Note(); })) return;
  Change([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { doing_ = Doing::kNothing; });
}

void BundleWatches::Watch::Note() {
  watches_->fetches_->Note(*caller_, tenant_id_, *sent_version_);
  Change([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { doing_ = Doing::kNothing; });
}

void BundleWatches::Watch::OnDone() {
  watches_->Remove(tenant_id_, self_);
  call_ = OpenCalls::Call();
  // The end of the last call may be the end of whoever counts them: after all else is gone. Only
  // who came to wake it may share it still, and finds that nothing is to be done.
  const CallBounds::Ticket last = std::move(ticket_);
  self_.reset();
}

BundleWatches::BundleWatches(CallRunner* calls, TrustBundles* bundles, TenantStore* tenants,
                             const BundleFetches* fetches)
    : calls_(calls),
      bundles_(bundles),
      fetches_(fetches),
      subscription_(
          tenants->changes().Subscribe([this](absl::string_view tenant_id) { Wake(tenant_id); })) {}

BundleWatches::Reactor* BundleWatches::Open(grpc::CallbackServerContext* context,
                                            const Request& asked) {
  auto watch = std::make_shared<Watch>(this, context);
  watch->Start(watch, asked);
  return watch.get();
}

void BundleWatches::Stop() {
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

void BundleWatches::Wake(absl::string_view tenant_id) {
  std::vector<std::shared_ptr<Watch>> woken;
  {
    const MutexLock lock(mutex_);
    const auto found = open_.find(tenant_id);
    if (found == open_.end()) return;
    woken.assign(found->second.begin(), found->second.end());
  }
  for (const std::shared_ptr<Watch>& watch : woken) watch->Wake();
}

bool BundleWatches::Add(const std::string& tenant_id, std::shared_ptr<Watch> watch) {
  const MutexLock lock(mutex_);
  if (!stopping_) open_[tenant_id].insert(std::move(watch));
  return !stopping_;
}

void BundleWatches::Remove(const std::string& tenant_id, const std::shared_ptr<Watch>& watch) {
  const MutexLock lock(mutex_);
  const auto found = open_.find(tenant_id);
  if (found == open_.end()) return;
  found->second.erase(watch);
  if (found->second.empty()) open_.erase(found);
}

}  // namespace hourglass::issuance
