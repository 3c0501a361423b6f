// The tables of the store, and which programs may use them.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SCHEMA_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SCHEMA_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::issuance::postgresql {

// One step of the schema. All of it lies in PostgreSQL's schema `hourglass`.
struct Migration {
  // Locks no table of those that each request uses before `tenants`, if it locks that at all: an
  // append holds `tenants` while it waits for the journal's tables, and a step that had one of
  // these would never get it.
  absl::string_view sql;
  // The oldest version whose programs may go on using the schema after this step, beside programs
  // of the new one: the number of a migration, from 1. Where it is the step's own number, all older
  // ones must be stopped first.
  std::int64_t oldest_program = 0;
};

// In the order of their versions, from 1. Lives as long as the process.
absl::Span<const Migration> Migrations();

// Whether a program that knows `migrations` may use the database as it is. Changes nothing. Errors:
// JOURNAL_UNAVAILABLE: no schema, or an older one (`hourglass store prepare` makes and upgrades
// it); a newer one that leaves this program out; a schema `hourglass` of another application.
absl::Status CheckSchema(Connection& connection, absl::Span<const Migration> migrations);

// The same for a program that brings all there is elsewhere, and so must know all of it. Errors:
// also JOURNAL_UNAVAILABLE where the schema is newer, even if this program may go on serving it.
absl::Status CheckSchemaIsKnown(Connection& connection, absl::Span<const Migration> migrations);

// Makes what lacks, each step in a transaction of its own and one program at a time, as the role
// that owns the database's schema. Services run meanwhile: a step waits for a table for a fifth of
// a second at most, so that nobody waits behind it for longer, and is tried again for some ten
// seconds. Then grants `service_role` what the service needs and no more:
// it may read and add to the journal, and neither change nor drop it but by the functions for
// retention, which have bounds of their own. The role must be there, and be another than the
// owner's. Where it is done already nothing is changed. Errors: as CheckSchema; JOURNAL_UNAVAILABLE
// where programs that the next step leaves out are connected (their application_name in
// pg_stat_activity begins with `hourglass`): it names them; and where a table was in use all the
// time. Of a step that was not made nothing is left.
absl::Status PrepareSchema(Connection& owner, absl::string_view service_role,
                           absl::Span<const Migration> migrations);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SCHEMA_H_
