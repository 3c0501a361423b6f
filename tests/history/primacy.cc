#include "tests/history/primacy.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "ca/issuers/root_states.h"
#include "tests/history/history_in_words.h"

namespace hourglass::history {
namespace {

using ca::RootMove;
using ca::RootState;

struct Move {
  RootMove move;
  absl::string_view action;
};

// Which move these states mean, and what its action is called.
std::optional<Move> MoveBetween(RootState from, RootState to) {
  switch (to) {
    case RootState::kPrimary:
      if (from == RootState::kRetiring) return Move{RootMove::kRollBack, "root_rolled_back"};
      return Move{RootMove::kPromote, "root_promoted"};
    case RootState::kRetiring:
      return Move{RootMove::kDemote, "root_demoted"};
    case RootState::kRetired:
      return Move{RootMove::kRetire, "root_retired"};
    case RootState::kDiscarded:
      return Move{RootMove::kDiscard, "root_discarded"};
    case RootState::kStaged:
      break;
  }
  return std::nullopt;
}

struct ReplayedRoot {
  std::optional<RootState> state;  // empty before it was made
  ca::Time not_after = ca::kLastTime;
  std::optional<ca::Time> last_leaf_not_after;
  const RecordedRoot* record = nullptr;
};

class Replay {
 public:
  Replay(const TenantHistory& tenant, std::vector<Violation>* violations)
      : tenant_(tenant), violations_(violations) {
    for (const RecordedRoot& root : tenant.roots) {
      roots_[root.root_id] = {std::nullopt, root.not_after, std::nullopt, &root};
    }
    for (const RecordedCertificate& record : tenant.certificates) {
      const auto root = roots_.find(record.root_id);
      if (root == roots_.end()) continue;
      std::optional<ca::Time>& last = root->second.last_leaf_not_after;
      last = std::max(last.value_or(record.not_after), record.not_after);
    }
    epochs_.emplace_back();
    for (const RootAction& action : tenant.actions) in_order_.push_back(&action);
    std::stable_sort(
        in_order_.begin(), in_order_.end(),
        [](const RootAction* a, const RootAction* b) { return a->sequence < b->sequence; });
  }

  void Run() {
    for (const RootAction* action : in_order_) {
      if (last_ != nullptr && last_->sequence == action->sequence) {
        Report(Rule::kMoveIllegal, "two actions have one sequence number", *action, last_);
      }
      Do(*action);
      last_ = action;
    }
    if (demotion_ != nullptr) EndWithoutPrimary();
    CheckTenant();
  }

  std::vector<Epoch> TakeEpochs() { return std::move(epochs_); }
  // By its sequence.
  const std::vector<const RootAction*>& in_order() const { return in_order_; }
  // The epoch that the action began, or was done in.
  std::size_t EpochOf(const RootAction* action) const { return epoch_of_.at(action); }

 private:
  void Report(Rule rule, std::string what, const RootAction& action, const RootAction* other) {
    violations_->push_back({rule, std::move(what), Describe(tenant_, action),
                            other == nullptr ? "" : Describe(tenant_, *other)});
  }

  void Do(const RootAction& action) {
    const std::optional<RootState> to = ca::RootStateNamed(action.to_state);
    if (demotion_ != nullptr && (to != RootState::kPrimary || demotion_->at != action.at)) {
      EndWithoutPrimary();
    }
    ReplayedRoot& root = roots_[action.root_id];
    const absl::string_view state =
        root.state.has_value() ? ca::RootStateName(*root.state) : absl::string_view();
    if (state != action.from_state) {
      Report(Rule::kMoveIllegal,
             absl::StrCat("the root was ", state.empty() ? "not made" : state, " before"), action,
             last_of_root_[action.root_id]);
    }
    if (to.has_value()) {
      Enter(action, *to, root);
    } else {
      Report(Rule::kMoveIllegal, "there is no such state", action, nullptr);
      epoch_of_[&action] = epochs_.size() - 1;
    }
    last_of_root_[action.root_id] = &action;
  }

  void Enter(const RootAction& action, RootState to, ReplayedRoot& root) {
    if (action.from_state.empty() && to == RootState::kStaged) {
      if (action.action != "root_created") Report(Rule::kMoveIllegal, "misnamed", action, nullptr);
      ++revision_;
    } else {
      CheckMove(action, to, root);
    }
    root.state = to;
    if (to == RootState::kPrimary) {
      Promote(action);
    } else if (to == RootState::kRetiring) {
      demotion_ = &action;
      if (primary_ == action.root_id) primary_.clear();
    } else if (to != RootState::kStaged) {
      if (primary_ == action.root_id) primary_.clear();
      ++revision_;
    }
    // A demotion is the first half of the promotion that follows.
    epoch_of_[&action] = demotion_ != nullptr ? epochs_.size() : epochs_.size() - 1;
  }

  void CheckMove(const RootAction& action, RootState to, const ReplayedRoot& root) {
    const std::optional<RootState> from = ca::RootStateNamed(action.from_state);
    const std::optional<Move> move =
        from.has_value() ? MoveBetween(*from, to) : std::optional<Move>();
    if (!move.has_value()) {
      return Report(Rule::kMoveIllegal, "there is no such move", action, nullptr);
    }
    if (action.action != move->action) Report(Rule::kMoveIllegal, "misnamed", action, nullptr);
    const auto after = ca::StateAfter({*from, root.last_leaf_not_after, root.not_after,
                                       std::chrono::floor<std::chrono::seconds>(action.at)},
                                      move->move);
    if (!after.ok()) {
      Report(Rule::kMoveIllegal, std::string(after.status().message()), action, nullptr);
    }
  }

  void Promote(const RootAction& action) {
    if (!primary_.empty() && primary_ != action.root_id) {
      Report(Rule::kTwoPrimaries, "another root is primary already", action,
             last_of_root_[primary_]);
    }
    primary_ = action.root_id;
    demotion_ = nullptr;
    ++revision_;
    epochs_.push_back({action.root_id, &action});
  }

  void EndWithoutPrimary() {
    Report(Rule::kMoveIllegal, "a root is demoted, and none promoted with it", *demotion_, nullptr);
    demotion_ = nullptr;
    ++revision_;
    epochs_.emplace_back();
  }

  void CheckTenant() {
    const std::uint64_t epoch = epochs_.size() - 1;
    if (epoch != tenant_.epoch || revision_ != tenant_.revision) {
      violations_->push_back(
          {Rule::kTenantContradictsItself,
           absl::StrCat("its actions lead to epoch ", epoch, ", revision ", revision_),
           Describe(tenant_), ""});
    }
    for (const auto& [root_id, root] : roots_) {
      const RootAction* const last = last_of_root_[root_id];
      if (root.record == nullptr) {
        Report(Rule::kTenantContradictsItself, "there is no such root", *last, nullptr);
      } else if (root.state != root.record->state) {
        violations_->push_back(
            {Rule::kTenantContradictsItself, "the actions lead to another state of the root",
             Describe(tenant_, *root.record), last == nullptr ? "" : Describe(tenant_, *last)});
      }
    }
  }

  const TenantHistory& tenant_;
  std::vector<Violation>* const violations_;
  std::vector<const RootAction*> in_order_;
  std::map<std::string, ReplayedRoot> roots_;
  std::map<std::string, const RootAction*> last_of_root_;
  absl::flat_hash_map<const RootAction*, std::size_t> epoch_of_;
  std::vector<Epoch> epochs_;
  std::string primary_;
  const RootAction* last_ = nullptr;
  const RootAction* demotion_ = nullptr;  // whose promotion is to come
  std::uint64_t revision_ = 0;
};

bool AsksForPrimary(AdministrativeMethod method) {
  return method == AdministrativeMethod::kPromoteRoot ||
         method == AdministrativeMethod::kRollBackRoot;
}

// Bounds of epochs by the calls whose answers name an action.
class Placing {
 public:
  Placing(const TenantHistory& tenant, const Replay& replay, std::vector<Epoch>* epochs,
          std::vector<Violation>* violations)
      : tenant_(tenant), replay_(replay), epochs_(*epochs), violations_(violations) {
    // An answer names its action by the root, its state and since when it is in it, to the
    // microsecond, which no two share.
    for (const RootAction* action : replay.in_order()) {
      actions_.try_emplace({action->root_id, action->to_state, action->at}, action);
    }
  }

  void Place(const AdministrativeCall& call) {
    const Changed* const changed = std::get_if<Changed>(&call.outcome);
    if (changed == nullptr) return;
    const auto action = actions_.find(
        {call.root_id, std::string(ca::RootStateName(changed->state)), changed->since});
    if (action == actions_.end()) {
      violations_->push_back({Rule::kChangeMissing,
                              "an administrator was answered, and the change is not recorded",
                              Describe(call), ""});
      return;
    }
    Epoch& epoch = epochs_[replay_.EpochOf(action->second)];
    if (call.call.answered < epoch.done_by) {
      epoch.done_by = call.call.answered;
      epoch.shown_by = &call;
    }
    // Others may find what was done before them.
    if (AsksForPrimary(call.method) && call.call.sent > epoch.not_before) {
      epoch.not_before = call.call.sent;
      epoch.asked_by = &call;
    }
  }

  // Each epoch begins after the one before it.
  void Finish() {
    for (std::size_t i = 1; i < epochs_.size(); ++i) {
      if (epochs_[i].not_before >= epochs_[i - 1].not_before) continue;
      epochs_[i].not_before = epochs_[i - 1].not_before;
      epochs_[i].asked_by = epochs_[i - 1].asked_by;
    }
    for (std::size_t i = epochs_.size() - 1; i > 0; --i) {
      if (epochs_[i - 1].done_by <= epochs_[i].done_by) continue;
      epochs_[i - 1].done_by = epochs_[i].done_by;
      epochs_[i - 1].shown_by = epochs_[i].shown_by;
    }
    for (const Epoch& epoch : epochs_) {
      if (epoch.not_before <= epoch.done_by) continue;
      violations_->push_back({Rule::kPromotionsReordered,
                              absl::StrCat("what was asked for later is recorded before what was "
                                           "answered by then, in ",
                                           tenant_.tenant_id),
                              Describe(*epoch.asked_by), Describe(*epoch.shown_by)});
    }
  }

 private:
  const TenantHistory& tenant_;
  const Replay& replay_;
  std::vector<Epoch>& epochs_;
  std::vector<Violation>* const violations_;
  std::map<std::tuple<std::string, std::string, Timestamp>, const RootAction*> actions_;
};

}  // namespace

Primacy ReplayActions(const TenantHistory& tenant,
                      absl::Span<const AdministrativeCall* const> calls,
                      std::vector<Violation>* violations) {
  Replay replay(tenant, violations);
  replay.Run();
  Primacy primacy;
  primacy.epochs = replay.TakeEpochs();
  Placing placing(tenant, replay, &primacy.epochs, violations);
  for (const AdministrativeCall* call : calls) placing.Place(*call);
  placing.Finish();
  return primacy;
}

}  // namespace hourglass::history
