// Who runs on a database, and how far their clocks are from it.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_REPLICAS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_REPLICAS_H_

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/base/clock.h"
#include "issuance/store/postgresql/engine/connection_pool.h"

namespace hourglass::issuance {

struct ReplicaRecord {
  std::string name;    // of the configuration; one at a time has it
  std::string run_id;  // another one for each start of the program
  std::string program_version;
  std::string address;   // where it serves, HOST:PORT
  Timestamp started_at;  // by its own clock
  Timestamp seen_at;     // when it announced itself last, by the database's clock
  // How far its clock was ahead of the database's then (negative: behind), and by how much that may
  // be wrong, 0 or more.
  std::chrono::microseconds clock_ahead{0};
  std::chrono::microseconds clock_uncertainty{0};

  bool operator==(const ReplicaRecord&) const = default;
};

// What a list of replicas says, and when it was read.
struct ReplicaList {
  std::vector<ReplicaRecord> replicas;  // by name
  Timestamp now;                        // by the database's clock
};

// Safe to call from several threads. Errors of all: JOURNAL_UNAVAILABLE.
class Replicas {
 public:
  // Both must outlive this object. `clock` is the one whose offset is measured: the wall clock, and
  // not one that somebody corrects.
  Replicas(postgresql::ConnectionPool* pool, const Clock* clock) : pool_(*pool), clock_(*clock) {}

  // Measures the clock by one round trip: it is ahead by its time in the middle of that less the
  // database's, which may be wrong by half of it. Then writes the record in place of the one of its
  // name, with what was measured and with the database's time for `seen_at`, whatever `replica`
  // says of these, and returns it as written.
  absl::StatusOr<ReplicaRecord> Announce(const ReplicaRecord& replica);

  absl::StatusOr<ReplicaList> List();

  // OK, too, where there is none of this name. One that runs announces itself again.
  absl::Status Forget(absl::string_view name);

 private:
  postgresql::ConnectionPool& pool_;
  const Clock& clock_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_REPLICAS_H_
