#include "issuance/store/postgresql/tables/postgresql_decisions.h"

#include "issuance/store/postgresql/tables/postgresql_tenants.h"

namespace hourglass::issuance {

template class DecisionTables<postgresql::DecisionEngine>;

}  // namespace hourglass::issuance
