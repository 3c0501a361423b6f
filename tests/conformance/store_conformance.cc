#include "tests/conformance/store_conformance.h"

#include <thread>

#include "absl/strings/str_cat.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {

void StoreConformance::SetUp() { ASSERT_OK_AND_ASSIGN(store_, place_->Open()); }

NewsOfThisThread::NewsOfThisThread(Store& store, TenantChanges::Listener listener)
    : subscription_(store.changes().Subscribe(
          [this, own = std::this_thread::get_id(), listener](absl::string_view tenant_id) {
            if (std::this_thread::get_id() != own) return;
            told_.emplace_back(tenant_id);
            if (listener != nullptr) listener(tenant_id);
          })) {}

absl::Status Move(Store& store, std::uint64_t revision, const std::string& root_id,
                  ca::RootState from, ca::RootState to) {
  return store.ChangeRootStates(kSampleTenant, revision, {{root_id, from, to}}, {SampleTime()});
}

std::vector<std::string> RequestIds(const std::vector<JournalRecord>& records) {
  std::vector<std::string> ids;
  for (const JournalRecord& record : records) ids.push_back(record.intent.request_id);
  return ids;
}

std::vector<std::string> ListAll(Store& store, const JournalFilter& filter, int page_size) {
  std::vector<std::string> ids;
  std::string token;
  do {
    const auto page = store.ListJournal(kSampleTenant, filter, page_size, token);
    if (!page.ok() || page->records.size() > static_cast<std::size_t>(page_size)) return {"error"};
    for (const std::string& id : RequestIds(page->records)) ids.push_back(id);
    token = page->next_page_token;
  } while (!token.empty());
  return ids;
}

std::vector<std::string> ActionsOf(Store& store, absl::string_view tenant_id) {
  std::vector<std::string> actions;
  const auto page = store.ListAdministrativeActions(tenant_id, kMaxPageSize, "");
  if (!page.ok() || !page->next_page_token.empty()) return {"error"};
  for (const AdministrativeAction& action : page->records) {
    actions.push_back(absl::StrCat(action.action, " ", action.subject));
  }
  return actions;
}

}  // namespace hourglass::issuance
