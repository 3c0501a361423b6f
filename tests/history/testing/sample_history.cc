#include "tests/history/testing/sample_history.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/history/expected_errors.h"
#include "tests/history/testing/sample_service.h"

namespace hourglass::history {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kReplicas = 3;
// Who has not heard of a promotion for so long is refused once more.
constexpr seconds kNewsDelay(60);

// What becomes of a call on its way.
enum class Fate { kAnswered, kAnswerLost, kLostOnTheWay, kLostInBetween, kOverloaded };

struct PlannedCall {
  IssueCall call;
  int replica = 0;
  Fate fate = Fate::kAnswered;
  Uptime intended{0};
  Uptime released{0};
  std::optional<std::size_t> record;
  bool is_last_before_kill = false;
};

struct PlannedChange {
  AdministrativeCall call;
  int replica = 0;
  Fate fate = Fate::kAnswered;
  Uptime done{0};
};

class Sampler {
 public:
  explicit Sampler(const SampleOptions& options)
      : options_(options), random_(options.seed), service_(options.seed, options.sub_keys) {}

  History Make() {
    PlanAdministration();
    for (int client = 1; client <= options_.clients; ++client) PlanClient(client);
    std::vector<std::pair<Uptime, std::function<void()>>> steps;
    for (PlannedCall& planned : calls_) {
      steps.emplace_back(planned.intended, [this, &planned] { Intend(planned); });
      steps.emplace_back(planned.released, [this, &planned] { Release(planned); });
    }
    for (PlannedChange& planned : changes_) {
      steps.emplace_back(planned.done, [this, &planned] { Change(planned); });
    }
    std::stable_sort(steps.begin(), steps.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [time, step] : steps) step();
    return Collect();
  }

 private:
  bool OneIn(int count) { return Below(count) == 0; }
  int Below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }
  Uptime UpTo(Uptime most) {
    return Uptime(std::uniform_int_distribution<std::int64_t>(1, most.count())(random_));
  }

  // A call that takes its time; the next one begins where it ends.
  Call PlanCall(const std::string& client, Uptime* now, int* replica) {
    *replica = Below(kReplicas);
    Call call;
    call.client = client;
    call.tenant_id = kSampleTenant;
    call.replica = absl::StrCat("127.0.0.", *replica + 1, ":8443");
    call.sent = *now;
    call.sent_at = SampleService::WallClock(1, *now);
    call.answered = *now + UpTo(OneIn(20) ? seconds(20) : milliseconds(400));
    *now = call.answered + UpTo(OneIn(10) ? Uptime(seconds(90)) : Uptime(milliseconds(900)));
    return call;
  }

  Fate DrawFate() {
    switch (Below(16)) {
      case 0:
        return Fate::kAnswerLost;
      case 1:
        return Fate::kLostOnTheWay;
      case 2:
        return Fate::kLostInBetween;
      case 3:
        return Fate::kOverloaded;
      default:
        return Fate::kAnswered;
    }
  }

  void PlanClient(int number) {
    const std::string client = absl::StrCat("broker-", number);
    // The administrator has made the first primary by then.
    Uptime now = Uptime(seconds(30)) + UpTo(seconds(1));
    for (int i = 0; i < options_.calls; ++i) {
      PlannedCall planned;
      planned.call.call = PlanCall(client, &now, &planned.replica);
      planned.fate = DrawFate();
      const Uptime length = planned.call.call.answered - planned.call.call.sent;
      planned.intended = planned.call.call.sent + UpTo(length);
      planned.released = planned.intended +
                         UpTo(planned.call.call.answered - planned.intended + Uptime(1)) -
                         Uptime(1);
      // Only some are killed, the second, the fourth and so on.
      planned.is_last_before_kill =
          options_.kills_clients && number % 2 == 0 && i + 1 == options_.calls;
      calls_.push_back(std::move(planned));
    }
  }

  void PlanAdministration() {
    Uptime now(seconds(1));
    for (int i = 0; i < options_.changes + 2; ++i) {
      PlannedChange planned;
      planned.call.call = PlanCall("administrator", &now, &planned.replica);
      if (i >= 2 && OneIn(8)) planned.fate = Fate::kAnswerLost;
      planned.done =
          planned.call.call.sent + UpTo(planned.call.call.answered - planned.call.call.sent);
      // The first two are to be over when clients begin.
      if (i < 2) {
        planned.call.call.sent = Uptime(seconds(1 + 2 * i));
        planned.done = planned.call.call.sent + Uptime(milliseconds(300));
        planned.call.call.answered = planned.call.call.sent + Uptime(milliseconds(500));
        now = Uptime(seconds(31));
      } else if (OneIn(5)) {
        now += seconds(400);  // all leaves have expired by then
      }
      changes_.push_back(std::move(planned));
    }
  }

  // One that was used before, or a new one.
  std::string DrawRequestId(const PlannedCall& planned) {
    if (!planned.is_last_before_kill && !used_.empty() && OneIn(4)) {
      return used_[static_cast<std::size_t>(Below(static_cast<int>(used_.size())))];
    }
    std::string request_id = absl::StrCat("request-", ++last_request_);
    // That of a call of which nobody will know is asked for by nobody else.
    if (!planned.is_last_before_kill) used_.push_back(request_id);
    return request_id;
  }

  void Intend(PlannedCall& planned) {
    IssueCall& call = planned.call;
    const bool is_late = planned.intended - service_.last_promotion() < kNewsDelay && OneIn(12);
    call.request_id = DrawRequestId(planned);
    call.outcome = Unanswered{"UNAVAILABLE", "Socket closed"};
    if (planned.fate == Fate::kLostOnTheWay) return;
    if (planned.fate == Fate::kOverloaded) {
      call.outcome = Refused{"RESOURCE_EXHAUSTED", "OVERLOADED", "too much waits"};
      return;
    }
    if (!is_late) {
      planned.record = service_.Intend(call.request_id, planned.replica, planned.intended);
    }
    if (!planned.record.has_value() && planned.fate == Fate::kAnswered) {
      call.outcome = Refused{"ABORTED", std::string(kPrimaryChanged), "ask again"};
    }
  }

  void Release(PlannedCall& planned) {
    if (!planned.record.has_value() || planned.fate == Fate::kLostInBetween) return;
    const std::optional<std::string> certificate =
        service_.Release(*planned.record, planned.replica, planned.released);
    if (planned.fate != Fate::kAnswered) return;
    if (certificate.has_value()) {
      planned.call.outcome = Received{*certificate};
    } else {
      planned.call.outcome = Refused{"ABORTED", std::string(kPrimaryChanged), "ask again"};
    }
  }

  // Some root of this state, or any.
  std::string DrawRoot(std::optional<ca::RootState> state) {
    std::vector<std::string> roots;
    for (const auto& [root_id, its] : service_.roots()) {
      if (!state.has_value() || its == *state) roots.push_back(root_id);
    }
    if (roots.empty()) return service_.primary();
    return roots[static_cast<std::size_t>(Below(static_cast<int>(roots.size())))];
  }

  std::pair<AdministrativeMethod, std::string> DrawChange() {
    if (service_.roots().empty()) return {AdministrativeMethod::kCreateRoot, ""};
    if (service_.primary().empty()) return {AdministrativeMethod::kPromoteRoot, "r1"};
    switch (Below(8)) {
      case 0:
      case 1:
      case 2:
        return {AdministrativeMethod::kCreateRoot, ""};
      case 3:
      case 4:
        return {AdministrativeMethod::kPromoteRoot, DrawRoot(ca::RootState::kStaged)};
      case 5:
        if (service_.primary_before().empty()) break;
        return {AdministrativeMethod::kRollBackRoot, service_.primary_before()};
      case 6:
        return {AdministrativeMethod::kDiscardRoot, DrawRoot(std::nullopt)};
      default:
        break;
    }
    return {AdministrativeMethod::kRetireRoot, DrawRoot(ca::RootState::kRetiring)};
  }

  static ca::RootMove MoveOf(AdministrativeMethod method) {
    if (method == AdministrativeMethod::kRetireRoot) return ca::RootMove::kRetire;
    if (method == AdministrativeMethod::kDiscardRoot) return ca::RootMove::kDiscard;
    if (method == AdministrativeMethod::kRollBackRoot) return ca::RootMove::kRollBack;
    return ca::RootMove::kPromote;
  }

  void Change(PlannedChange& planned) {
    AdministrativeCall& call = planned.call;
    std::tie(call.method, call.root_id) = DrawChange();
    std::optional<Changed> changed;
    if (call.method == AdministrativeMethod::kCreateRoot) {
      changed = service_.CreateRoot(planned.replica, planned.done);
      call.root_id = absl::StrCat("r", service_.roots().size());
    } else {
      changed = service_.Move(call.root_id, MoveOf(call.method), planned.replica, planned.done);
    }
    if (planned.fate == Fate::kAnswerLost) {
      call.outcome = Unanswered{"DEADLINE_EXCEEDED", "no answer in time"};
    } else if (changed.has_value()) {
      call.outcome = *changed;
    } else {
      call.outcome = Refused{"FAILED_PRECONDITION", "ROOT_MOVE_ILLEGAL", "not from there"};
    }
  }

  History Collect() {
    History history;
    history.logs_are_whole = !options_.kills_clients;
    for (PlannedCall& planned : calls_) {
      if (!planned.is_last_before_kill) history.issuing.push_back(std::move(planned.call));
    }
    for (PlannedChange& planned : changes_) {
      history.administration.push_back(std::move(planned.call));
    }
    history.tenants.push_back(service_.Tenant());
    return history;
  }

  const SampleOptions options_;
  std::mt19937 random_;
  SampleService service_;
  std::vector<PlannedCall> calls_;
  std::vector<PlannedChange> changes_;
  std::vector<std::string> used_;
  int last_request_ = 0;
};

}  // namespace

History MakeSampleHistory(const SampleOptions& options) { return Sampler(options).Make(); }

}  // namespace hourglass::history
