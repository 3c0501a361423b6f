#include "hsm/keyholder/owed_requests.h"

#include <algorithm>

namespace hourglass::hsm {
namespace {

constexpr std::size_t kLongestSignature = 1024;

}  // namespace

bool IsList(const Debt& debt) {
  return debt.kind == Debt::Kind::kOther && debt.work.calls[0]->request().has_list();
}

bool IsWhole(const Debt& debt, const keyholder::Reply& reply) {
  const std::size_t digests = debt.work.calls.size();
  const auto signatures = static_cast<std::size_t>(reply.signatures_size());
  return (signatures == digests ||
          (reply.unfinished() && signatures > 0 && signatures < digests)) &&
         std::all_of(reply.signatures().begin(), reply.signatures().end(),
                     [](const keyholder::Signature& signature) {
                       return signature.has_failure() ||
                              (!signature.octets().empty() &&
                               signature.octets().size() <= kLongestSignature);
                     });
}

std::optional<Debt> OwedRequests::Take(std::uint64_t id) {
  const auto found =
      std::find_if(debts_.begin(), debts_.end(), [&](const Debt& debt) { return debt.id == id; });
  if (found == debts_.end()) return std::nullopt;
  std::optional<Debt> debt = std::move(*found);
  debts_.erase(found);
  return debt;
}

CallQueue::Standing OwedRequests::Standing(int threads) const {
  CallQueue::Standing standing;
  standing.lists = true;
  for (const Debt& debt : debts_) {
    if (debt.administers) {
      standing.administers = false;
      if (MayTakeMinutes(*debt.work.calls[0])) ++standing.long_calls;
      continue;
    }
    ++standing.outstanding;
    if (IsList(debt)) standing.lists = false;
  }
  standing.others = standing.outstanding < threads;
  return standing;
}

bool OwedRequests::HasSlowOne() const {
  return std::any_of(debts_.begin(), debts_.end(), [](const Debt& debt) {
    return debt.kind == Debt::Kind::kOther && !debt.administers;
  });
}

const Debt* OwedRequests::DueFirst() const {
  const auto first = std::min_element(debts_.begin(), debts_.end(),
                                      [](const Debt& a, const Debt& b) { return a.due < b.due; });
  return first == debts_.end() ? nullptr : &*first;
}

void OwedRequests::BeginNext(SteadyTime now) {
  for (Debt& debt : debts_) {
    if (!debt.administers) debt.due = std::max<SteadyTime>(debt.due, now + debt.timeout);
  }
}

SteadyTime OwedRequests::SignaturesOverdueAt() const {
  SteadyTime earliest = SteadyTime::max();
  for (const Debt& debt : debts_) {
    if (debt.kind == Debt::Kind::kSignatures) earliest = std::min(earliest, debt.work.overdue_at);
  }
  return earliest;
}

}  // namespace hourglass::hsm
