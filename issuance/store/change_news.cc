#include "issuance/store/change_news.h"

#include <cstddef>
#include <set>
#include <utility>
#include <variant>

#include "hsm/base/error.h"

namespace hourglass::issuance {

absl::Status TellIfFenced(const TenantChanges& changes, absl::string_view tenant_id,
                          absl::Status status) {
  if (ReasonOf(status) == ErrorReason::kPrimaryChanged) changes.Publish(tenant_id);
  return status;
}

absl::Status TellOfChange(const TenantChanges& changes, absl::string_view tenant_id,
                          absl::Status status) {
  const bool may_be_there = status.ok() || ReasonOf(status) == ErrorReason::kJournalUnavailable;
  if (!may_be_there) return TellIfFenced(changes, tenant_id, std::move(status));
  changes.Publish(tenant_id);
  return status;
}

void TellOfFenced(const TenantChanges& changes, absl::Span<const JournalWrite> writes,
                  absl::Span<const absl::Status> statuses) {
  std::set<absl::string_view> fenced;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (ReasonOf(statuses[i]) == ErrorReason::kPrimaryChanged) {
      fenced.insert(std::visit(
          [](const auto& write) -> absl::string_view { return write.tenant_id; }, writes[i]));
    }
  }
  for (const absl::string_view tenant_id : fenced) changes.Publish(tenant_id);
}

}  // namespace hourglass::issuance
