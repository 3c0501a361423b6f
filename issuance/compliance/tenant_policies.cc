#include "issuance/compliance/tenant_policies.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/access/graph/graph_export.h"

namespace hourglass::issuance {
namespace {

template <typename Object>
void Move(std::vector<Object> from, std::vector<Object>* to) {
  std::move(from.begin(), from.end(), std::back_inserter(*to));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TenantPolicies>> PrepareTenantPolicies(
    const PolicySet& set, const access::AccessOptions& options) {
  auto prepared = std::make_shared<TenantPolicies>();
  prepared->revision = set.revision;
  std::vector<access::ConditionalAccessPolicy> policies;
  std::vector<access::NamedLocation> locations;
  for (const PolicyRecord& record : set.policies) {
    absl::StatusOr<access::GraphExport> read = access::ParseGraphExport(record.document);
    if (!read.ok()) {
      return Error(ErrorReason::kFieldInvalid, record.policy_id, read.status().message());
    }
    Move(std::move(read->policies), &policies);
    Move(std::move(read->locations), &locations);
    Move(std::move(read->compliance_policies), &prepared->compliance);
  }
  prepared->enforces_access = std::any_of(policies.begin(), policies.end(), [](const auto& policy) {
    return policy.state == access::PolicyState::kEnabled;
  });
  ASSIGN_OR_RETURN(prepared->access,
                   access::PreparedPolicies::Make(std::move(policies), locations, options));
  return prepared;
}

const AccessConfig& TenantPolicyCache::ConfigOf(absl::string_view tenant_id) const {
  const auto found = access_.find(std::string(tenant_id));
  return found != access_.end() ? found->second : defaults_;
}

std::shared_ptr<TenantPolicyCache::Entry> TenantPolicyCache::EntryOf(absl::string_view tenant_id) {
  const MutexLock lock(mutex_);
  std::shared_ptr<Entry>& entry = entries_[tenant_id];
  if (entry == nullptr) entry = std::make_shared<Entry>();
  return entry;
}

TenantPolicyCache::Result TenantPolicyCache::Fill(absl::string_view tenant_id,
                                                  std::uint64_t revision, Entry& entry) {
  Result result;
  const absl::StatusOr<PolicySet> set = store_->ListPolicies(tenant_id);
  if (!set.ok() || set->revision < revision) {
    result.status = Error(ErrorReason::kComplianceUnavailable, "",
                          "the policies of this tenant cannot be read at the moment");
    return result;
  }
  // Another thread's question was older than what the store has.
  if (entry.filled && entry.revision == set->revision) return entry.result;
  auto prepared = PrepareTenantPolicies(*set, ConfigOf(tenant_id).options);
  result.status = prepared.status();
  if (prepared.ok()) result.policies = *std::move(prepared);
  entry.filled = true;
  entry.revision = set->revision;
  entry.result = result;
  result.read_anew = true;
  return result;
}

TenantPolicyCache::Result TenantPolicyCache::Get(absl::string_view tenant_id,
                                                 std::uint64_t revision) {
  if (revision == 0) {
    static const auto* const kNone =
        new std::shared_ptr<const TenantPolicies>(std::make_shared<TenantPolicies>());
    return {absl::OkStatus(), *kNone, false};
  }
  if (store_ == nullptr) {
    return {Error(ErrorReason::kComplianceUnavailable, "",
                  "the policies of this tenant cannot be read here"),
            nullptr, false};
  }
  const std::shared_ptr<Entry> entry = EntryOf(tenant_id);
  const MutexLock lock(entry->mutex);
  if (entry->filled && entry->revision == revision) return entry->result;
  return Fill(tenant_id, revision, *entry);
}

}  // namespace hourglass::issuance
