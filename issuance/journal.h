// Intents and releases in group commits.
#ifndef HOURGLASS_ISSUANCE_JOURNAL_H_
#define HOURGLASS_ISSUANCE_JOURNAL_H_

#include <condition_variable>
#include <deque>
#include <mutex>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// Writers that arrive while a commit is under way share the next one: the first of them commits for
// all, so that an idle journal adds no delay and a busy one pays one fdatasync for many. Safe to
// call from several threads.
class Journal {
 public:
  // `store` must outlive this object.
  explicit Journal(Store* store) : store_(store) {}
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Blocks until the intent is durable. Errors: as Store::AppendToJournal.
  absl::Status WriteIntent(Intent intent);

  // Blocks until the release is durable; only then may the certificate leave (promise 3). Errors:
  // as Store::AppendToJournal.
  absl::Status WriteRelease(Release release);

  // Errors: CERTIFICATE_UNKNOWN, JOURNAL_UNAVAILABLE.
  absl::StatusOr<JournalRecord> Find(absl::string_view tenant_id, absl::string_view request_id);

  // The intermediate that an intent names. Errors: CERTIFICATE_UNKNOWN, JOURNAL_UNAVAILABLE.
  absl::StatusOr<IntermediateRecord> FindIntermediate(const Intent& intent);

 private:
  struct Waiter;

  absl::Status Write(JournalWrite write);

  Store* const store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiter*> waiting_;
  bool committing_ = false;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_JOURNAL_H_
