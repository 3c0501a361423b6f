// The role of the store that keeps the journal: what was to be issued, and what was.
#ifndef HOURGLASS_ISSUANCE_STORE_JOURNAL_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_JOURNAL_STORE_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/page.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

// Each field narrows if set.
struct JournalFilter {
  std::string user_upn;  // finds all that ca::FoldedUpn makes the same
  std::string device_id;
  std::string serial_number;
  std::optional<Timestamp> intended_from;    // inclusive
  std::optional<Timestamp> intended_before;  // exclusive
  // Only those that were released and whose certificate has not expired by then.
  std::optional<Timestamp> live_at;
};

using JournalWrite = std::variant<Intent, Release>;

// The contract that all roles share stands at Store (issuance/store/store.h).
class JournalStore {
 public:
  virtual ~JournalStore() = default;
  JournalStore(const JournalStore&) = delete;
  JournalStore& operator=(const JournalStore&) = delete;

  // Writes all in one transaction (one group commit) and returns one status a write, in order. A
  // write that is refused leaves no trace and does not hinder the others. An intent is refused with
  // TENANT_UNKNOWN without a tenant, with PRIMARY_CHANGED unless its epoch is the tenant's and its
  // root the tenant's PRIMARY (promise 6), with REQUEST_ID_REUSED if its (tenant, request id) is
  // there already, and with INTERNAL_ERROR if its (tenant, root, serial) is, or its intermediate is
  // not there, of its root and released. A release is refused
  // with PRIMARY_CHANGED unless its epoch is both its intent's and the tenant's, with
  // CERTIFICATE_UNKNOWN without an intent, and with REQUEST_ID_REUSED if it was released already.
  // The outer status is an error if nothing could be written. What is refused with
  // REQUEST_ID_REUSED is as durable when this returns as what is written: by that answer a
  // certificate on record leaves. Where transactions run beside each other, the tenant's epoch must
  // be held against change until the commit, or the fence has a gap
  // (docs/decisions/0033-the-fence-is-an-advisory-lock.md).
  virtual absl::StatusOr<std::vector<absl::Status>> AppendToJournal(
      absl::Span<const JournalWrite> writes) = 0;
  // How many of these are worth being under way at once, at least 1; always the same. More are
  // right, and wait for each other.
  virtual int AppendsAtOnce() const = 0;
  // By serial number: the newest, if roots of the tenant share one. Errors: CERTIFICATE_UNKNOWN.
  virtual absl::StatusOr<JournalRecord> FindByRequestId(absl::string_view tenant_id,
                                                        absl::string_view request_id) = 0;
  virtual absl::StatusOr<JournalRecord> FindBySerialNumber(absl::string_view tenant_id,
                                                           absl::string_view serial_number) = 0;
  // Newest intent first. Pages as Page says. An intent that is written meanwhile makes none of the
  // others appear twice or not at all. With `live_at` a page may have fewer records than were asked
  // for, and even none, and another follow.
  virtual absl::StatusOr<Page<JournalRecord>> ListJournal(absl::string_view tenant_id,
                                                          const JournalFilter& filter,
                                                          int page_size,
                                                          absl::string_view page_token) = 0;
  // Forgets records that were intended before `before` and whose certificates expired by then, all
  // or some: a store may keep any of them for as long as it keeps others that it holds in the same
  // file. A request id, and a serial number, that is forgotten is free again. Forgets nothing else.
  // What is forgotten is not deleted yet: whoever runs the store may take it back by its files.
  virtual absl::Status DropJournalBefore(Timestamp before) = 0;
  // Deletes what was forgotten, once an earlier call, with a time a day or more before `now`, has
  // found it forgotten. Times after `now` count as `now`: no clock that leapt makes the day shorter
  // unless both calls believe it.
  virtual absl::Status DeleteDroppedJournal(Timestamp now) = 0;

 protected:
  JournalStore() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_JOURNAL_STORE_H_
