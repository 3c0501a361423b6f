// The role of the store that keeps what administrators did. Other roles write it, each in the
// transaction of the change itself: an action is recorded if and only if it was done. Nothing drops
// one; the retention of the journal is of certificates.
#ifndef HOURGLASS_ISSUANCE_STORE_ADMINISTRATIVE_JOURNAL_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_ADMINISTRATIVE_JOURNAL_STORE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/page.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

// The contract that all roles share stands at Store (issuance/store/store.h).
class AdministrativeJournalStore {
 public:
  virtual ~AdministrativeJournalStore() = default;
  AdministrativeJournalStore(const AdministrativeJournalStore&) = delete;
  AdministrativeJournalStore& operator=(const AdministrativeJournalStore&) = delete;

  // Newest first; empty for a tenant that there is not. Pages as Page says.
  virtual absl::StatusOr<Page<AdministrativeAction>> ListAdministrativeActions(
      absl::string_view tenant_id, int page_size, absl::string_view page_token) = 0;

 protected:
  AdministrativeJournalStore() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_ADMINISTRATIVE_JOURNAL_STORE_H_
