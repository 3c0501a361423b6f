#include "issuance/pipeline/group_commit.h"

#include <iterator>
#include <utility>
#include <vector>

#include "hsm/base/error.h"

namespace hourglass::issuance {
namespace {

// One status a write, whatever the store answered.
std::vector<absl::Status> Commit(JournalStore& store, const std::vector<JournalWrite>& writes) {
  absl::StatusOr<std::vector<absl::Status>> statuses = store.AppendToJournal(writes);
  if (!statuses.ok()) return std::vector<absl::Status>(writes.size(), statuses.status());
  if (statuses->size() == writes.size()) return *std::move(statuses);
  return std::vector<absl::Status>(
      writes.size(),
      Error(ErrorReason::kInternalError, "", "the store did not answer for every write"));
}

}  // namespace

struct GroupCommit::Waiter {
  std::vector<JournalWrite>* writes;
  std::vector<absl::Status> statuses;
  // Told when the writes are committed, or when it is this writer's turn to commit; both, where
  // another came before it. With the journal's mutex held, as all below.
  ConditionVariable told;
  bool committed = false;
  bool commits = false;
};

absl::Status GroupCommit::Write(JournalWrite write) {
  std::vector<JournalWrite> writes;
  writes.push_back(std::move(write));
  return WriteAll(writes).front();
}

absl::StatusOr<JournalRecord> GroupCommit::Find(absl::string_view tenant_id,
                                                absl::string_view request_id) {
  return store_->FindByRequestId(tenant_id, request_id);
}

absl::StatusOr<IntermediateRecord> GroupCommit::FindIntermediate(const Intent& intent) {
  return intermediates_->GetIntermediate(intent.tenant_id, intent.root_id,
                                         intent.intermediate_serial_number);
}

void GroupCommit::CommitFor(const std::deque<Waiter*>& group) {
  if (group.size() == 1) {
    group.front()->statuses = Commit(*store_, *group.front()->writes);
    return;
  }
  std::vector<JournalWrite> all;
  for (const Waiter* waiter : group) {
    all.insert(all.end(), std::make_move_iterator(waiter->writes->begin()),
               std::make_move_iterator(waiter->writes->end()));
  }
  std::vector<absl::Status> statuses = Commit(*store_, all);
  std::size_t next = 0;
  for (Waiter* waiter : group) {
    for (JournalWrite& write : *waiter->writes) {
      write = std::move(all[next]);
      waiter->statuses.push_back(std::move(statuses[next]));
      ++next;
    }
  }
}

std::deque<GroupCommit::Waiter*> GroupCommit::TakeWaiting(const Waiter& committer) {
  // Whose turn it was, and who is not here yet, is committed for instead.
  if (waiting_.front() != &committer && waiting_.front()->commits) {
    waiting_.front()->commits = false;
    --commits_;
  }
  return std::exchange(waiting_, {});
}

void GroupCommit::PassOn() {
  // Nobody but the first is told, who takes all others along.
  if (waiting_.empty() || waiting_.front()->commits) {
    --commits_;
    return;
  }
  waiting_.front()->commits = true;
  waiting_.front()->told.notify_one();
}

std::vector<absl::Status> GroupCommit::WriteAll(std::vector<JournalWrite>& writes) {
  if (writes.empty()) return {};
  Waiter self;
  self.writes = &writes;
  MutexLock lock(mutex_);
  waiting_.push_back(&self);
  if (commits_ < commits_at_once_) {
    ++commits_;
  } else {
    self.told.wait(lock, [&self] { return self.committed || self.commits; });
    if (self.committed) return std::move(self.statuses);
  }

  const std::deque<Waiter*> group = TakeWaiting(self);
  lock.unlock();
  CommitFor(group);
  lock.lock();
  PassOn();
  for (Waiter* waiter : group) {
    if (waiter == &self) continue;
    waiter->committed = true;
    // Under the lock: it may be gone as soon as it can be.
    waiter->told.notify_one();
  }
  return std::move(self.statuses);
}

}  // namespace hourglass::issuance
