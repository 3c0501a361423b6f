#include "tests/history/error_check.h"

#include <algorithm>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "tests/history/expected_errors.h"
#include "tests/history/history_in_words.h"

namespace hourglass::history {
namespace {

using FirstSent = absl::flat_hash_map<absl::string_view, Uptime>;

FirstSent FirstSentOf(absl::Span<const IssueCall* const> calls) {
  FirstSent sent;
  for (const IssueCall* call : calls) {
    const auto [there, is_new] = sent.try_emplace(call->request_id, call->call.sent);
    if (!is_new) there->second = std::min(there->second, call->call.sent);
  }
  return sent;
}

// Whether the primary may have changed within.
bool MayHaveChanged(const Primacy& primacy, Uptime from, Uptime to) {
  // Both bounds grow with the epochs: of those that may have begun by `to` the last one is the
  // likeliest to have begun after `from`.
  const auto begun =
      std::partition_point(primacy.epochs.begin(), primacy.epochs.end(),
                           [to](const Epoch& epoch) { return epoch.not_before <= to; });
  const auto last = begun - primacy.epochs.begin() - 1;
  return last > 0 && primacy.epochs[static_cast<std::size_t>(last)].done_by >= from;
}

bool IsOfIntermediate(const IssueCall& call, const RecordsByRequest& records) {
  const auto record = records.find(call.request_id);
  return record != records.end() && record->second->certificate.empty() &&
         !record->second->intermediate_serial_number.empty();
}

}  // namespace

void CheckErrors(absl::Span<const IssueCall* const> calls, std::vector<Violation>* violations) {
  for (const IssueCall* call : calls) {
    const Refused* const refused = std::get_if<Refused>(&call->outcome);
    if (refused == nullptr || IsRetryable(*refused)) continue;
    violations->push_back(
        {Rule::kErrorNotRetryable, "to ask again would not help", Describe(*call), ""});
  }
}

void CheckErrors(absl::Span<const AdministrativeCall* const> calls,
                 std::vector<Violation>* violations) {
  for (const AdministrativeCall* call : calls) {
    const Refused* const refused = std::get_if<Refused>(&call->outcome);
    if (refused == nullptr || IsExpectedOfAdministration(*refused)) continue;
    violations->push_back(
        {Rule::kErrorNotRetryable, "no administrator should meet this", Describe(*call), ""});
  }
}

void CheckPrimaryChanged(absl::Span<const IssueCall* const> calls, const RecordsByRequest& records,
                         const Primacy& primacy, Uptime news_delay,
                         std::vector<Violation>* violations) {
  const FirstSent sent = FirstSentOf(calls);
  for (const IssueCall* call : calls) {
    const Refused* const refused = std::get_if<Refused>(&call->outcome);
    if (refused == nullptr || refused->reason != kPrimaryChanged) continue;
    const Uptime from = sent.at(call->request_id) - news_delay;
    if (MayHaveChanged(primacy, from, call->call.answered) || IsOfIntermediate(*call, records)) {
      continue;
    }
    violations->push_back(
        {Rule::kPrimaryNotChanged, "no primary changed by then", Describe(*call), ""});
  }
}

}  // namespace hourglass::history
