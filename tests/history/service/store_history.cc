#include "tests/history/service/store_history.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "hsm/base/status_macros.h"

namespace hourglass::history {
namespace {

using issuance::kMaxPageSize;

// All that `page_after` gives, which takes a page token.
template <typename Record, typename PageAfter>
absl::StatusOr<std::vector<Record>> AllOf(const PageAfter& page_after) {
  std::vector<Record> all;
  std::string token;
  do {
    ASSIGN_OR_RETURN(issuance::Page<Record> page, page_after(token));
    for (Record& record : page.records) all.push_back(std::move(record));
    token = page.next_page_token;
  } while (!token.empty());
  std::reverse(all.begin(), all.end());
  return all;
}

RecordedCertificate Recorded(issuance::JournalRecord record) {
  issuance::Intent& intent = record.intent;
  RecordedCertificate recorded;
  recorded.request_id = std::move(intent.request_id);
  recorded.epoch = intent.epoch;
  recorded.root_id = std::move(intent.root_id);
  recorded.serial_number = std::move(intent.serial_number);
  recorded.intermediate_serial_number = std::move(intent.intermediate_serial_number);
  recorded.to_be_signed = std::move(intent.tbs_certificate);
  recorded.not_after = intent.not_after;
  recorded.intended_at = intent.intended_at;
  recorded.certificate = std::move(record.certificate);
  recorded.released_at = record.released_at;
  return recorded;
}

absl::Status ReadActions(issuance::Store& store, TenantHistory* tenant) {
  ASSIGN_OR_RETURN(const std::vector<issuance::AdministrativeAction> actions,
                   AllOf<issuance::AdministrativeAction>([&](const std::string& token) {
                     return store.ListAdministrativeActions(tenant->tenant_id, kMaxPageSize, token);
                   }));
  for (const issuance::AdministrativeAction& action : actions) {
    if (!absl::StartsWith(action.action, "root_")) continue;
    tenant->actions.push_back({action.sequence, action.at, action.action, action.subject,
                               action.from_state, action.to_state, std::nullopt});
  }
  return absl::OkStatus();
}

absl::Status ReadIntermediates(issuance::Store& store, const std::string& root_id,
                               TenantHistory* tenant) {
  ASSIGN_OR_RETURN(std::vector<issuance::IntermediateRecord> records,
                   AllOf<issuance::IntermediateRecord>([&](const std::string& token) {
                     return store.ListIntermediates(tenant->tenant_id, root_id, kMaxPageSize,
                                                    token);
                   }));
  for (issuance::IntermediateRecord& record : records) {
    tenant->intermediates.push_back({record.epoch, root_id, std::move(record.serial_number),
                                     std::move(record.certificate), record.released_at});
  }
  return absl::OkStatus();
}

absl::Status ReadCertificates(issuance::Store& store, TenantHistory* tenant) {
  ASSIGN_OR_RETURN(std::vector<issuance::JournalRecord> records,
                   AllOf<issuance::JournalRecord>([&](const std::string& token) {
                     return store.ListJournal(tenant->tenant_id, {}, kMaxPageSize, token);
                   }));
  for (issuance::JournalRecord& record : records) {
    tenant->certificates.push_back(Recorded(std::move(record)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TenantHistory> ReadTenantHistory(issuance::Store& store,
                                                absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(const issuance::TenantRecord record, store.GetTenant(tenant_id));
  ASSIGN_OR_RETURN(std::vector<issuance::RootRecord> roots, store.ListRoots(tenant_id));
  TenantHistory tenant;
  tenant.tenant_id = record.tenant_id;
  tenant.epoch = record.epoch;
  tenant.revision = record.revision;
  for (issuance::RootRecord& root : roots) {
    RETURN_IF_ERROR(ReadIntermediates(store, root.root_id, &tenant));
    tenant.roots.push_back(
        {std::move(root.root_id), root.state, std::move(root.certificate), root.not_after});
  }
  RETURN_IF_ERROR(ReadActions(store, &tenant));
  RETURN_IF_ERROR(ReadCertificates(store, &tenant));
  return tenant;
}

}  // namespace hourglass::history
