// A ReplicaDirectory in memory.
#ifndef HOURGLASS_ISSUANCE_STORE_TESTING_MEMORY_REPLICA_DIRECTORY_H_
#define HOURGLASS_ISSUANCE_STORE_TESTING_MEMORY_REPLICA_DIRECTORY_H_

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hsm/base/error.h"
#include "issuance/store/replica_directory.h"

namespace hourglass::issuance {

// Its database's clock is the test's. For one thread at a time.
class MemoryReplicaDirectory final : public ReplicaDirectory {
 public:
  // `now` is what the database's clock shows.
  explicit MemoryReplicaDirectory(std::function<Timestamp()> now) : now_(std::move(now)) {}

  absl::StatusOr<Timestamp> DatabaseTime() override {
    if (is_away) return Away();
    return now_();
  }
  absl::StatusOr<ReplicaRecord> Announce(const ReplicaRecord& own) override {
    if (is_away) return Away();
    const auto found = records.find(own.name);
    const bool is_held = found != records.end() && found->second.run_id != own.run_id &&
                         found->second.seen_at + kNameIsKept >= now_();
    if (is_held) return found->second;
    ReplicaRecord& written = records[own.name];
    written = own;
    written.seen_at = now_();
    return written;
  }
  absl::Status Withdraw(absl::string_view name, absl::string_view run_id) override {
    if (is_away) return Away();
    const auto found = records.find(std::string(name));
    if (found != records.end() && found->second.run_id == run_id) records.erase(found);
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<ReplicaRecord>> List() override {
    if (is_away) return Away();
    std::vector<ReplicaRecord> list;
    for (const auto& [name, record] : records) list.push_back(record);
    return list;
  }
  absl::StatusOr<DatabaseRecord> Describe() override {
    if (is_away) return Away();
    return database;
  }

  std::map<std::string, ReplicaRecord> records;  // by name
  DatabaseRecord database;
  bool is_away = false;

 private:
  static absl::Status Away() {
    return Error(ErrorReason::kJournalUnavailable, "", "database: no answer");
  }

  const std::function<Timestamp()> now_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TESTING_MEMORY_REPLICA_DIRECTORY_H_
