// The connections of one process to one cluster.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_CONNECTION_POOL_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_CONNECTION_POOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "hsm/base/mutex.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/postgresql/engine/connection_parameters.h"
#include "issuance/store/postgresql/engine/server_rules.h"
#include "issuance/store/reading.h"
#include "issuance/store/status_of_result.h"

namespace hourglass::issuance::postgresql {

// How many connections there may be: for what issues, and for listings.
struct PoolSizes {
  int issuing = 4;
  int listing = 4;
};

// Safe to call from several threads. A connection that failed is closed, with all that lie idle,
// and others are made when they are needed: to the first of the servers that is fit, each new one
// being asked what its server is (CheckServer). After one that failed the search begins with the
// next server: a leader whose place another has taken may answer still, and looks fit, but none of
// its commits comes to an end. One that lay idle and was closed by the server
// meanwhile is replaced before anything is sent. Waits for a free connection for the operation
// timeout at most.
class ConnectionPool {
 public:
  // Told of a server on a later timeline than those that this pool used before, or that was started
  // since, and before it is used: a standby was promoted, or the folder may be an older copy. Not
  // of the first server, which is on some timeline. An error refuses the server, and every caller
  // gets that error until a server on this timeline or a later one is fit: it is asked again for
  // each new connection, and connections to servers on older timelines are closed. Called with a
  // connection of its own, by one thread at a time; must not use the pool.
  using TimelineObserver = std::function<absl::Status(Connection& connection, const ServerFacts&)>;

  // Asked of each new connection but the first, which Open makes and whoever opened the pool looks
  // at: whether what is in the database may be used still, or was changed while this process was
  // cut off from it. An error refuses the server. Called with a connection of its own, by several
  // threads; must not use the pool.
  using ConnectionCheck = std::function<absl::Status(Connection& connection)>;

  // Connects once, so that a server that is unfit is told of at the start. Errors: as Connection
  // and CheckServer.
  static absl::StatusOr<std::unique_ptr<ConnectionPool>> Open(
      const ConnectionParameters& parameters, const ServerDemands& demands,
      const PoolSizes& sizes = {}, TimelineObserver observer = nullptr,
      ConnectionCheck check = nullptr);

  // Calls `statements(Connection&)`, which returns a Status or StatusOr, in one transaction, and
  // commits it if the result is OK. Returns the result, or the error that kept it from being
  // durable.
  template <typename Statements>
  auto Write(Statements statements) -> decltype(statements(std::declval<Connection&>())) {
    ASSIGN_OR_RETURN(Lease lease, Take(Reading::kIssuing));
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*lease));
    auto result = statements(*lease);
    RETURN_IF_ERROR(StatusOfResult(result));
    RETURN_IF_ERROR(transaction.Commit());
    return result;
  }

  // The same for what administrators change: one at a time, in all processes on the database
  // (LockForAdministration, issuance/store/postgresql/engine/fence.h), so that what is read in it
  // still holds when it writes.
  template <typename Statements>
  auto Administer(Statements statements) -> decltype(statements(std::declval<Connection&>())) {
    return Write([&](Connection& connection) -> decltype(statements(connection)) {
      RETURN_IF_ERROR(BeginAdministration(connection));
      return statements(connection);
    });
  }

  // Calls `statements(Connection&)` without a transaction: one query, or one that makes its
  // transactions itself, as RunTogether does. On a connection of those that this thread reads with
  // (ReadingOfThisThread).
  template <typename Statements>
  auto Run(Statements statements) -> decltype(statements(std::declval<Connection&>())) {
    ASSIGN_OR_RETURN(Lease lease, Take(ReadingOfThisThread()));
    return statements(*lease);
  }

  const PoolSizes& sizes() const { return sizes_; }

  // A connection outside of the pool, to a server that was found fit.
  absl::StatusOr<std::unique_ptr<Connection>> Connect();

 private:
  // A connection, and its server with the timeline of that.
  struct Fit {
    std::unique_ptr<Connection> connection;
    std::size_t server = 0;  // in parameters_.servers
    std::uint32_t timeline = 0;
  };
  // Gives the connection back when it goes, or its place where it is not usable any more or in a
  // transaction.
  class Lease {
   public:
    Lease(ConnectionPool* pool, Reading reading, Fit fit)
        : pool_(pool), reading_(reading), fit_(std::move(fit)) {}
    ~Lease();
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          reading_(other.reading_),
          fit_(std::move(other.fit_)) {}
    Lease& operator=(Lease&&) = delete;
    Connection& operator*() const { return *fit_.connection; }
    bool is_empty() const { return fit_.connection == nullptr; }
    void Fill(Fit fit) { fit_ = std::move(fit); }

   private:
    ConnectionPool* pool_;
    Reading reading_;
    Fit fit_;
  };
  struct Places {
    Mutex mutex;
    ConditionVariable one_is_free;
    std::vector<Fit> idle ABSL_GUARDED_BY(mutex);
    int out ABSL_GUARDED_BY(mutex) = 0;
  };

  ConnectionPool(ConnectionParameters parameters, ServerDemands demands, PoolSizes sizes,
                 TimelineObserver observer, ConnectionCheck check);
  absl::StatusOr<Lease> Take(Reading reading);
  void Put(Reading reading, Fit fit);
  // An idle connection that still works; none where there is none.
  Fit TakeIdle(Places& places);
  void CloseIdle();
  // To the first server that is fit.
  absl::StatusOr<Fit> ConnectToFit();
  absl::StatusOr<Fit> ConnectToOne(const ServerAddress& server);
  absl::Status Judge(Connection& connection, const ServerFacts& facts);
  static absl::Status BeginAdministration(Connection& connection);
  int SizeOf(Reading reading) const {
    return reading == Reading::kListing ? sizes_.listing : sizes_.issuing;
  }
  Places& PlacesOf(Reading reading) { return reading == Reading::kListing ? listing_ : issuing_; }

  const ConnectionParameters parameters_;
  const ServerDemands demands_;
  const PoolSizes sizes_;
  const TimelineObserver observer_;
  const ConnectionCheck check_;
  std::atomic<bool> is_open_ = false;
  Mutex seeing_;  // held while a new server is judged
  SeenServers seen_ ABSL_GUARDED_BY(seeing_);
  // The server that the observer accepted last.
  std::uint32_t accepted_timeline_ ABSL_GUARDED_BY(seeing_) = 0;
  Timestamp accepted_start_ ABSL_GUARDED_BY(seeing_);
  // Connections to servers on older ones are not used any more: that of seen_.
  std::atomic<std::uint32_t> oldest_timeline_ = 0;
  std::atomic<std::size_t> first_server_ = 0;  // where the search begins
  Places issuing_;
  Places listing_;
};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_CONNECTION_POOL_H_
