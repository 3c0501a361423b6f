#include "issuance/store/postgresql/engine/schema_version_3.h"

namespace hourglass::issuance::postgresql {

// A constant default rewrites no table. Partitions that were dropped get the columns, too, so that
// they can be attached again.
const absl::string_view kSchemaVersion3 = R"sql(
ALTER TABLE intents
  ADD COLUMN identity octets_text NOT NULL DEFAULT '',
  ADD COLUMN token_issuer octets_text NOT NULL DEFAULT '',
  ADD COLUMN token_id octets_text NOT NULL DEFAULT '';
DO $$
DECLARE
  dropped bigint;
BEGIN
  FOR dropped IN SELECT number FROM dropped_partitions LOOP
    EXECUTE format('ALTER TABLE hourglass_dropped.%I
                      ADD COLUMN identity hourglass.octets_text NOT NULL DEFAULT '''',
                      ADD COLUMN token_issuer hourglass.octets_text NOT NULL DEFAULT '''',
                      ADD COLUMN token_id hourglass.octets_text NOT NULL DEFAULT ''''',
                   'intents_' || dropped);
  END LOOP;
END
$$;
)sql";

}  // namespace hourglass::issuance::postgresql
