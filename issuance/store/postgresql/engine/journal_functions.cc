#include "issuance/store/postgresql/engine/journal_functions.h"

namespace hourglass::issuance::postgresql {

const absl::string_view kJournalFunctions = "";

absl::Span<const absl::string_view> JournalFunctionsOfService() { return {}; }

}  // namespace hourglass::issuance::postgresql
