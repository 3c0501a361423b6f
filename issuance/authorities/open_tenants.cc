#include "issuance/authorities/open_tenants.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kMostByName = 10;

}  // namespace

std::set<std::string> ConfiguredTenants(const Config& config) {
  std::set<std::string> tenants;
  for (const auto& tenant : config.tenants) tenants.insert(tenant.first);
  for (const Caller& caller : config.callers) {
    tenants.insert(caller.tenants.begin(), caller.tenants.end());
  }
  return tenants;
}

std::vector<std::string> TenantsOfAnyDomain(const Config& config,
                                            const std::set<std::string>& tenants) {
  std::vector<std::string> open;
  for (const std::string& tenant : tenants) {
    const auto found = config.tenants.find(tenant);
    if (found == config.tenants.end() || found->second.upn_domains.empty()) open.push_back(tenant);
  }
  return open;
}

std::string TenantsInWords(const std::vector<std::string>& tenants) {
  const std::size_t named = std::min(tenants.size(), kMostByName);
  std::string words =
      absl::StrJoin(tenants.begin(), tenants.begin() + static_cast<std::ptrdiff_t>(named), ", ");
  if (named < tenants.size()) absl::StrAppend(&words, " and ", tenants.size() - named, " more");
  return words;
}

}  // namespace hourglass::issuance
