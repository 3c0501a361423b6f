// The locks of the fence that a batch of writes needs.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_EPOCH_LOCKS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_EPOCH_LOCKS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/journal_store.h"
#include "issuance/store/postgresql/engine/rows.h"

namespace hourglass::issuance::postgresql {

// Of every tenant in the batch, shared (issuance/store/postgresql/engine/fence.h), in the order of
// their keys: whoever takes several at once must take them in one order. For one thread at a time.
class EpochLocks {
 public:
  // `writes` is not empty.
  explicit EpochLocks(absl::Span<const JournalWrite> writes);

  // Takes them; to run by itself, before whatever reads an epoch. Uses this object.
  Statement Taking() const;

 private:
  std::int64_t only_key_ = 0;
  std::string several_keys_;  // as an array; empty where there is one
};

// Of either kind of write.
absl::string_view TenantOf(const JournalWrite& write);
absl::string_view RequestOf(const JournalWrite& write);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_EPOCH_LOCKS_H_
