// The statements about refusals and events, of PostgreSQL.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_DECISIONS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_DECISIONS_H_

#include "issuance/store/decision_tables.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::issuance {
namespace postgresql {

struct DecisionEngine {
  using Connection = postgresql::Connection;
  using Rows = postgresql::Rows;
  using Value = postgresql::Value;
  using Text = postgresql::Text;
  using Blob = postgresql::Blob;
};

using Decisions = DecisionTables<DecisionEngine>;

}  // namespace postgresql

extern template class DecisionTables<postgresql::DecisionEngine>;

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_DECISIONS_H_
