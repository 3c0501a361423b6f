#include "tests/history/summary.h"

#include <set>
#include <variant>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hourglass::history {
namespace {

const std::string& NameOf(const Refused& refused) {
  return refused.reason.empty() ? refused.code : refused.reason;
}

void CountIssuing(const History& history, Summary* summary) {
  absl::flat_hash_set<std::pair<absl::string_view, absl::string_view>> given;
  for (const IssueCall& call : history.issuing) {
    ++summary->calls;
    if (std::holds_alternative<Received>(call.outcome)) {
      ++summary->received;
      ++summary->received_by_replica[call.call.replica];
      if (!given.emplace(call.call.tenant_id, call.request_id).second) ++summary->received_again;
    } else if (const auto* refused = std::get_if<Refused>(&call.outcome)) {
      ++summary->refused[NameOf(*refused)];
    } else {
      ++summary->unanswered[std::get<Unanswered>(call.outcome).code];
    }
  }
}

std::string OutcomeOf(const AdministrativeCall& call) {
  if (std::holds_alternative<Changed>(call.outcome)) return "done";
  const auto* const refused = std::get_if<Refused>(&call.outcome);
  return refused != nullptr ? NameOf(*refused)
                            : absl::StrCat("no answer, ", std::get<Unanswered>(call.outcome).code);
}

void CountRecords(const TenantHistory& tenant, Summary* summary) {
  ++summary->tenants;
  for (const RecordedCertificate& record : tenant.certificates) {
    ++summary->recorded;
    if (record.released_at.has_value()) ++summary->released;
  }
  for (const RootAction& action : tenant.actions) {
    if (action.to_state == ca::RootStateName(ca::RootState::kPrimary)) ++summary->promotions;
  }
}

void AddLines(absl::string_view title, const std::map<std::string, std::int64_t>& counts,
              std::string* text) {
  for (const auto& [name, count] : counts) {
    absl::StrAppendFormat(text, "%-14s %8d  %s\n", title, count, name);
  }
}

}  // namespace

Summary Summarize(const History& history, const std::vector<Violation>& violations) {
  Summary summary;
  summary.torn_lines = history.torn_lines;
  summary.logs_are_whole = history.logs_are_whole;
  CountIssuing(history, &summary);
  std::set<absl::string_view> clients;
  for (const IssueCall& call : history.issuing) clients.insert(call.call.client);
  for (const AdministrativeCall& call : history.administration) {
    clients.insert(call.call.client);
    ++summary.administration[absl::StrCat(MethodName(call.method), " ", OutcomeOf(call))];
  }
  summary.clients = static_cast<std::int64_t>(clients.size());
  for (const TenantHistory& tenant : history.tenants) CountRecords(tenant, &summary);
  for (const Violation& violation : violations) ++summary.violations[violation.rule];
  return summary;
}

std::string InWords(const Summary& summary) {
  std::string text = absl::StrFormat(
      "clients        %8d  %s, %d lines torn\n"
      "calls          %8d\n"
      "received       %8d  certificates, %d of them again\n",
      summary.clients, summary.logs_are_whole ? "all ended in peace" : "not all ended in peace",
      summary.torn_lines, summary.calls, summary.received, summary.received_again);
  AddLines("  from", summary.received_by_replica, &text);
  AddLines("refused", summary.refused, &text);
  AddLines("unanswered", summary.unanswered, &text);
  AddLines("administration", summary.administration, &text);
  absl::StrAppendFormat(&text,
                        "tenants        %8d\n"
                        "recorded       %8d  certificates, %d of them released\n"
                        "promotions     %8d\n",
                        summary.tenants, summary.recorded, summary.released, summary.promotions);
  std::int64_t sum = 0;
  for (const Rule rule : AllRules()) {
    const auto found = summary.violations.find(rule);
    const std::int64_t count = found == summary.violations.end() ? 0 : found->second;
    absl::StrAppendFormat(&text, "rule           %8d  %s\n", count, RuleName(rule));
    sum += count;
  }
  absl::StrAppend(&text, sum == 0 ? "no violation\n" : absl::StrCat(sum, " violations\n"));
  return text;
}

}  // namespace hourglass::history
