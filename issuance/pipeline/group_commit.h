// Intents and releases in group commits.
#ifndef HOURGLASS_ISSUANCE_PIPELINE_GROUP_COMMIT_H_
#define HOURGLASS_ISSUANCE_PIPELINE_GROUP_COMMIT_H_

#include <deque>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "issuance/store/intermediate_store.h"
#include "issuance/store/journal_store.h"

namespace hourglass::issuance {

// Writers that arrive while as many commits are under way as the store does at once share the next
// one: the first of them commits for all, so that an idle journal adds no delay and a busy one pays
// one wait for the disk for many. Safe to call from several threads.
class GroupCommit {
 public:
  // Both must outlive this object.
  GroupCommit(JournalStore* store, IntermediateStore* intermediates)
      : store_(store), intermediates_(intermediates), commits_at_once_(store->AppendsAtOnce()) {}
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  // Blocks until the writes are durable, and returns one status each, in order: of an intent; or of
  // a release, of which only then the certificate may leave (promise 3). All are of one commit;
  // without any there is none. `writes` holds what it held when this returns. Errors: as
  // JournalStore::AppendToJournal.
  std::vector<absl::Status> WriteAll(std::vector<JournalWrite>& writes);

  // The same for one.
  absl::Status Write(JournalWrite write);

  // Errors: CERTIFICATE_UNKNOWN, JOURNAL_UNAVAILABLE.
  absl::StatusOr<JournalRecord> Find(absl::string_view tenant_id, absl::string_view request_id);

  // The intermediate that an intent names. Errors: CERTIFICATE_UNKNOWN, JOURNAL_UNAVAILABLE.
  absl::StatusOr<IntermediateRecord> FindIntermediate(const Intent& intent);

 private:
  struct Waiter;

  std::deque<Waiter*> TakeWaiting(const Waiter& committer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CommitFor(const std::deque<Waiter*>& group);
  void PassOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  JournalStore* const store_;
  IntermediateStore* const intermediates_;
  const int commits_at_once_;
  Mutex mutex_;
  std::deque<Waiter*> waiting_ ABSL_GUARDED_BY(mutex_);
  // Of those that commit, or were told to and are on their way.
  int commits_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_PIPELINE_GROUP_COMMIT_H_
