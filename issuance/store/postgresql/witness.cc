#include "issuance/store/postgresql/witness.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ca/certificate/certificate.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"

namespace hourglass::issuance::postgresql {
namespace {

using Kind = DurableFact::Kind;

// Between an intent and its release, and between two clocks.
constexpr std::chrono::hours kLeeway{1};

// Each gives a row where the fact is there.
Statement StatementFor(const DurableFact& fact) {
  switch (fact.kind) {
    case Kind::kRelease:
      return {
          "SELECT serial_number FROM journal_keys JOIN releases USING (sequence, intended_at) "
          "WHERE tenant_id = $1 AND request_id = $2",
          {Text{fact.tenant_id}, Text{fact.request_id}}};
    case Kind::kIntermediate:
      return {
          "SELECT serial_number FROM intermediates WHERE tenant_id = $1 AND root_id = $2 AND "
          "serial_number = $3 AND released_at IS NOT NULL",
          {Text{fact.tenant_id}, Text{fact.root_id}, Blob{fact.serial_number}}};
    case Kind::kRevision:
      break;
  }
  return {"SELECT ''::bytea FROM tenants WHERE tenant_id = $1 AND revision >= $2",
          {Text{fact.tenant_id}, ValueOf(fact.revision)}};
}

bool IsThere(const DurableFact& fact, Rows& rows) {
  if (!rows.Next()) return false;
  return fact.serial_number.empty() || rows.TakeOctets() == fact.serial_number;
}

std::string Describe(const DurableFact& fact) {
  if (fact.kind == Kind::kRevision) {
    return absl::StrCat("revision ", fact.revision, " of tenant ", fact.tenant_id);
  }
  const absl::string_view what = fact.kind == Kind::kRelease ? "certificate" : "intermediate";
  if (fact.serial_number.empty()) {
    return absl::StrCat("the ", what, " of request id \"", absl::CHexEscape(fact.request_id),
                        "\" of tenant ", fact.tenant_id);
  }
  return absl::StrCat("the ", what, " with serial number ",
                      absl::AsciiStrToUpper(absl::BytesToHexString(fact.serial_number)),
                      " of tenant ", fact.tenant_id);
}

absl::Status Forgotten(const DurableFact& fact) {
  return Error(ErrorReason::kJournalUnavailable, "",
               absl::StrCat("database: it has forgotten ", Describe(fact),
                            ", which it had said is durable: its standby was not synchronous, or a "
                            "server was restored from an older copy"));
}

// A transaction is lost or kept whole, so one fact tells of all.
void KeepLast(const std::vector<DurableFact>& facts, Kind kind, std::deque<DurableFact>& kept) {
  const auto last = std::find_if(facts.rbegin(), facts.rend(),
                                 [kind](const DurableFact& fact) { return fact.kind == kind; });
  if (last == facts.rend()) return;
  kept.push_back(*last);
  if (kept.size() > Witness::kMostFacts) kept.pop_front();
}

}  // namespace

DurableFact FactOf(const Release& release) {
  DurableFact fact;
  fact.tenant_id = release.tenant_id;
  fact.request_id = release.request_id;
  fact.released_at = release.released_at;
  const std::optional<ca::CertificateView> certificate = ca::ReadCertificate(release.certificate);
  if (certificate.has_value()) fact.serial_number = std::string(certificate->serial_number);
  return fact;
}

absl::Status LookFor(Connection& connection, const std::vector<DurableFact>& facts, Timestamp now,
                     bool& lacks) {
  lacks = false;
  ASSIGN_OR_RETURN(const std::int64_t minimum_retention,
                   connection.QueryInteger("SELECT minimum_retention FROM journal_settings"));
  const std::chrono::microseconds kept(minimum_retention);
  const Timestamp oldest = now - std::max<std::chrono::microseconds>(kept - kLeeway, kept / 2);
  std::vector<const DurableFact*> looked_for;
  std::vector<Statement> statements;
  for (const DurableFact& fact : facts) {
    if (fact.kind == Kind::kRelease && fact.released_at < oldest) continue;
    looked_for.push_back(&fact);
    statements.push_back(StatementFor(fact));
  }
  if (statements.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::vector<Rows> found, connection.RunTogether(statements));
  for (std::size_t i = 0; i < looked_for.size(); ++i) {
    if (IsThere(*looked_for[i], found[i])) continue;
    lacks = true;
    return Forgotten(*looked_for[i]);
  }
  return absl::OkStatus();
}

Witness::Period Witness::period() const {
  const MutexLock lock(mutex_);
  return period_;
}

bool Witness::Note(Period period, const std::vector<DurableFact>& facts) {
  const MutexLock lock(mutex_);
  if (period != period_) return false;
  KeepLast(facts, Kind::kRelease, releases_);
  KeepLast(facts, Kind::kIntermediate, intermediates_);
  KeepLast(facts, Kind::kRevision, revisions_);
  return true;
}

absl::Status Witness::Compare(Connection& connection, Timestamp now) {
  RETURN_IF_ERROR(Refusal());
  std::vector<DurableFact> facts;
  {
    const MutexLock lock(mutex_);
    ++period_;
    for (const auto* kind : {&releases_, &intermediates_, &revisions_}) {
      facts.insert(facts.end(), kind->begin(), kind->end());
    }
  }
  bool lacks = false;
  absl::Status status = LookFor(connection, facts, now, lacks);
  if (!lacks) return status;
  const MutexLock lock(mutex_);
  refusal_ = status;
  refuses_ = true;
  return status;
}

absl::Status Witness::Refusal() const {
  if (!refuses_) return absl::OkStatus();
  const MutexLock lock(mutex_);
  return refusal_;
}

}  // namespace hourglass::issuance::postgresql
