#include "issuance/store/postgresql/journal/journal_appender.h"

#include <algorithm>
#include <deque>
#include <map>
#include <numeric>
#include <tuple>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"
#include "issuance/store/postgresql/journal/epoch_locks.h"
#include "issuance/store/postgresql/journal/journal_partitions.h"
#include "issuance/store/postgresql/journal/journal_refusals.h"

namespace hourglass::issuance::postgresql {
namespace {

// Inserts nothing unless the fence holds and both keys are free.
constexpr absl::string_view kInsertIntent =
    "WITH fenced AS ("
    "  SELECT FROM tenants"
    "  WHERE tenant_id = $1 AND epoch = $2 AND primary_root = $3 AND ($4 = ''::bytea OR EXISTS ("
    "    SELECT FROM intermediates WHERE tenant_id = $1 AND root_id = $3 AND serial_number = $4"
    "      AND certificate IS NOT NULL))"
    "), keys AS ("
    "  INSERT INTO journal_keys (tenant_id, request_id, root_id, serial_number, epoch, intended_at,"
    "    not_after, sequence)"
    "  SELECT $1, $5, $3, $6, $2, $7, $8, nextval('intent_sequence') FROM fenced"
    "  ON CONFLICT DO NOTHING RETURNING sequence"
    ") "
    "INSERT INTO intents (tenant_id, epoch, root_id, intermediate_serial_number, request_id,"
    "  serial_number, intended_at, not_after, request_digest, caller, user_id, user_upn,"
    "  folded_upn, device_id, verdict_id, policy_version, verdict_evaluated_at, not_before,"
    "  tbs_certificate, identity, token_issuer, token_id, sequence) "
    "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,"
    "  $20, $21, $22, sequence FROM keys";

// A key outlives its intent for a while when the partition is dropped.
constexpr absl::string_view kInsertRelease =
    "INSERT INTO releases (intended_at, sequence, certificate, released_at) "
    "SELECT k.intended_at, k.sequence, $4, $5 "
    "FROM tenants t JOIN journal_keys k ON k.tenant_id = t.tenant_id "
    "WHERE t.tenant_id = $1 AND t.epoch = $3 AND k.request_id = $2 AND k.epoch = $3"
    "  AND k.intended_at < (SELECT p.end_at FROM journal_partitions p"
    "    WHERE p.first_at <= k.intended_at ORDER BY p.first_at DESC LIMIT 1) "
    "ON CONFLICT DO NOTHING";

// Of those that are there now: what was refused raises nothing. One by one, so that no statistics
// let the planner read the other keys of the root.
constexpr absl::string_view kRaiseLastLeaf =
    "WITH leaf AS MATERIALIZED ("
    "  SELECT max((SELECT k.not_after FROM journal_keys k WHERE k.tenant_id = $1"
    "    AND k.request_id = asked.request_id AND k.root_id || '' = $2)) AS not_after"
    "  FROM unnest($4::text::text[]) AS asked (request_id)) "
    "INSERT INTO last_leaves (tenant_id, root_id, writer, not_after) "
    "SELECT $1, $2, $3, not_after FROM leaf WHERE not_after IS NOT NULL "
    "ON CONFLICT (tenant_id, root_id, writer) DO UPDATE"
    "  SET not_after = greatest(last_leaves.not_after, excluded.not_after) "
    "RETURNING not_after";

constexpr int kAttempts = 3;
constexpr absl::string_view kNoPartition = "(23514)";
constexpr absl::string_view kDeadlock = "(40P01)";

std::vector<std::size_t> InOrderOfKeys(absl::Span<const JournalWrite> writes) {
  std::vector<std::size_t> order(writes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple(TenantOf(writes[a]), RequestOf(writes[a])) <
           std::tuple(TenantOf(writes[b]), RequestOf(writes[b]));
  });
  return order;
}

// What a batch needs until it has run.
class Batch {
 public:
  explicit Batch(absl::Span<const JournalWrite> writes)
      : order_(InOrderOfKeys(writes)), locks_(writes) {
    statements_.push_back({"BEGIN"});
    statements_.push_back(locks_.Taking());
    first_write_ = statements_.size();
    for (const std::size_t i : order_) {
      std::visit([this](const auto& record) { Add(record); }, writes[i]);
    }
  }

  void RaiseLastLeaf(absl::string_view tenant_id, absl::string_view root_id, std::int64_t writer,
                     absl::string_view request_ids) {
    statements_.push_back(
        {kRaiseLastLeaf, {Text{tenant_id}, Text{root_id}, writer, Text{request_ids}}});
  }

  // The rows of RaiseLastLeaf are left in `noted`, in order.
  absl::StatusOr<std::vector<bool>> Run(Connection& connection, std::vector<Rows>& noted) {
    statements_.push_back({"COMMIT"});
    ASSIGN_OR_RETURN(std::vector<Rows> rows, connection.RunTogether(statements_));
    std::vector<bool> written(order_.size());
    for (std::size_t i = 0; i < order_.size(); ++i) {
      written[order_[i]] = rows[first_write_ + i].count() == 1;
    }
    for (std::size_t i = first_write_ + order_.size(); i + 1 < rows.size(); ++i) {
      noted.push_back(std::move(rows[i]));
    }
    return written;
  }

 private:
  void Add(const Intent& intent) {
    folded_.push_back(ca::FoldedUpn(intent.user_upn));
    statements_.push_back({kInsertIntent,
                           {Text{intent.tenant_id},
                            ValueOf(intent.epoch),
                            Text{intent.root_id},
                            Blob{intent.intermediate_serial_number},
                            Text{intent.request_id},
                            Blob{intent.serial_number},
                            ValueOf(intent.intended_at),
                            ValueOf(intent.not_after),
                            Blob{intent.request_digest},
                            Text{intent.caller},
                            Text{intent.user_id},
                            Text{intent.user_upn},
                            Text{folded_.back()},
                            Text{intent.device_id},
                            Text{intent.verdict_id},
                            Text{intent.policy_version},
                            ValueOf(intent.verdict_evaluated_at),
                            ValueOf(intent.not_before),
                            Blob{intent.tbs_certificate},
                            Text{intent.identity},
                            Text{intent.token_issuer},
                            Text{intent.token_id}}});
  }

  void Add(const Release& release) {
    statements_.push_back(
        {kInsertRelease,
         {Text{release.tenant_id}, Text{release.request_id}, ValueOf(release.epoch),
          Blob{release.certificate}, ValueOf(release.released_at)}});
  }

  const std::vector<std::size_t> order_;
  const EpochLocks locks_;
  std::deque<std::string> folded_;  // they stay where they are
  std::vector<Statement> statements_;
  std::size_t first_write_ = 0;
};

bool Says(const absl::Status& status, absl::string_view sqlstate) {
  return absl::EndsWith(status.message(), sqlstate);
}

// An element of an array, as PostgreSQL reads it (manual 8.15.6).
std::string QuotedElement(absl::string_view text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

}  // namespace

absl::StatusOr<std::vector<absl::Status>> JournalAppender::Append(
    Connection& connection, absl::Span<const JournalWrite> writes) {
  if (writes.empty()) return std::vector<absl::Status>();
  ASSIGN_OR_RETURN(const std::vector<bool> written, WriteOrMakePartitions(connection, writes));
  return StatusesOf(connection, writes, written);
}

absl::StatusOr<std::vector<bool>> JournalAppender::WriteOrMakePartitions(
    Connection& connection, absl::Span<const JournalWrite> writes) {
  for (int attempt = 1;; ++attempt) {
    absl::StatusOr<std::vector<bool>> written = Write(connection, writes);
    if (written.ok()) return written;
    const absl::Status& error = written.status();
    // Nothing of it was committed, as the server itself says. A deadlock needs two serial numbers
    // that collide.
    const bool is_worth_more = Says(error, kNoPartition) || Says(error, kDeadlock);
    if (connection.InTransaction()) RETURN_IF_ERROR(connection.Execute("ROLLBACK"));
    if (!is_worth_more || attempt == kAttempts) return error;
    if (!Says(error, kNoPartition)) continue;
    for (const JournalWrite& write : writes) {
      const auto* const intent = std::get_if<Intent>(&write);
      if (intent == nullptr) continue;
      RETURN_IF_ERROR(MakePartition(connection, intent->intended_at, partition_span_));
    }
  }
}

absl::StatusOr<std::vector<bool>> JournalAppender::Write(Connection& connection,
                                                         absl::Span<const JournalWrite> writes) {
  Batch batch(writes);
  const std::vector<LateLeaves> leaves = FindLateLeaves(writes);
  if (!leaves.empty()) {
    ASSIGN_OR_RETURN(const std::int64_t writer, Writer(connection));
    for (const LateLeaves& late : leaves) {
      batch.RaiseLastLeaf(late.root.first, late.root.second, writer, late.request_ids);
    }
  }
  std::vector<Rows> noted;
  ASSIGN_OR_RETURN(std::vector<bool> written, batch.Run(connection, noted));
  Remember(leaves, absl::MakeSpan(noted));
  return written;
}

std::vector<JournalAppender::LateLeaves> JournalAppender::FindLateLeaves(
    absl::Span<const JournalWrite> writes) {
  // Sorted: two threads that note the same ones do not wait for each other in turn.
  std::map<RootKey, std::vector<std::string>> late;
  MutexLock lock(mutex_);
  for (const JournalWrite& write : writes) {
    const auto* const intent = std::get_if<Intent>(&write);
    if (intent == nullptr) continue;
    RootKey root(intent->tenant_id, intent->root_id);
    const auto noted = last_leaves_.find(root);
    if (noted != last_leaves_.end() && noted->second >= intent->not_after) continue;
    late[std::move(root)].push_back(QuotedElement(intent->request_id));
  }
  std::vector<LateLeaves> leaves;
  for (const auto& [root, request_ids] : late) {
    leaves.push_back({root, absl::StrCat("{", absl::StrJoin(request_ids, ","), "}")});
  }
  return leaves;
}

void JournalAppender::Remember(absl::Span<const LateLeaves> leaves, absl::Span<Rows> noted) {
  MutexLock lock(mutex_);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (!noted[i].Next()) continue;
    const ca::Time not_after = TakeTime(noted[i]);
    const auto [place, is_new] = last_leaves_.try_emplace(leaves[i].root, not_after);
    if (!is_new) place->second = std::max(place->second, not_after);
  }
}

absl::StatusOr<std::int64_t> JournalAppender::Writer(Connection& connection) {
  {
    MutexLock lock(mutex_);
    if (writer_ != 0) return writer_;
  }
  ASSIGN_OR_RETURN(const std::int64_t number,
                   connection.QueryInteger("SELECT nextval('writer_sequence')"));
  MutexLock lock(mutex_);
  if (writer_ == 0) writer_ = number;
  return writer_;
}

}  // namespace hourglass::issuance::postgresql
