// The connections of a store, and the refusal to use a database that has forgotten something.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_WITNESSED_POOL_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_WITNESSED_POOL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/connection_pool.h"
#include "issuance/store/postgresql/witness.h"

namespace hourglass::issuance::postgresql {

// A ConnectionPool whose servers are compared with a Witness before they are used. Safe to call
// from several threads. Once a comparison has failed all methods return its error.
class WitnessedPool {
 public:
  // `timeline_observer`, which may be null, is told of each new timeline on which nothing lacks.
  // `check` is the pool's.
  static absl::StatusOr<std::unique_ptr<WitnessedPool>> Open(
      const ConnectionParameters& parameters, const ServerDemands& demands, const PoolSizes& sizes,
      std::function<void(const std::string& message)> timeline_observer,
      ConnectionPool::ConnectionCheck check);

  // As ConnectionPool has them.
  template <typename Statements>
  auto Write(Statements statements) -> decltype(statements(std::declval<Connection&>())) {
    return Unrefused([&] { return pool_->Write(statements); });
  }
  template <typename Statements>
  auto Administer(Statements statements) -> decltype(statements(std::declval<Connection&>())) {
    return Unrefused([&] { return pool_->Administer(statements); });
  }
  template <typename Statements>
  auto Run(Statements statements) -> decltype(statements(std::declval<Connection&>())) {
    return Unrefused([&] { return pool_->Run(statements); });
  }

  // Calls `write()`, and notes these facts where it returns OK. Errors: also as Note.
  template <typename Function>
  absl::Status Witnessed(const std::vector<DurableFact>& facts, Function write) {
    const Witness::Period period = witness_.period();
    RETURN_IF_ERROR(write());
    return Note(period, facts);
  }

  // For who uses pool() itself: OK, or why nothing may be done any more; the period in which a
  // write begins; and what was acknowledged then. Where servers were compared meanwhile, that was
  // by the old one or the new one: the new one is asked. Errors: JOURNAL_UNAVAILABLE where it does
  // not have them, or cannot be asked.
  absl::Status Refusal() const { return witness_.Refusal(); }
  Witness::Period period() const { return witness_.period(); }
  absl::Status Note(Witness::Period period, const std::vector<DurableFact>& facts);

  ConnectionPool& pool() { return *pool_; }

 private:
  explicit WitnessedPool(std::function<void(const std::string& message)> timeline_observer)
      : timeline_observer_(std::move(timeline_observer)) {}
  absl::Status Look(Connection& connection, const ServerFacts& facts);

  // Also after it: what a server answered that is no longer believed counts for nothing.
  template <typename Function>
  auto Unrefused(Function call) -> decltype(call()) {
    RETURN_IF_ERROR(Refusal());
    auto result = call();
    RETURN_IF_ERROR(Refusal());
    return result;
  }

  const std::function<void(const std::string& message)> timeline_observer_;
  Witness witness_;
  std::atomic<std::uint32_t> timeline_ = 0;  // the newest that was told of
  std::unique_ptr<ConnectionPool> pool_;
};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_WITNESSED_POOL_H_
