#include "ca/issuers/root_states.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hsm/base/error.h"

namespace hourglass::ca {
namespace {

constexpr RootState kStates[] = {RootState::kStaged, RootState::kPrimary, RootState::kRetiring,
                                 RootState::kRetired, RootState::kDiscarded};
constexpr RootMove kMoves[] = {RootMove::kPromote, RootMove::kRollBack, RootMove::kDemote,
                               RootMove::kRetire, RootMove::kDiscard};

struct LegalMove {
  RootState from;
  RootMove move;
  RootState to;
};

constexpr LegalMove kLegalMoves[] = {
    {RootState::kStaged, RootMove::kPromote, RootState::kPrimary},
    {RootState::kStaged, RootMove::kDiscard, RootState::kDiscarded},
    {RootState::kPrimary, RootMove::kDemote, RootState::kRetiring},
    {RootState::kRetiring, RootMove::kRollBack, RootState::kPrimary},
    {RootState::kRetiring, RootMove::kRetire, RootState::kRetired},
};

const LegalMove* FindMove(RootState from, RootMove move) {
  for (const LegalMove& legal : kLegalMoves) {
    if (legal.from == from && legal.move == move) return &legal;
  }
  return nullptr;
}

std::string LegalMovesFrom(RootState from) {
  // Nobody asks for a demotion by itself: it is the other half of a promotion.
  if (from == RootState::kPrimary) return "it becomes RETIRING when another root is promoted";
  std::vector<std::string> names;
  for (const RootMove move : kMoves) {
    if (FindMove(from, move) == nullptr) continue;
    names.push_back(absl::StrCat(RootMoveName(move), move == RootMove::kRollBack ? " it" : ""));
  }
  return names.empty() ? "no move is legal from there"
                       : absl::StrCat("legal from there: ", absl::StrJoin(names, ", "));
}

absl::Status Refused(absl::string_view message) {
  return Error(ErrorReason::kRootMoveIllegal, "root_id", message);
}

}  // namespace

absl::string_view RootStateName(RootState state) {
  switch (state) {
    case RootState::kStaged:
      return "STAGED";
    case RootState::kPrimary:
      return "PRIMARY";
    case RootState::kRetiring:
      return "RETIRING";
    case RootState::kRetired:
      return "RETIRED";
    case RootState::kDiscarded:
      return "DISCARDED";
  }
  return "UNKNOWN";
}

std::optional<RootState> RootStateNamed(absl::string_view name) {
  for (const RootState state : kStates) {
    if (RootStateName(state) == name) return state;
  }
  return std::nullopt;
}

absl::string_view RootMoveName(RootMove move) {
  switch (move) {
    case RootMove::kPromote:
      return "promote";
    case RootMove::kRollBack:
      return "roll back to";
    case RootMove::kDemote:
      return "demote";
    case RootMove::kRetire:
      return "retire";
    case RootMove::kDiscard:
      return "discard";
  }
  return "unknown";
}

bool InTrustBundle(RootState state) {
  return state == RootState::kStaged || state == RootState::kPrimary ||
         state == RootState::kRetiring;
}

bool NeedsItsKey(RootState state) {
  switch (state) {
    case RootState::kStaged:
    case RootState::kPrimary:
    case RootState::kRetiring:
      return true;
    case RootState::kRetired:
    case RootState::kDiscarded:
      return false;
  }
  return true;
}

absl::StatusOr<RootState> StateAfter(const RootFacts& facts, RootMove move) {
  const LegalMove* legal = FindMove(facts.state, move);
  if (legal == nullptr) {
    return Refused(absl::StrCat("cannot ", RootMoveName(move), " a root that is ",
                                RootStateName(facts.state), "; ", LegalMovesFrom(facts.state)));
  }
  if (legal->to == RootState::kPrimary && facts.now > facts.not_after) {
    return Refused(absl::StrCat("cannot ", RootMoveName(move), " a root that expired at ",
                                FormatTime(facts.not_after)));
  }
  if (move == RootMove::kRetire && facts.last_leaf_not_after.has_value() &&
      facts.now <= *facts.last_leaf_not_after) {
    return Refused(
        absl::StrCat("cannot retire before its last certificate has expired; legal after ",
                     FormatTime(*facts.last_leaf_not_after)));
  }
  return legal->to;
}

}  // namespace hourglass::ca
