#include "tests/history/delivery_check.h"

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "ca/certificate/certificate.h"
#include "tests/history/certificate_check.h"
#include "tests/history/history_in_words.h"

namespace hourglass::history {
namespace {

const Received* ReceivedBy(const IssueCall& call) { return std::get_if<Received>(&call.outcome); }

// Who has a serial number.
using Holder =
    std::variant<const RecordedCertificate*, const RecordedIntermediate*, const IssueCall*>;

// Whether it is this very certificate, of which an unreleased record has what was to be signed.
bool Is(const Holder& holder, const std::string& certificate, const ca::CertificateView& view) {
  if (const auto* record = std::get_if<const RecordedCertificate*>(&holder)) {
    return (*record)->certificate.empty() ? (*record)->to_be_signed == view.to_be_signed
                                          : (*record)->certificate == certificate;
  }
  if (const auto* record = std::get_if<const RecordedIntermediate*>(&holder)) {
    return (*record)->certificate == certificate;
  }
  return ReceivedBy(*std::get<const IssueCall*>(holder))->certificate == certificate;
}

class SerialNumbers {
 public:
  SerialNumbers(const TenantHistory& tenant, std::vector<Violation>* violations)
      : tenant_(tenant), roots_(RootsByIssuer(tenant)), violations_(violations) {}

  // Of a record: two records are two certificates.
  void Add(absl::string_view root_id, absl::string_view serial_number, Holder holder) {
    const auto [there, is_new] = holders_.try_emplace({root_id, serial_number}, holder);
    if (!is_new) Report(holder, there->second);
  }

  // What was received may have been received before, or be recorded under another request id.
  void AddReceived(const IssueCall& call, const Received& received) {
    const std::optional<ca::CertificateView> view = ca::ReadCertificate(received.certificate);
    if (!view.has_value()) return;
    const auto root = roots_.find(view->issuer);
    if (root == roots_.end()) {
      violations_->push_back(
          {Rule::kSignature, "its issuer is none of the tenant's", Describe(call), ""});
      return;
    }
    const auto [there, is_new] = holders_.try_emplace({root->second, view->serial_number}, &call);
    if (!is_new && !Is(there->second, received.certificate, *view)) {
      Report(&call, there->second);
    }
  }

 private:
  void Report(const Holder& holder, const Holder& other) {
    violations_->push_back({Rule::kSerialNumberTwice,
                            "two certificates of one root have one serial number", InWords(holder),
                            InWords(other)});
  }

  std::string InWords(const Holder& holder) const {
    if (const auto* call = std::get_if<const IssueCall*>(&holder)) return Describe(**call);
    if (const auto* record = std::get_if<const RecordedIntermediate*>(&holder)) {
      return Describe(tenant_, **record);
    }
    return Describe(tenant_, *std::get<const RecordedCertificate*>(holder));
  }

  const TenantHistory& tenant_;
  const absl::flat_hash_map<std::string, absl::string_view> roots_;
  std::vector<Violation>* const violations_;
  absl::flat_hash_map<std::pair<absl::string_view, absl::string_view>, Holder> holders_;
};

}  // namespace

RecordsByRequest IndexRecords(const TenantHistory& tenant, std::vector<Violation>* violations) {
  RecordsByRequest records;
  records.reserve(tenant.certificates.size());
  for (const RecordedCertificate& record : tenant.certificates) {
    const auto [there, is_new] = records.try_emplace(record.request_id, &record);
    if (is_new) continue;
    violations->push_back({Rule::kRequestRecordedTwice, "two records have one request id",
                           Describe(tenant, record), Describe(tenant, *there->second)});
  }
  return records;
}

bool IsRecorded(const IssueCall& call, const Received& received, const RecordsByRequest& records) {
  const auto record = records.find(call.request_id);
  return record != records.end() && record->second->certificate == received.certificate;
}

void CheckReceived(const TenantHistory& tenant, absl::Span<const IssueCall* const> calls,
                   const RecordsByRequest& records, std::vector<Violation>* violations) {
  absl::flat_hash_map<absl::string_view, const IssueCall*> first;
  for (const IssueCall* call : calls) {
    const Received* const received = ReceivedBy(*call);
    if (received == nullptr) continue;
    const auto [before, is_first] = first.try_emplace(call->request_id, call);
    if (!is_first && ReceivedBy(*before->second)->certificate != received->certificate) {
      violations->push_back({Rule::kRequestAnsweredTwice,
                             "one request id was given two certificates", Describe(*call),
                             Describe(*before->second)});
    }
    const auto record = records.find(call->request_id);
    if (record == records.end()) {
      violations->push_back(
          {Rule::kReceivedMissing, "the journal has no such request", Describe(*call), ""});
    } else if (record->second->certificate.empty()) {
      violations->push_back({Rule::kReceivedMissing, "the journal has not released it",
                             Describe(*call), Describe(tenant, *record->second)});
    } else if (record->second->certificate != received->certificate) {
      violations->push_back({Rule::kReceivedDiffers, "the journal has another certificate",
                             Describe(*call), Describe(tenant, *record->second)});
    }
  }
}

void CheckAsked(const TenantHistory& tenant, absl::Span<const IssueCall* const> calls,
                std::vector<Violation>* violations) {
  absl::flat_hash_set<absl::string_view> asked;
  for (const IssueCall* call : calls) asked.insert(call->request_id);
  for (const RecordedCertificate& record : tenant.certificates) {
    if (asked.contains(record.request_id)) continue;
    violations->push_back(
        {Rule::kRecordedUnasked, "no client asked for it", Describe(tenant, record), ""});
  }
}

void CheckSerialNumbers(const TenantHistory& tenant, absl::Span<const IssueCall* const> calls,
                        const RecordsByRequest& records, std::vector<Violation>* violations) {
  SerialNumbers numbers(tenant, violations);
  for (const RecordedCertificate& record : tenant.certificates) {
    numbers.Add(record.root_id, record.serial_number, &record);
  }
  for (const RecordedIntermediate& record : tenant.intermediates) {
    numbers.Add(record.root_id, record.serial_number, &record);
  }
  for (const IssueCall* call : calls) {
    const Received* const received = ReceivedBy(*call);
    if (received == nullptr || IsRecorded(*call, *received, records)) continue;
    numbers.AddReceived(*call, *received);
  }
}

}  // namespace hourglass::history
