#include "issuance/store/postgresql/journal/journal_statements.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::postgresql {
namespace {

#define HOURGLASS_JOURNAL_COLUMNS                                                            \
  "SELECT i.sequence, i.tenant_id, i.epoch, i.root_id, i.request_id, i.request_digest,"      \
  "  i.caller, i.user_id, i.user_upn, i.device_id, i.verdict_id, i.policy_version,"          \
  "  i.verdict_evaluated_at, i.serial_number, i.not_before, i.not_after, i.tbs_certificate," \
  "  i.intermediate_serial_number, i.intended_at,"                                           \
  "  r.certificate, r.released_at, i.identity, i.token_issuer, i.token_id "

// Times of partitions are compared, so that those of other times are not opened.
#define HOURGLASS_JOURNAL_BY_KEYS                                    \
  "FROM journal_keys k JOIN intents i ON i.tenant_id = k.tenant_id"  \
  "  AND i.intended_at = k.intended_at AND i.sequence = k.sequence " \
  "LEFT JOIN releases r ON r.sequence = k.sequence AND r.intended_at = k.intended_at "

// The clauses of a statement with the values in them.
class Clauses {
 public:
  explicit Clauses(std::string sql) : sql_(std::move(sql)) {}

  // The next value, as it stands in the statement.
  std::string Add(const Value& value) {
    values_.push_back(value);
    return absl::StrCat("$", values_.size());
  }
  void Append(absl::string_view text) { sql_.append(text.data(), text.size()); }
  void And(absl::string_view comparison, const Value& value) {
    Append(absl::StrCat("AND ", comparison, " ", Add(value), " "));
  }
  Selection Take() { return {std::move(sql_), std::move(values_)}; }

 private:
  std::string sql_;
  std::vector<Value> values_;
};

}  // namespace

const absl::string_view kSelectByRequestId = HOURGLASS_JOURNAL_COLUMNS HOURGLASS_JOURNAL_BY_KEYS
    "WHERE k.tenant_id = $1 AND k.request_id = $2";

const absl::string_view kSelectBySerialNumber = HOURGLASS_JOURNAL_COLUMNS HOURGLASS_JOURNAL_BY_KEYS
    "WHERE k.tenant_id = $1 AND k.serial_number = $2 "
    "ORDER BY k.intended_at DESC, k.sequence DESC LIMIT 1";

const absl::string_view kSelectNewestIntent =
    "SELECT max(newest.intended_at) FROM ("
    "  SELECT p.first_at, p.end_at FROM journal_partitions p WHERE EXISTS ("
    "    SELECT FROM intents i WHERE i.intended_at >= p.first_at AND i.intended_at < p.end_at)"
    "  ORDER BY p.first_at DESC LIMIT 1) AS partition "
    "CROSS JOIN tenants t CROSS JOIN LATERAL ("
    "  SELECT i.intended_at FROM intents i WHERE i.tenant_id = t.tenant_id"
    "    AND i.intended_at >= partition.first_at AND i.intended_at < partition.end_at"
    "  ORDER BY i.intended_at DESC LIMIT 1) AS newest";

Selection SelectJournal(absl::string_view tenant_id, const JournalFilter& filter,
                        const std::optional<JournalPosition>& after, int limit) {
  const bool is_by_serial = !filter.serial_number.empty();
  Clauses clauses(HOURGLASS_JOURNAL_COLUMNS);
  clauses.Append(is_by_serial ? HOURGLASS_JOURNAL_BY_KEYS
                              : "FROM intents i LEFT JOIN releases r ON r.sequence = i.sequence"
                                "  AND r.intended_at = i.intended_at ");
  clauses.Append(absl::StrCat("WHERE i.tenant_id = ", clauses.Add(Text{tenant_id}), " "));
  if (is_by_serial) {
    clauses.And("k.tenant_id =", Text{tenant_id});
    clauses.And("k.serial_number =", Blob{filter.serial_number});
  }
  if (!filter.user_upn.empty()) clauses.And("i.folded_upn =", Text{filter.user_upn});
  if (!filter.device_id.empty()) clauses.And("i.device_id =", Text{filter.device_id});
  if (filter.intended_from.has_value()) {
    clauses.And("i.intended_at >=", ValueOf(*filter.intended_from));
  }
  if (filter.intended_before.has_value()) {
    clauses.And("i.intended_at <", ValueOf(*filter.intended_before));
  }
  if (filter.live_at.has_value()) {
    clauses.And("i.not_after >=", ValueOf(EarliestLiveEnd(*filter.live_at)));
    clauses.Append("AND r.released_at IS NOT NULL ");
  }
  if (after.has_value()) {
    // The second says nothing more, but it is what rules partitions out.
    const std::string intended_at = clauses.Add(ValueOf(after->intended_at));
    const std::string sequence = clauses.Add(after->sequence);
    clauses.Append(absl::StrCat("AND (i.intended_at, i.sequence) < (", intended_at, ", ", sequence,
                                ") AND i.intended_at <= ", intended_at, " "));
  }
  const std::string most = clauses.Add(std::int64_t{limit});
  clauses.Append(absl::StrCat("ORDER BY i.intended_at DESC, i.sequence DESC LIMIT ", most));
  return clauses.Take();
}

}  // namespace hourglass::issuance::postgresql
