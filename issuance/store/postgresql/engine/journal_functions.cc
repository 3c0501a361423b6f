#include "issuance/store/postgresql/engine/journal_functions.h"

namespace hourglass::issuance::postgresql {

// Names of tables are made of numbers of the database's own and of nothing else.
const absl::string_view kJournalFunctions = R"sql(
CREATE OR REPLACE FUNCTION hourglass.microseconds_now() RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = hourglass, pg_temp
AS $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;

CREATE OR REPLACE FUNCTION hourglass.make_journal_partition(at bigint, span bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = hourglass, pg_temp
AS $$
DECLARE
  first bigint;
  last bigint;
  made bigint;
  parent text;
BEGIN
  IF at IS NULL OR span IS NULL OR span < 3600000000 OR at < 0
     OR at > 9000000000000000000 - span THEN
    RAISE EXCEPTION 'no partition of the journal can be so' USING ERRCODE = '22023';
  END IF;
  IF EXISTS (SELECT FROM journal_partitions WHERE first_at <= at AND at < end_at) THEN
    RETURN;
  END IF;
  -- For whoever makes or drops one at the same time, and for nobody else.
  LOCK TABLE journal_partitions IN SHARE ROW EXCLUSIVE MODE;
  IF EXISTS (SELECT FROM journal_partitions WHERE first_at <= at AND at < end_at) THEN
    RETURN;
  END IF;
  first := at - at % span;
  -- Others may be of another span.
  SELECT greatest(first, max(end_at)) INTO first FROM journal_partitions WHERE end_at <= at;
  SELECT least(at - at % span + span, min(first_at)) INTO last FROM journal_partitions
    WHERE first_at > at;
  INSERT INTO journal_partitions (first_at, end_at) VALUES (first, last) RETURNING number INTO made;
  FOREACH parent IN ARRAY ARRAY['intents', 'releases'] LOOP
    -- Attached after it was made: CREATE TABLE … PARTITION OF would lock the journal for itself.
    EXECUTE format('CREATE TABLE hourglass.%I (LIKE hourglass.%I INCLUDING ALL)',
                   parent || '_' || made, parent);
    EXECUTE format('ALTER TABLE hourglass.%I ATTACH PARTITION hourglass.%I FOR VALUES FROM (%s) TO (%s)',
                   parent, parent || '_' || made, first, last);
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION hourglass.has_certificate_ending_after(partition bigint, moment bigint)
RETURNS boolean
LANGUAGE plpgsql SET search_path = hourglass, pg_temp SET enable_seqscan = off
AS $$
DECLARE
  found_one boolean;
BEGIN
  -- A certificate is valid through its last second.
  EXECUTE format('SELECT EXISTS (SELECT FROM hourglass.%I WHERE not_after >= $1)',
                 'intents_' || partition)
    INTO found_one USING moment / 1000000;
  RETURN found_one;
END
$$;

CREATE OR REPLACE FUNCTION hourglass.drop_journal_before(before bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = hourglass, pg_temp SET lock_timeout = '100ms'
AS $$
DECLARE
  dropped journal_partitions;
  newest bigint;
  parent text;
BEGIN
  SELECT least(before, microseconds_now() - minimum_retention) INTO STRICT newest
    FROM journal_settings;
  LOCK TABLE journal_partitions IN SHARE ROW EXCLUSIVE MODE;
  FOR dropped IN SELECT * FROM journal_partitions WHERE end_at <= newest ORDER BY first_at LOOP
    CONTINUE WHEN has_certificate_ending_after(dropped.number, before);
    -- First the partition, which nobody needs much, then the whole, which everybody does.
    EXECUTE format('LOCK TABLE hourglass.%I, hourglass.%I IN ACCESS EXCLUSIVE MODE',
                   'intents_' || dropped.number, 'releases_' || dropped.number);
    -- By an append that was under way.
    CONTINUE WHEN has_certificate_ending_after(dropped.number, before);
    FOREACH parent IN ARRAY ARRAY['intents', 'releases'] LOOP
      EXECUTE format('ALTER TABLE hourglass.%I DETACH PARTITION hourglass.%I',
                     parent, parent || '_' || dropped.number);
      EXECUTE format('ALTER TABLE hourglass.%I SET SCHEMA hourglass_dropped',
                     parent || '_' || dropped.number);
    END LOOP;
    DELETE FROM journal_partitions WHERE number = dropped.number;
    INSERT INTO dropped_partitions (number, first_at, end_at, dropped_at)
      VALUES (dropped.number, dropped.first_at, dropped.end_at, microseconds_now());
    RETURN 1;
  END LOOP;
  RETURN 0;
EXCEPTION WHEN lock_not_available THEN
  RETURN -1;
END
$$;

CREATE OR REPLACE FUNCTION hourglass.free_journal_keys() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = hourglass, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  portion constant bigint := 1024;
  dropped dropped_partitions;
  pages bigint;
BEGIN
  SELECT * INTO dropped FROM dropped_partitions WHERE NOT keys_are_free
    ORDER BY number LIMIT 1 FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  -- Keys that were freed before, and used again, are of another intent.
  EXECUTE format('DELETE FROM journal_keys k USING hourglass_dropped.%I i
                    WHERE i.ctid >= $1 AND i.ctid < $2 AND k.tenant_id = i.tenant_id
                      AND k.request_id = i.request_id AND k.sequence = i.sequence',
                 'intents_' || dropped.number)
    USING format('(%s,0)', dropped.freed_pages)::tid,
          format('(%s,0)', dropped.freed_pages + portion)::tid;
  pages := pg_relation_size(format('hourglass_dropped.%I', 'intents_' || dropped.number)::regclass)
           / current_setting('block_size')::bigint;
  UPDATE dropped_partitions
    SET freed_pages = least(dropped.freed_pages + portion, pages),
        keys_are_free = dropped.freed_pages + portion >= pages
    WHERE number = dropped.number;
  RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION hourglass.delete_dropped_journal(now bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = hourglass, pg_temp
AS $$
DECLARE
  day constant bigint := 86400000000;
  dropped dropped_partitions;
  newest bigint;
  deleted bigint := 0;
BEGIN
  SELECT microseconds_now() - minimum_keeping INTO STRICT newest FROM journal_settings;
  FOR dropped IN SELECT * FROM dropped_partitions ORDER BY number FOR UPDATE LOOP
    IF dropped.seen_at <= now - day AND dropped.dropped_at <= newest AND dropped.keys_are_free THEN
      EXECUTE format('DROP TABLE hourglass_dropped.%I, hourglass_dropped.%I',
                     'intents_' || dropped.number, 'releases_' || dropped.number);
      DELETE FROM dropped_partitions WHERE number = dropped.number;
      deleted := deleted + 1;
    ELSE
      UPDATE dropped_partitions SET seen_at = least(seen_at, now) WHERE number = dropped.number;
    END IF;
  END LOOP;
  RETURN deleted;
END
$$;
)sql";

absl::Span<const absl::string_view> JournalFunctionsOfService() {
  static constexpr absl::string_view kNames[] = {"make_journal_partition", "drop_journal_before",
                                                 "free_journal_keys", "delete_dropped_journal"};
  return kNames;
}

}  // namespace hourglass::issuance::postgresql
