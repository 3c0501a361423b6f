// What a store says of a tenant, for the history checker.
#ifndef HOURGLASS_TESTS_HISTORY_SERVICE_STORE_HISTORY_H_
#define HOURGLASS_TESTS_HISTORY_SERVICE_STORE_HISTORY_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/store.h"
#include "tests/history/history.h"

namespace hourglass::history {

// All that it has, page by page, oldest first; without times of commit, which no contract of a
// store has. To be asked for once nobody writes any more. Errors: those of the store.
absl::StatusOr<TenantHistory> ReadTenantHistory(issuance::Store& store,
                                                absl::string_view tenant_id);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_SERVICE_STORE_HISTORY_H_
