#include "issuance/journal.h"

#include <utility>
#include <vector>

#include "hsm/base/error.h"

namespace hourglass::issuance {
namespace {

// One status a write, whatever the store answered.
std::vector<absl::Status> Commit(Store& store, const std::vector<JournalWrite>& writes) {
  absl::StatusOr<std::vector<absl::Status>> statuses = store.AppendToJournal(writes);
  if (!statuses.ok()) return std::vector<absl::Status>(writes.size(), statuses.status());
  if (statuses->size() == writes.size()) return *std::move(statuses);
  return std::vector<absl::Status>(
      writes.size(),
      Error(ErrorReason::kInternalError, "", "the store did not answer for every write"));
}

}  // namespace

struct Journal::Waiter {
  JournalWrite write;
  absl::Status status;
  bool done = false;
};

absl::Status Journal::WriteIntent(Intent intent) { return Write(std::move(intent)); }

absl::Status Journal::WriteRelease(Release release) { return Write(std::move(release)); }

absl::StatusOr<JournalRecord> Journal::Find(absl::string_view tenant_id,
                                            absl::string_view request_id) {
  return store_->FindByRequestId(tenant_id, request_id);
}

absl::StatusOr<IntermediateRecord> Journal::FindIntermediate(const Intent& intent) {
  return store_->GetIntermediate(intent.tenant_id, intent.root_id,
                                 intent.intermediate_serial_number);
}

absl::Status Journal::Write(JournalWrite write) {
  Waiter self{std::move(write), absl::OkStatus(), false};
  std::unique_lock<std::mutex> lock(mutex_);
  waiting_.push_back(&self);
  changed_.wait(lock, [this, &self] { return self.done || !committing_; });
  if (self.done) return self.status;

  // Nobody commits, so this thread does, for all that wait: itself among them.
  committing_ = true;
  const std::deque<Waiter*> group = std::exchange(waiting_, {});
  std::vector<JournalWrite> writes;
  writes.reserve(group.size());
  for (Waiter* waiter : group) writes.push_back(std::move(waiter->write));
  lock.unlock();
  std::vector<absl::Status> statuses = Commit(*store_, writes);
  lock.lock();
  for (std::size_t i = 0; i < group.size(); ++i) {
    group[i]->status = std::move(statuses[i]);
    group[i]->done = true;
  }
  committing_ = false;
  changed_.notify_all();
  return self.status;
}

}  // namespace hourglass::issuance
