#include "issuance/server/replica_watch.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

// How old what another replica told of its clock may be.
constexpr std::chrono::minutes kOthersCount(1);
// The first question may have to wait for a connection.
constexpr int kTries = 3;
constexpr std::chrono::seconds kPause(1);

absl::Status NameIsTaken(const ReplicaRecord& other) {
  return Error(
      ErrorReason::kConfigurationInvalid, "store.postgresql.replica",
      absl::StrCat("the name ", other.name, " is that of a replica that runs (at ", other.address,
                   "): give each replica a name of its own, or stop that "
                   "one first"));
}

}  // namespace

ReplicaWatch::ReplicaWatch(ReplicaRecord own, const Subjects& subjects)
    : subjects_(subjects), own_(std::move(own)) {}

absl::StatusOr<std::unique_ptr<ReplicaWatch>> ReplicaWatch::Start(ReplicaRecord own,
                                                                  const Subjects& subjects) {
  std::unique_ptr<ReplicaWatch> watch =
      absl::WrapUnique(new ReplicaWatch(std::move(own), subjects));
  RETURN_IF_ERROR(watch->TakeName());
  return watch;
}

// A run that was killed has its name for some seconds more. That it still runs is seen by its
// telling so once more.
absl::Status ReplicaWatch::TakeName() {
  const MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(const ReplicaRecord first, CompareAndAnnounce());
  ReplicaRecord found = first;
  for (auto waited = std::chrono::seconds(0); found.run_id != own_.run_id; waited += kPause) {
    if (found.run_id != first.run_id || found.seen_at != first.seen_at ||
        waited > 2 * ReplicaDirectory::kNameIsKept) {
      return NameIsTaken(found);
    }
    subjects_.wait(kPause);
    ASSIGN_OR_RETURN(found, CompareAndAnnounce());
  }
  has_name_ = true;
  return absl::OkStatus();
}

ReplicaWatch::~ReplicaWatch() {
  thread_.reset();
  const MutexLock lock(mutex_);
  if (has_name_) {
    static_cast<void>(subjects_.directory->Withdraw(own_.name, own_.run_id));
  }
}

void ReplicaWatch::Watch() {
  thread_.emplace(kLookEvery, [this] { Look(); });
}

// The best of some tries.
absl::StatusOr<ComparedReplica> ReplicaWatch::Measure() const {
  std::optional<ComparedReplica> best;
  for (int i = 0; i < kTries; ++i) {
    const Timestamp sent = subjects_.wall->Now();
    ASSIGN_OR_RETURN(const Timestamp answered, subjects_.directory->DatabaseTime());
    ComparedReplica measured = CompareWithDatabase("", sent, answered, subjects_.wall->Now());
    if (!best.has_value() || measured.uncertainty < best->uncertainty) best = std::move(measured);
    if (best->uncertainty * 10 <= subjects_.clock->largest()) break;
  }
  return *std::move(best);
}

absl::StatusOr<ReplicaRecord> ReplicaWatch::CompareAndAnnounce() {
  ASSIGN_OR_RETURN(ComparedReplica measured, Measure());
  const Timestamp wall = subjects_.wall->Now();
  const std::chrono::microseconds uptime = subjects_.kernel->Uptime();
  const Timestamp database = wall - measured.ahead;
  measured.name = own_.name;
  own_.clock_ahead = measured.ahead;
  own_.clock_uncertainty = measured.uncertainty;
  // Beside the others as they are now: neither waits for the other to be told.
  ASSIGN_OR_RETURN(const ReplicaRecord announced, subjects_.directory->Announce(own_));
  ASSIGN_OR_RETURN(const std::vector<ReplicaRecord> replicas, subjects_.directory->List());
  std::vector<ComparedReplica> others;
  for (const ReplicaRecord& other : replicas) {
    if (other.run_id == own_.run_id || other.seen_at + kOthersCount < database) continue;
    others.push_back({other.name, other.clock_ahead, other.clock_uncertainty});
  }
  subjects_.clock->Learn(measured, others, wall, uptime);
  return announced;
}

void ReplicaWatch::Look() {
  const MutexLock lock(mutex_);
  const absl::StatusOr<ReplicaRecord> found = CompareAndAnnounce();
  if (!found.ok()) {
    if (!is_cut_off_.exchange(true)) {
      subjects_.log->Warning("replica_not_announced", {{"message", found.status().message()}});
    }
    return;
  }
  const bool failed = is_cut_off_.exchange(false);
  const bool had_name = std::exchange(has_name_, found->run_id == own_.run_id);
  if (has_name_ && (failed || !had_name)) {
    subjects_.log->Info("replica_announced", {{"replica", own_.name}});
  } else if (!has_name_ && had_name) {
    subjects_.log->Failure("replica_name_taken", {{"replica", own_.name}, {"by", found->address}});
  }
}

}  // namespace hourglass::issuance
