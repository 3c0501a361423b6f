#include "issuance/config/access_config.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "issuance/access/ip_range.h"
#include "issuance/access/terms.h"

namespace hourglass::issuance {
namespace {

using std::chrono::hours;
using yaml::Mapping;

constexpr std::size_t kMaxUrlSize = 1024;
constexpr std::size_t kMaxIdSize = 128;
// What Intune has, and for those whose agents report often, an hour.
constexpr hours kMinReportValidity(1);
constexpr hours kMaxReportValidity(120 * 24);

// A level that is hidden is one that nobody knows, so none to assume.
constexpr absl::string_view kClientApps[] = {"browser", "mobileAppsAndDesktopClients",
                                             "exchangeActiveSync", "other"};
constexpr absl::string_view kTransferMethods[] = {"none", "deviceCodeFlow",
                                                  "authenticationTransfer"};
constexpr absl::string_view kRiskLevels[] = {"none", "low", "medium", "high"};
constexpr absl::string_view kInsiderRiskLevels[] = {"none", "minor", "moderate", "elevated"};

std::string ReadUrl(Mapping fields, absl::string_view name) {
  std::string url = fields.String(name).value_or("");
  if (url.empty()) return url;
  if (!absl::StartsWith(url, "https://") || url.size() == 8 || url.size() > kMaxUrlSize ||
      !std::all_of(url.begin(), url.end(), absl::ascii_isgraph)) {
    fields.Mistake(
        name, absl::StrCat("must be an https URL of at most ", kMaxUrlSize, " ASCII characters"));
  }
  return url;
}

std::vector<std::string> ReadApplications(Mapping fields) {
  std::vector<std::string> ids = fields.Strings("vpn_applications");
  std::set<std::string> seen;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i].size() > kMaxIdSize ||
        !std::all_of(ids[i].begin(), ids[i].end(), absl::ascii_isgraph)) {
      fields.ItemMistake("vpn_applications", i, "must be the id of an application");
    } else if (absl::EqualsIgnoreCase(ids[i], "All") || absl::EqualsIgnoreCase(ids[i], "None")) {
      fields.ItemMistake("vpn_applications", i,
                         "must be the id of an application: `All` in a policy includes it anyway");
    } else if (!seen.insert(absl::AsciiStrToLower(ids[i])).second) {
      fields.ItemMistake("vpn_applications", i, "appears twice");
    }
  }
  return ids;
}

std::vector<access::IpRange> ReadTrustedIps(Mapping fields) {
  std::vector<access::IpRange> ranges;
  const std::vector<std::string> texts = fields.Strings("mfa_trusted_ips");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::optional<access::IpRange> range = access::ParseIpRange(texts[i]);
    if (!range.has_value()) {
      fields.ItemMistake("mfa_trusted_ips", i,
                         "must be a range of addresses, as 192.0.2.0/24 or 2001:db8::/32");
    } else if (std::find(ranges.begin(), ranges.end(), *range) != ranges.end()) {
      fields.ItemMistake("mfa_trusted_ips", i, "appears twice");
    } else {
      ranges.push_back(*range);
    }
  }
  return ranges;
}

template <typename Enum>
std::optional<Enum> ReadTerm(Mapping fields, absl::string_view name,
                             absl::Span<const absl::string_view> choices) {
  const std::optional<std::string> text = fields.Choice(name, choices);
  return text.has_value() ? access::FromGraphName<Enum>(*text) : std::nullopt;
}

access::AssumedFacts ReadAssumed(Mapping fields) {
  access::AssumedFacts assumed;
  assumed.client_app = ReadTerm<access::ClientApp>(fields, "client_app", kClientApps);
  assumed.transfer_method =
      ReadTerm<access::TransferMethod>(fields, "transfer_method", kTransferMethods);
  assumed.sign_in_risk = ReadTerm<access::RiskLevel>(fields, "sign_in_risk", kRiskLevels);
  assumed.user_risk = ReadTerm<access::RiskLevel>(fields, "user_risk", kRiskLevels);
  // Graph has no name for the level that policies cannot ask for.
  const std::optional<std::string> insider = fields.Choice("insider_risk", kInsiderRiskLevels);
  if (insider.has_value()) {
    assumed.insider_risk = access::FromGraphName<access::InsiderRiskLevel>(*insider).value_or(
        access::InsiderRiskLevel::kNone);
  }
  return assumed;
}

std::map<std::string, std::string> ReadUrls(Mapping fields) {
  std::map<std::string, std::string> urls;
  if (!fields.Has("remediation_urls")) return urls;
  for (Mapping item : fields.RequiredMappings("remediation_urls")) {
    const std::string setting = absl::AsciiStrToLower(item.RequiredString("setting"));
    if (!item.Has("url")) item.Mistake("url", "is missing");
    const std::string url = ReadUrl(item, "url");
    if (!setting.empty() && !urls.emplace(setting, url).second) {
      item.Mistake("setting", "another one has this setting");
    }
  }
  return urls;
}

}  // namespace

std::string RemediationUrl(const AccessConfig& config, absl::string_view setting) {
  const auto own = config.remediation_urls.find(absl::AsciiStrToLower(setting));
  return own != config.remediation_urls.end() ? own->second : config.remediation_url;
}

AccessConfig ReadAccess(Mapping fields) {
  AccessConfig config;
  access::AccessOptions& options = config.options;
  options.vpn_applications = ReadApplications(fields);
  options.allow_without_policy =
      fields.Bool("allow_without_policy").value_or(options.allow_without_policy);
  options.grace_period_is_compliant =
      fields.Bool("grace_period_is_compliant").value_or(options.grace_period_is_compliant);
  options.mfa_trusted_ips = ReadTrustedIps(fields);
  options.assumed = ReadAssumed(fields.Optional("assumed"));
  const std::optional<std::chrono::seconds> validity =
      fields.Seconds("report_validity", kMinReportValidity, kMaxReportValidity);
  if (validity.has_value()) {
    config.compliance.report_validity = std::chrono::floor<hours>(*validity);
    if (config.compliance.report_validity != *validity) {
      fields.Mistake("report_validity", "must be whole hours");
    }
  }
  config.compliance.compliant_without_policy =
      fields.Bool("compliant_without_policy").value_or(config.compliance.compliant_without_policy);
  config.remediation_url = ReadUrl(fields, "remediation_url");
  config.remediation_urls = ReadUrls(fields);
  return config;
}

}  // namespace hourglass::issuance
