#include "issuance/store/sqlite/tables/sqlite_decisions.h"

#include "issuance/store/sqlite/tables/sqlite_tenants.h"

namespace hourglass::issuance {

template class DecisionTables<sqlite::DecisionEngine>;

}  // namespace hourglass::issuance
