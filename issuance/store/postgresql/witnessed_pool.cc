#include "issuance/store/postgresql/witnessed_pool.h"

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "issuance/store/postgresql/database_time.h"

namespace hourglass::issuance::postgresql {

absl::StatusOr<std::unique_ptr<WitnessedPool>> WitnessedPool::Open(
    const ConnectionParameters& parameters, const ServerDemands& demands, const PoolSizes& sizes,
    std::function<void(const std::string& message)> timeline_observer,
    ConnectionPool::ConnectionCheck check) {
  std::unique_ptr<WitnessedPool> pool(new WitnessedPool(std::move(timeline_observer)));
  ASSIGN_OR_RETURN(pool->pool_, ConnectionPool::Open(
                                    parameters, demands, sizes,
                                    [raw = pool.get()](Connection& c, const ServerFacts& facts) {
                                      return raw->Look(c, facts);
                                    },
                                    std::move(check)));
  ASSIGN_OR_RETURN(const ServerFacts facts,
                   pool->pool_->Run([](Connection& c) { return ReadServerFacts(c); }));
  pool->timeline_ = facts.timeline;
  return pool;
}

absl::Status WitnessedPool::Look(Connection& connection, const ServerFacts& facts) {
  RETURN_IF_ERROR(witness_.Compare(connection, facts.now));
  const std::uint32_t before = timeline_.exchange(facts.timeline);
  if (before != facts.timeline && timeline_observer_ != nullptr) {
    timeline_observer_(absl::StrCat("database: a server on timeline ", facts.timeline,
                                    " is used from now on, after timeline ", before,
                                    ": a standby was promoted, or a server was restored. What this "
                                    "process had been told is durable is there"));
  }
  return absl::OkStatus();
}

absl::Status WitnessedPool::Note(Witness::Period period, const std::vector<DurableFact>& facts) {
  RETURN_IF_ERROR(Refusal());
  if (facts.empty() || witness_.Note(period, facts)) return absl::OkStatus();
  const Witness::Period later = witness_.period();
  RETURN_IF_ERROR(pool_->Run([&](Connection& connection) -> absl::Status {
    ASSIGN_OR_RETURN(const Timestamp now, DatabaseTime(connection));
    bool lacks = false;
    return LookFor(connection, facts, now, lacks);
  }));
  if (witness_.Note(later, facts)) return Refusal();
  return Error(ErrorReason::kJournalUnavailable, "",
               "database: the server was replaced again and again while this was written");
}

}  // namespace hourglass::issuance::postgresql
