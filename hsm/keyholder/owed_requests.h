// What one worker was asked and has not answered.
#ifndef HOURGLASS_HSM_KEYHOLDER_OWED_REQUESTS_H_
#define HOURGLASS_HSM_KEYHOLDER_OWED_REQUESTS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hsm/keyholder/protocol/keyholder.pb.h"
#include "hsm/keyholder/queue/call_queue.h"
#include "hsm/keyholder/queue/waiting_calls.h"
#include "hsm/keyholder/recovery/recovery.h"

namespace hourglass::hsm {

// One request.
struct Debt {
  enum class Kind { kGreeting, kTest, kSignatures, kOther };

  std::uint64_t id = 0;
  Kind kind = Kind::kOther;
  bool administers = false;  // by the other socket, and the thread of that
  SteadyTime sent;
  std::chrono::milliseconds timeout{0};
  SteadyTime due;  // from then on the worker is held to hang
  Work work;
  std::string test_digest;
};

// Whether it asks for a list of keys, which may come in parts.
bool IsList(const Debt& debt);
// Whether the reply answers each of its signatures, in their order, with one of at most 1024 octets
// or an error; where it says that it is unfinished, the first of them, but not all.
bool IsWhole(const Debt& debt, const keyholder::Reply& reply);

// Not for several threads.
class OwedRequests {
 public:
  void Add(Debt debt) { debts_.push_back(std::move(debt)); }
  // Removes it; std::nullopt: there is none of this id.
  std::optional<Debt> Take(std::uint64_t id);
  std::vector<Debt> TakeAll() { return std::exchange(debts_, {}); }

  bool empty() const { return debts_.empty(); }
  // How the worker stands that signs on `threads`, with nothing unfinished besides.
  CallQueue::Standing Standing(int threads) const;
  // A call that is no signature and makes no key is under way: it may take long.
  bool HasSlowOne() const;

  // The request that is due first, or null. Valid until the next change.
  const Debt* DueFirst() const;
  // The worker, who works at one thing after the other, has begun the next one now.
  void BeginNext(SteadyTime now);
  // When the first of the signatures is overdue; SteadyTime::max(): it owes none.
  SteadyTime SignaturesOverdueAt() const;

 private:
  std::vector<Debt> debts_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_OWED_REQUESTS_H_
