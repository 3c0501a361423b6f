// When whoever writes to a store tells of it, as TenantStore::changes has it: whatever database it
// is. To be called after the transaction and without its locks, since who is told may read at once.
// All of it is safe to call from several threads.
#ifndef HOURGLASS_ISSUANCE_STORE_CHANGE_NEWS_H_
#define HOURGLASS_ISSUANCE_STORE_CHANGE_NEWS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/journal_store.h"
#include "issuance/store/tenant_changes.h"

namespace hourglass::issuance {

// Each returns what it is given as it is.
//
// Of a write that the fence may refuse: tells where it did (PRIMARY_CHANGED).
absl::Status TellIfFenced(const TenantChanges& changes, absl::string_view tenant_id,
                          absl::Status status);
// Of a write that changes the tenant: tells where it was made, or may have been
// (JOURNAL_UNAVAILABLE), and where the fence refused it.
absl::Status TellOfChange(const TenantChanges& changes, absl::string_view tenant_id,
                          absl::Status status);
template <typename T>
absl::StatusOr<T> TellOfChange(const TenantChanges& changes, absl::string_view tenant_id,
                               absl::StatusOr<T> result) {
  TellOfChange(changes, tenant_id, result.status()).IgnoreError();
  return result;
}

// Tells of every tenant of which one of the writes was refused by the fence, once. `statuses`: one
// a write.
void TellOfFenced(const TenantChanges& changes, absl::Span<const JournalWrite> writes,
                  absl::Span<const absl::Status> statuses);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_CHANGE_NEWS_H_
