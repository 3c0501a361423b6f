// The statements of a move that are PostgreSQL's own.
#ifndef HOURGLASS_ISSUANCE_STORE_TRANSFER_POSTGRESQL_MOVE_STATEMENTS_H_
#define HOURGLASS_ISSUANCE_STORE_TRANSFER_POSTGRESQL_MOVE_STATEMENTS_H_

#include "absl/strings/string_view.h"

namespace hourglass::issuance::postgresql {

// As whoever lists roots gets them: greatest() passes over NULL.
inline constexpr absl::string_view kLastLeaf =
    "greatest(last_leaf_not_after, (SELECT max(leaf.not_after) FROM last_leaves AS leaf "
    "WHERE leaf.tenant_id = roots.tenant_id AND leaf.root_id = roots.root_id))";

// The one that TimeRecords::KeepMark would keep of all machines'.
inline constexpr absl::string_view kNewestMark =
    "(SELECT * FROM time_marks ORDER BY acceptances DESC, newest_at DESC, machine LIMIT 1) AS mark";

// The journal has no index by sequence numbers, and while it is served it needs none.
inline constexpr absl::string_view kMakeOrder =
    "DROP TABLE IF EXISTS pg_temp.moving_order;"
    "CREATE TEMPORARY TABLE moving_order AS SELECT sequence, tenant_id, intended_at FROM intents;"
    "CREATE UNIQUE INDEX ON moving_order (sequence);"
    "ANALYZE moving_order;";
inline constexpr absl::string_view kOrderedJournal =
    "(SELECT o.sequence, i.tenant_id, i.epoch, i.root_id, i.request_id, i.request_digest,"
    "   i.caller, i.user_id, i.user_upn, i.device_id, i.verdict_id, i.policy_version,"
    "   i.verdict_evaluated_at, i.serial_number, i.not_before, i.not_after, i.tbs_certificate,"
    "   i.intermediate_serial_number, i.intended_at, r.certificate, r.released_at, i.identity,"
    "   i.token_issuer, i.token_id, i.folded_upn,"
    "   EXISTS (SELECT FROM journal_keys k WHERE k.tenant_id = i.tenant_id"
    "     AND k.request_id = i.request_id AND k.sequence = i.sequence AND k.epoch = i.epoch"
    "     AND k.root_id = i.root_id AND k.serial_number = i.serial_number"
    "     AND k.intended_at = i.intended_at AND k.not_after = i.not_after) AS has_keys"
    " FROM pg_temp.moving_order o"
    " JOIN intents i ON i.tenant_id = o.tenant_id AND i.intended_at = o.intended_at"
    "   AND i.sequence = o.sequence"
    " LEFT JOIN releases r ON r.sequence = o.sequence AND r.intended_at = o.intended_at)"
    " AS journal";

// The columns of JournalPart() in their order, and the folded UPN.
inline constexpr absl::string_view kInsertJournal =
    "WITH keys AS ("
    "  INSERT INTO journal_keys (sequence, tenant_id, epoch, root_id, request_id, serial_number,"
    "    not_after, intended_at) VALUES ($1, $2, $3, $4, $5, $14, $16, $19)"
    "), release AS ("
    "  INSERT INTO releases (sequence, intended_at, certificate, released_at)"
    "  SELECT $1, $19, $20::bytea, $21::bigint WHERE $21::bigint IS NOT NULL"
    ") "
    "INSERT INTO intents (sequence, tenant_id, epoch, root_id, request_id, request_digest, caller,"
    "  user_id, user_upn, device_id, verdict_id, policy_version, verdict_evaluated_at,"
    "  serial_number, not_before, not_after, tbs_certificate, intermediate_serial_number,"
    "  intended_at, identity, token_issuer, token_id, folded_upn) VALUES ($1, $2, $3, $4, $5, $6,"
    "  $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $22, $23, $24, $25)";

// All that a service writes, but which replicas there are.
inline constexpr absl::string_view kLockAll =
    "SET LOCAL lock_timeout = '15s';"
    "LOCK TABLE tenants, roots, planned_keys, bound_keys, intermediates, devices, relying_parties, "
    "policy_versions, policies, directory_users, blocks, device_keys, refusals, "
    "newest_decision_events, decision_events, "
    "administrative_actions, journal_partitions, journal_keys, intents, releases, last_leaves, "
    "time_marks, store_move IN SHARE ROW EXCLUSIVE MODE";

// Numbers go on above those that came.
inline constexpr absl::string_view kFinish[] = {
    "SELECT setval('intent_sequence', max(sequence)) FROM journal_keys HAVING max(sequence) > 0",
    "SELECT setval(pg_get_serial_sequence('hourglass.intermediates', 'sequence')::regclass, "
    "max(sequence)) FROM intermediates HAVING max(sequence) > 0",
    "SELECT setval(pg_get_serial_sequence('hourglass.administrative_actions', "
    "'sequence')::regclass, max(sequence)) FROM administrative_actions HAVING max(sequence) > 0",
    "SELECT setval(pg_get_serial_sequence('hourglass.refusals', 'sequence')::regclass, "
    "max(sequence)) FROM refusals HAVING max(sequence) > 0",
    "UPDATE tenants SET primary_root = (SELECT root_id FROM roots "
    "WHERE roots.tenant_id = tenants.tenant_id AND state = 'PRIMARY')"};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_TRANSFER_POSTGRESQL_MOVE_STATEMENTS_H_
