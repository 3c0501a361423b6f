// A journal of any size, for measurements.
#ifndef HOURGLASS_ISSUANCE_STORE_TESTING_FILL_JOURNAL_H_
#define HOURGLASS_ISSUANCE_STORE_TESTING_FILL_JOURNAL_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "issuance/store/records.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// The intent of request `number`, from 0: of root-1 under epoch 1, as AddSamplePrimary leaves them,
// one millisecond after the one before, as large as those of P-256 certificates. 5000 devices, each
// with a user of its own, take turns.
Intent SyntheticIntent(std::int64_t number, absl::string_view tenant_id);

// Of that intent; its certificate holds the TBSCertificate as one does.
Release SyntheticRelease(const Intent& intent);

// Writes and releases `count` synthetic requests from number `first` on, 512 a transaction. The
// tenant is as AddSamplePrimary makes it. Errors: as Store::AppendToJournal.
absl::Status FillJournal(Store& store, absl::string_view tenant_id, std::int64_t count,
                         std::int64_t first = 0);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TESTING_FILL_JOURNAL_H_
