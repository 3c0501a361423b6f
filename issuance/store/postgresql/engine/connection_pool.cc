#include "issuance/store/postgresql/engine/connection_pool.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "issuance/store/postgresql/engine/connecting.h"
#include "issuance/store/postgresql/engine/fence.h"

namespace hourglass::issuance::postgresql {

ConnectionPool::ConnectionPool(ConnectionParameters parameters, ServerDemands demands,
                               PoolSizes sizes, TimelineObserver observer, ConnectionCheck check)
    : parameters_(std::move(parameters)),
      demands_(std::move(demands)),
      sizes_(sizes),
      observer_(std::move(observer)),
      check_(std::move(check)) {}

absl::StatusOr<std::unique_ptr<ConnectionPool>> ConnectionPool::Open(
    const ConnectionParameters& parameters, const ServerDemands& demands, const PoolSizes& sizes,
    TimelineObserver observer, ConnectionCheck check) {
  std::unique_ptr<ConnectionPool> pool(
      new ConnectionPool(parameters, demands, sizes, std::move(observer), std::move(check)));
  RETURN_IF_ERROR(pool->Take(Reading::kIssuing).status());
  pool->is_open_ = true;
  return pool;
}

absl::StatusOr<std::unique_ptr<Connection>> ConnectionPool::Connect() {
  ASSIGN_OR_RETURN(Fit fit, ConnectToFit());
  return std::move(fit.connection);
}

absl::StatusOr<ConnectionPool::Fit> ConnectionPool::ConnectToFit() {
  std::vector<std::string> reasons;
  const std::size_t first = first_server_;
  const std::size_t count = parameters_.servers.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t place = (first + i) % count;
    const ServerAddress& server = parameters_.servers[place];
    absl::StatusOr<Fit> fit = ConnectToOne(server);
    if (fit.ok()) {
      fit->server = place;
      first_server_ = place;
      return fit;
    }
    reasons.push_back(absl::StrCat(NameOf(server), ": ",
                                   absl::StripPrefix(fit.status().message(), "database: ")));
  }
  return NoServerCanBeUsed(reasons);
}

absl::StatusOr<ConnectionPool::Fit> ConnectionPool::ConnectToOne(const ServerAddress& server) {
  Fit fit;
  ASSIGN_OR_RETURN(fit.connection, Connection::OpenServer(parameters_, server));
  ASSIGN_OR_RETURN(const ServerFacts facts, ReadServerFacts(*fit.connection));
  RETURN_IF_ERROR(Judge(*fit.connection, facts));
  if (is_open_ && check_ != nullptr) RETURN_IF_ERROR(check_(*fit.connection));
  fit.timeline = facts.timeline;
  return fit;
}

absl::Status ConnectionPool::Judge(Connection& connection, const ServerFacts& facts) {
  const MutexLock lock(seeing_);
  RETURN_IF_ERROR(CheckServer(facts, demands_, seen_));
  const bool is_first = !seen_.system_identifier.has_value();
  seen_.system_identifier = facts.system_identifier;
  // Also where the observer refuses it: the older ones are no place to write to from now on.
  seen_.timeline = std::max(seen_.timeline, facts.timeline);
  oldest_timeline_ = seen_.timeline;
  const bool is_new = facts.timeline > accepted_timeline_ || facts.started_at != accepted_start_;
  if (!is_first && is_new && observer_ != nullptr) {
    RETURN_IF_ERROR(observer_(connection, facts));
  }
  accepted_timeline_ = facts.timeline;
  accepted_start_ = facts.started_at;
  return absl::OkStatus();
}

ConnectionPool::Fit ConnectionPool::TakeIdle(Places& places) {
  for (;;) {
    Fit fit;
    {
      const MutexLock lock(places.mutex);
      if (places.idle.empty()) return fit;
      fit = std::move(places.idle.back());
      places.idle.pop_back();
    }
    // Nobody listens on these: what has come is the end of the connection.
    if (fit.timeline >= oldest_timeline_ && fit.connection->TakeNotifications().ok()) return fit;
  }
}

absl::StatusOr<ConnectionPool::Lease> ConnectionPool::Take(Reading reading) {
  Places& places = PlacesOf(reading);
  {
    MutexLock lock(places.mutex);
    if (!places.one_is_free.wait_for(lock, parameters_.operation_timeout,
                                     [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(places.mutex) {
                                       return places.out < SizeOf(reading);
                                     })) {
      return Error(
          ErrorReason::kJournalUnavailable, "",
          absl::StrCat("database: none of ", SizeOf(reading), " connections became free in time"));
    }
    ++places.out;
  }
  // From here on the place is given back when this goes.
  Lease lease(this, reading, TakeIdle(places));
  if (!lease.is_empty()) return lease;
  ASSIGN_OR_RETURN(Fit fit, ConnectToFit());
  lease.Fill(std::move(fit));
  return lease;
}

void ConnectionPool::Put(Reading reading, Fit fit) {
  const bool is_lost = fit.connection != nullptr && !fit.connection->IsUsable();
  const bool is_kept =
      fit.connection != nullptr && fit.connection->IsUsable() && !fit.connection->InTransaction();
  // The others to a server that was lost are, most likely, lost too.
  if (is_lost) {
    CloseIdle();
    first_server_ = fit.server + 1;
  }
  Places& places = PlacesOf(reading);
  {
    const MutexLock lock(places.mutex);
    --places.out;
    if (is_kept) places.idle.push_back(std::move(fit));
  }
  places.one_is_free.notify_one();
}

void ConnectionPool::CloseIdle() {
  for (Places* places : {&issuing_, &listing_}) {
    std::vector<Fit> closed;
    const MutexLock lock(places->mutex);
    closed.swap(places->idle);
  }
}

absl::Status ConnectionPool::BeginAdministration(Connection& connection) {
  return LockForAdministration(connection);
}

ConnectionPool::Lease::~Lease() {
  if (pool_ != nullptr) pool_->Put(reading_, std::move(fit_));
}

}  // namespace hourglass::issuance::postgresql
