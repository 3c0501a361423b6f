// The statements about refusals and events, of SQLite.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_DECISIONS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_DECISIONS_H_

#include "issuance/store/decision_tables.h"
#include "issuance/store/sqlite/engine/sqlite.h"

namespace hourglass::issuance {
namespace sqlite {

struct DecisionEngine {
  using Connection = sqlite::Connection;
  using Rows = sqlite::Rows;
  using Value = sqlite::Value;
  using Text = sqlite::Text;
  using Blob = sqlite::Blob;
};

using Decisions = DecisionTables<DecisionEngine>;

}  // namespace sqlite

extern template class DecisionTables<sqlite::DecisionEngine>;

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_DECISIONS_H_
