#include "tests/history/fence_check.h"

#include <algorithm>
#include <optional>
#include <string>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "tests/history/history_in_words.h"

namespace hourglass::history {
namespace {

std::string PromotionInWords(const TenantHistory& tenant, const Epoch* epoch) {
  return epoch == nullptr || epoch->promotion == nullptr ? "" : Describe(tenant, *epoch->promotion);
}

std::string CallInWords(const AdministrativeCall* call) {
  return call == nullptr ? "" : Describe(*call);
}

std::optional<Timestamp> CommitOf(const Epoch* epoch) {
  return epoch == nullptr || epoch->promotion == nullptr ? std::nullopt
                                                         : epoch->promotion->committed_at;
}

template <typename Record>
bool IsOfItsRoot(const TenantHistory& tenant, const Record& record, const Primacy& primacy,
                 std::vector<Violation>* violations) {
  const Epoch* const epoch = primacy.Of(record.epoch);
  if (epoch != nullptr && epoch->root_id == record.root_id) return true;
  violations->push_back({Rule::kEpochOfAnotherRoot, "its root was not primary in its epoch",
                         Describe(tenant, record), PromotionInWords(tenant, epoch)});
  return false;
}

class EpochCheck {
 public:
  EpochCheck(const TenantHistory& tenant, const Primacy& primacy,
             std::vector<Violation>* violations)
      : tenant_(tenant), primacy_(primacy), violations_(violations) {}

  void Check(const RecordedCertificate& record) {
    if (!IsOfItsRoot(tenant_, record, primacy_, violations_)) return;
    CheckCommit(record, record.intent_committed_at, "the intent");
    CheckCommit(record, record.release_committed_at, "the release");
  }

 private:
  void CheckCommit(const RecordedCertificate& record, std::optional<Timestamp> committed,
                   absl::string_view what) {
    if (!committed.has_value()) return;
    const Epoch* const begin = primacy_.Of(record.epoch);
    const Epoch* const end = primacy_.Of(record.epoch + 1);
    const std::optional<Timestamp> begun = CommitOf(begin);
    const std::optional<Timestamp> ended = CommitOf(end);
    if (begun.has_value() && *committed < *begun) {
      violations_->push_back({Rule::kOutsidePrimacy,
                              absl::StrCat(what, " committed before its root's promotion"),
                              Describe(tenant_, record), PromotionInWords(tenant_, begin)});
    }
    if (ended.has_value() && *committed > *ended) {
      violations_->push_back({Rule::kOutsidePrimacy,
                              absl::StrCat(what, " committed after the promotion of another root"),
                              Describe(tenant_, record), PromotionInWords(tenant_, end)});
    }
  }

  const TenantHistory& tenant_;
  const Primacy& primacy_;
  std::vector<Violation>* const violations_;
};

// When a request's certificate was first in a client's hands.
using FirstReceipts = absl::flat_hash_map<absl::string_view, Uptime>;

FirstReceipts FirstReceiptsOf(absl::Span<const IssueCall* const> calls) {
  FirstReceipts receipts;
  for (const IssueCall* call : calls) {
    if (!std::holds_alternative<Received>(call->outcome)) continue;
    const auto [there, is_new] = receipts.try_emplace(call->request_id, call->call.answered);
    if (!is_new) there->second = std::min(there->second, call->call.answered);
  }
  return receipts;
}

void CheckCall(const IssueCall& call, std::uint64_t epoch, const Primacy& primacy,
               const FirstReceipts& receipts, std::vector<Violation>* violations) {
  const Epoch* const begin = primacy.Of(epoch);
  if (begin == nullptr) return;  // CheckEpochs says so
  if (call.call.answered < begin->not_before) {
    violations->push_back({Rule::kReleasedBeforePromotion,
                           "it was answered before its root's promotion was asked for",
                           Describe(call), CallInWords(begin->asked_by)});
  }
  const Epoch* const end = primacy.Of(epoch + 1);
  if (end == nullptr || call.call.sent <= end->done_by) return;
  const bool is_repeat = receipts.at(call.request_id) <= end->done_by;
  violations->push_back({is_repeat ? Rule::kRepeatedAfterSuccessor : Rule::kReleasedAfterSuccessor,
                         "it was asked for after its root was known to have a successor",
                         Describe(call), CallInWords(end->shown_by)});
}

}  // namespace

void CheckEpochs(const TenantHistory& tenant, const Primacy& primacy,
                 std::vector<Violation>* violations) {
  EpochCheck check(tenant, primacy, violations);
  for (const RecordedCertificate& record : tenant.certificates) check.Check(record);
  for (const RecordedIntermediate& record : tenant.intermediates) {
    IsOfItsRoot(tenant, record, primacy, violations);
  }
}

void CheckRealTime(absl::Span<const IssueCall* const> calls, const RecordsByRequest& records,
                   const Primacy& primacy, std::vector<Violation>* violations) {
  const FirstReceipts receipts = FirstReceiptsOf(calls);
  for (const IssueCall* call : calls) {
    const Received* const received = std::get_if<Received>(&call->outcome);
    if (received == nullptr || !IsRecorded(*call, *received, records)) continue;
    CheckCall(*call, records.at(call->request_id)->epoch, primacy, receipts, violations);
  }
}

}  // namespace hourglass::history
