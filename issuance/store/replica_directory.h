// Who else runs on the same database, and how that database is.
#ifndef HOURGLASS_ISSUANCE_STORE_REPLICA_DIRECTORY_H_
#define HOURGLASS_ISSUANCE_STORE_REPLICA_DIRECTORY_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

// A process of the service, as it told of itself.
struct ReplicaRecord {
  std::string name = "";
  std::string run_id = "";  // of this run of the process; no two runs share one
  std::string program_version = "";
  std::string address = "";   // listened on
  Timestamp started_at = {};  // by its own clock
  Timestamp seen_at = {};     // by the database's
  // Its clock beside the database's; negative: it is late. And how wrong that may be.
  std::chrono::microseconds clock_ahead{0};
  std::chrono::microseconds clock_uncertainty{0};

  bool operator==(const ReplicaRecord&) const = default;
};

// A standby, as the server that it follows tells of it.
struct StandbyRecord {
  std::string name = "";
  std::string state = "";       // `streaming`
  std::string sync_state = "";  // `sync`, `quorum`, `potential`, `async`
  std::optional<std::chrono::microseconds> lag = std::nullopt;  // until it shows what was written
  std::optional<std::int64_t> lag_octets = std::nullopt;        // of the write-ahead log
};

// The database's server that is written to.
struct DatabaseRecord {
  std::string address = "";  // `host:port`, or `socket`
  std::string version = "";  // `15.18`
  std::string system_identifier = "";
  std::uint32_t timeline = 0;
  std::string synchronous_standby_names = "";
  Timestamp now = {};
  // Empty where the service's role may not look (pg_monitor).
  std::optional<std::vector<StandbyRecord>> standbys = std::nullopt;
};

// Safe to call from several threads and processes. Errors of all: JOURNAL_UNAVAILABLE.
class ReplicaDirectory {
 public:
  // For so long a name is kept for a run that was not seen since.
  static constexpr std::chrono::seconds kNameIsKept{15};

  virtual ~ReplicaDirectory() = default;

  // What the database's clock shows. One round trip.
  virtual absl::StatusOr<Timestamp> DatabaseTime() = 0;

  // Writes `own` down, as seen now, unless another run has its name and was seen within
  // kNameIsKept. Returns what is there under the name afterwards: with the run id of `own` where it
  // was written.
  virtual absl::StatusOr<ReplicaRecord> Announce(const ReplicaRecord& own) = 0;

  // Frees the name at once, if this run has it.
  virtual absl::Status Withdraw(absl::string_view name, absl::string_view run_id) = 0;

  // Those that were seen within a day, by name.
  virtual absl::StatusOr<std::vector<ReplicaRecord>> List() = 0;

  virtual absl::StatusOr<DatabaseRecord> Describe() = 0;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_REPLICA_DIRECTORY_H_
