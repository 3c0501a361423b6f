#include "tests/chaos/administrator.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/tenants.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tests/history/expected_errors.h"
#include "tests/history/service/call_outcome.h"

namespace hourglass::chaos {
namespace {

using history::AdministrativeMethod;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kCallDeadline(8);
constexpr int kTries = 4;
constexpr double kTwiceAtOnce = 0.2;
// A year, so that no root comes near its end.
constexpr int kDurationSeconds = 365 * 86400;
// More are not made while there are so many to be promoted, or in all: a token is slow with many.
constexpr std::size_t kMostStaged = 3;
constexpr std::size_t kMostActive = 40;

std::vector<v1::Root> InState(const std::vector<v1::Root>& roots, v1::RootState state) {
  std::vector<v1::Root> found;
  std::copy_if(roots.begin(), roots.end(), std::back_inserter(found),
               [state](const v1::Root& root) { return root.state() == state; });
  return found;
}

bool IsEarlier(const v1::Root& a, const v1::Root& b) {
  const auto &one = a.state_since(), &other = b.state_since();
  return std::pair(one.seconds(), one.nanos()) < std::pair(other.seconds(), other.nanos());
}

template <typename Request>
Request RequestFor(const std::string& tenant_id, const std::string& root_id) {
  Request request;
  request.set_tenant_id(tenant_id);
  request.set_root_id(root_id);
  return request;
}

absl::Status Failed(absl::string_view what, absl::string_view why) {
  return Error(ErrorReason::kInternalError, "", absl::StrCat(what, ": ", why));
}

template <typename Outcome>
absl::Status StatusOf(absl::string_view what, const Outcome& outcome) {
  if (const auto* refused = std::get_if<history::Refused>(&outcome)) {
    return Failed(what, refused->message);
  }
  if (const auto* unanswered = std::get_if<history::Unanswered>(&outcome)) {
    return Failed(what, unanswered->message);
  }
  return absl::OkStatus();
}

}  // namespace

Administrator::Administrator(Options options)
    : options_(std::move(options)),
      chance_(options_.seed, 0),
      connections_(options_.cell, kAdministrator) {}

absl::Status Administrator::Prepare() {
  v1::CreateTenantRequest request;
  request.set_tenant_id(options_.tenant_id);
  v1::Tenant tenant;
  grpc::ClientContext context;
  const grpc::Status made =
      v1::TenantService::NewStub(connections_.To(0))->CreateTenant(&context, request, &tenant);
  if (!made.ok()) return Failed("the tenant is not made", made.error_message());
  RETURN_IF_ERROR(StatusOf("the first root is not made", CreateRoot()));
  // Where it was asked of two replicas at once a number may have been used up.
  const std::vector<v1::Root> staged = InState(ListRoots(), v1::STAGED);
  if (staged.empty()) return Failed("the first root", "is not there");
  RETURN_IF_ERROR(StatusOf("the first root is not promoted", Promote(staged.front().root_id())));
  MutexLock lock(mutex_);
  done_.clear();
  return absl::OkStatus();
}

int Administrator::done(AdministrativeMethod method) const {
  MutexLock lock(mutex_);
  const auto found = done_.find(method);
  return found == done_.end() ? 0 : found->second;
}

void Administrator::Run(Ending& ending) {
  while (!ending.HasBegun()) {
    ending.Await(chance_.Between(options_.pace / 2, options_.pace * 3 / 2));
    if (!ending.HasBegun()) Change();
  }
}

std::vector<v1::Root> Administrator::ListRoots() {
  v1::ListRootsRequest request;
  request.set_tenant_id(options_.tenant_id);
  v1::ListRootsResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
  const auto stub = v1::RootService::NewStub(connections_.To(chance_.Below(kReplicas)));
  // What has no answer has no roots.
  stub->ListRoots(&context, request, &response);
  return {response.roots().begin(), response.roots().end()};
}

void Administrator::Change() {
  const std::vector<v1::Root> roots = ListRoots();
  if (roots.empty()) return;
  const std::vector<v1::Root> staged = InState(roots, v1::STAGED);
  const std::vector<v1::Root> retiring = InState(roots, v1::RETIRING);
  if (staged.empty() && retiring.size() < kMostActive) {
    CreateRoot();
  } else {
    ChangeOneOf(staged, retiring);
  }
}

void Administrator::ChangeOneOf(const std::vector<v1::Root>& staged,
                                const std::vector<v1::Root>& retiring) {
  const int chance = chance_.Below(100);
  if (chance < 35 && !staged.empty()) {
    Promote(chance_.OneOf(staged).root_id());
  } else if (chance < 65 && !retiring.empty()) {
    RollBack(std::max_element(retiring.begin(), retiring.end(), &IsEarlier)->root_id());
  } else if (chance < 85 && !retiring.empty()) {
    Retire(chance_.OneOf(retiring).root_id());
  } else if (chance < 90 && staged.size() > 1) {
    Discard(chance_.OneOf(staged).root_id());
  } else if (staged.size() < kMostStaged && staged.size() + retiring.size() < kMostActive) {
    CreateRoot();
  }
}

Administrator::Outcome Administrator::CreateRoot() {
  v1::CreateRootRequest request;
  request.set_tenant_id(options_.tenant_id);
  request.mutable_duration()->set_seconds(kDurationSeconds);
  request.set_key_type(v1::EC_P256);
  request.set_issuing_sub_keys(options_.has_sub_keys);
  request.set_request_id(absl::StrCat("root-", ++created_));
  return Do(AdministrativeMethod::kCreateRoot, "", [&](auto& stub, auto* context, auto* root) {
    return stub.CreateRoot(context, request, root);
  });
}

Administrator::Outcome Administrator::Promote(const std::string& root_id) {
  auto request = RequestFor<v1::PromoteRootRequest>(options_.tenant_id, root_id);
  request.set_without_relying_parties(true);
  return Do(AdministrativeMethod::kPromoteRoot, root_id,
            [&](auto& stub, auto* context, auto* root) {
              return stub.PromoteRoot(context, request, root);
            });
}

Administrator::Outcome Administrator::RollBack(const std::string& root_id) {
  const auto request = RequestFor<v1::RollBackRootRequest>(options_.tenant_id, root_id);
  return Do(AdministrativeMethod::kRollBackRoot, root_id,
            [&](auto& stub, auto* context, auto* root) {
              return stub.RollBackRoot(context, request, root);
            });
}

Administrator::Outcome Administrator::Retire(const std::string& root_id) {
  const auto request = RequestFor<v1::MoveRootRequest>(options_.tenant_id, root_id);
  return Do(AdministrativeMethod::kRetireRoot, root_id, [&](auto& stub, auto* context, auto* root) {
    return stub.RetireRoot(context, request, root);
  });
}

Administrator::Outcome Administrator::Discard(const std::string& root_id) {
  const auto request = RequestFor<v1::MoveRootRequest>(options_.tenant_id, root_id);
  return Do(AdministrativeMethod::kDiscardRoot, root_id,
            [&](auto& stub, auto* context, auto* root) {
              return stub.DiscardRoot(context, request, root);
            });
}

Administrator::Outcome Administrator::Do(AdministrativeMethod method, const std::string& root_id,
                                         const Act& act) {
  Outcome outcome;
  for (int i = 0; i < kTries; ++i) {
    const int replica = chance_.Below(kReplicas);
    const auto channel = connections_.To(replica);
    std::optional<std::future<Outcome>> second;
    if (chance_.In(kTwiceAtOnce)) {
      const int other = (replica + 1 + chance_.Below(kReplicas - 1)) % kReplicas;
      second = std::async(std::launch::async, [&, other, to = connections_.To(other)] {
        return Call(other, to, method, root_id, act);
      });
    }
    outcome = Call(replica, channel, method, root_id, act);
    if (second.has_value()) {
      Outcome other = second->get();
      if (!std::holds_alternative<history::Changed>(outcome)) outcome = std::move(other);
    }
    const auto* const refused = std::get_if<history::Refused>(&outcome);
    const bool is_for_good = refused == nullptr || !history::IsRetryable(*refused);
    if (!std::holds_alternative<history::Unanswered>(outcome) && is_for_good) break;
  }
  if (std::holds_alternative<history::Changed>(outcome)) {
    MutexLock lock(mutex_);
    ++done_[method];
  }
  return outcome;
}

Administrator::Outcome Administrator::Call(int replica,
                                           const std::shared_ptr<grpc::Channel>& channel,
                                           AdministrativeMethod method, const std::string& root_id,
                                           const Act& act) const {
  const auto stub = v1::RootService::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
  v1::Root root;
  history::AdministrativeCall call;
  call.method = method;
  call.call = options_.recorder->Begin(options_.tenant_id, connections_.NameOf(replica));
  const grpc::Status status = act(*stub, &context, &root);
  call.root_id = root_id.empty() ? root.root_id() : root_id;
  call.outcome = history::OutcomeOf(status, root);
  Outcome outcome = call.outcome;
  const absl::Status written = options_.recorder->Write(std::move(call));
  if (written.ok()) return outcome;
  std::fprintf(stderr, "%s\n", std::string(written.message()).c_str());
  std::abort();
}

}  // namespace hourglass::chaos
