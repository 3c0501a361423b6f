// Part of the running service: its store, and the time that the store's records bear out.
#ifndef HOURGLASS_ISSUANCE_SERVER_SERVICE_STATE_H_
#define HOURGLASS_ISSUANCE_SERVER_SERVICE_STATE_H_

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/config/config.h"
#include "issuance/log/event_log.h"
#include "issuance/server/replica_watch.h"
#include "issuance/server/store_health.h"
#include "issuance/store/postgresql/engine/connection_pool.h"
#include "issuance/store/replica_directory.h"
#include "issuance/store/store.h"
#include "issuance/store/time_records.h"
#include "issuance/timekeeping/compared_clock.h"
#include "issuance/timekeeping/kernel_time.h"
#include "issuance/timekeeping/time_guard.h"

namespace hourglass::issuance {

// The store with its upkeep, the watched clock of the whole service, and, where replicas share the
// store, this one's place among them. Safe to call from several threads.
class ServiceState {
 public:
  // The machine that the service runs on; all must outlive what uses them.
  struct Machine {
    const Clock* wall;
    const KernelTime* kernel;
    Entropy* entropy;
  };

  // Opens the store of the configuration and says which as `store_opened`, and why it goes without
  // a synchronous standby as `synchronous_standby_waived`; where the program issues, logs tenants
  // that may speak for any user as `upn_domains_missing`; and has the clock watched, which may be
  // doubted already. `log` must outlive this object. Errors: JOURNAL_UNAVAILABLE;
  // CONFIGURATION_INVALID where the password cannot be read, or another replica has this one's
  // name.
  static absl::StatusOr<std::unique_ptr<ServiceState>> Start(const Config& config,
                                                             const Machine& machine,
                                                             const EventLog* log);
  // Writes the newest time down, leaves the replicas, then closes the store.
  ~ServiceState() = default;
  ServiceState(const ServiceState&) = delete;
  ServiceState& operator=(const ServiceState&) = delete;

  Store* store() const { return store_.get(); }
  TimeRecords* time_records() const { return records_.get(); }
  // What time it is for all parts of the service.
  const DoubtfulClock* clock() const;
  // What this machine alone says of its clock.
  TimeGuard* guard() const { return guard_.get(); }
  const StoreHealth* health() const { return &health_; }

  // This process, and those that share its store; without such a store the directory and the clock
  // are null.
  const ReplicaRecord& own() const { return own_; }
  ReplicaDirectory* replicas() const { return replicas_.get(); }
  const ComparedClock* compared() const { return compared_.has_value() ? &*compared_ : nullptr; }
  // Whether it can be asked for certificates, as far as is known: its clock is believed, and its
  // store was reached when it was last needed.
  bool IsServing() const;

 private:
  explicit ServiceState(const EventLog* log) : log_(*log), health_(*log) {}
  absl::Status OpenSqlite(const Config& config);
  absl::Status OpenPostgresql(const PostgresqlConfig& config,
                              std::optional<std::chrono::seconds> retention);
  absl::Status TellOfDatabase(const PostgresqlConfig& config) const;
  absl::Status JoinReplicas(const PostgresqlConfig& config, const Machine& machine);

  const EventLog& log_;
  StoreHealth health_;
  ReplicaRecord own_;
  std::unique_ptr<Store> store_;  // uses the health
  // Of what must not wait for the store: the time, and the replicas.
  std::unique_ptr<postgresql::ConnectionPool> aside_;
  std::unique_ptr<TimeRecords> records_;        // uses the pool
  std::unique_ptr<ReplicaDirectory> replicas_;  // uses the pool
  std::unique_ptr<TimeGuard> guard_;            // uses the records
  std::optional<ComparedClock> compared_;       // uses the guard
  std::unique_ptr<ReplicaWatch> watch_;         // uses the directory and the compared clock
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_SERVICE_STATE_H_
