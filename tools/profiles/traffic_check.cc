#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/profiles/ip_prefix.h"
#include "tools/profiles/profile_check.h"

namespace hourglass::profiles {
namespace {

bool IsExclusion(const xml::Element& route) {
  return ChildText(&route, "ExclusionRoute") == "true";
}

void CheckRoute(const xml::Element& route, Report& report) {
  const xml::Element* address = route.Child("Address");
  int size = 0;
  if (address == nullptr || !absl::SimpleAtoi(ChildText(&route, "PrefixSize"), &size)) return;
  const std::optional<IpPrefix> prefix = MakeIpPrefix(address->Trimmed(), size);
  if (!prefix.has_value()) {
    report.Add(kRouteForm, *address,
               absl::StrCat("the route is \"", address->Trimmed().substr(0, 60), "\" with ", size,
                            " bits"));
  } else if (prefix->HasHostBits()) {
    report.Add(kRouteHostBits, *address, absl::StrCat(prefix->address, "/", size, " is no network"),
               absl::StrCat("<Address>", prefix->network,
                            "</Address>, or PrefixSize 32 or 128 for "
                            "the one machine"));
  }
}

void CheckRoutes(const ProfileView& view, Report& report) {
  const absl::string_view policy = view.OfNative("RoutingPolicyType");
  const bool without_class = view.OfNative("DisableClassBasedDefaultRoute") == "true";
  const xml::Element* first = nullptr;
  for (const auto& child : view.profile->children) {
    if (child->name != "Route") continue;
    CheckRoute(*child, report);
    if (first == nullptr && !IsExclusion(*child)) first = child.get();
  }
  if (policy == "SplitTunnel" && without_class && first == nullptr) {
    report.Add(kSplitWithoutRoutes, *view.native,
               "SplitTunnel without the class-based default route and without a Route");
  }
  if (policy == "ForceTunnel" && first != nullptr) {
    report.Add(kForceWithRoutes, *first, "a Route with ForceTunnel");
  }
  if (policy == "ForceTunnel" && without_class) {
    report.Add(kForceWithRoutes, *view.native->Child("DisableClassBasedDefaultRoute"),
               "DisableClassBasedDefaultRoute with ForceTunnel");
  }
  const xml::Element* proxy = view.profile->Child("Proxy");
  if (policy == "SplitTunnel" && proxy != nullptr) {
    report.Add(kProxyIgnored, *proxy, "Proxy with SplitTunnel");
  }
}

void CheckTrustedNetwork(const ProfileView& view, Report& report) {
  const xml::Element* networks = view.profile->Child("TrustedNetworkDetection");
  if (networks == nullptr) return;
  const absl::string_view text = networks->Trimmed();
  if (text.find_first_of(":/* ;") != absl::string_view::npos || absl::StartsWith(text, ".")) {
    report.Add(kTrustedNetworkForm, *networks,
               absl::StrCat("TrustedNetworkDetection is \"", text.substr(0, 100), "\""));
  }
}

// Whether the name is a domain of this profile and not one machine's.
bool IsKnownDomain(const ProfileView& view, absl::string_view name) {
  for (const absl::string_view where : {"DnsSuffix", "TrustedNetworkDetection"}) {
    for (const absl::string_view suffix : absl::StrSplit(view.Of(where), ',')) {
      const absl::string_view domain = absl::StripAsciiWhitespace(suffix);
      if (domain.empty()) continue;
      if (absl::EqualsIgnoreCase(domain, name) ||
          absl::EndsWithIgnoreCase(domain, absl::StrCat(".", name))) {
        return true;
      }
    }
  }
  return false;
}

void CheckNameRules(const ProfileView& view, Report& report) {
  for (const auto& child : view.profile->children) {
    if (child->name != "DomainNameInformation") continue;
    if (view.IsDeviceTunnel()) {
      report.Add(kNameRuleInDeviceTunnel, *child, "DomainNameInformation in a device tunnel");
      continue;
    }
    const xml::Element* name = child->Child("DomainName");
    if (name == nullptr || absl::StartsWith(name->Trimmed(), ".")) continue;
    if (!IsKnownDomain(view, name->Trimmed())) continue;
    report.Add(kNameRuleOfHost, *name,
               absl::StrCat("\"", name->Trimmed().substr(0, 100), "\" has no dot in front"));
  }
}

void CheckFilters(const ProfileView& view, Report& report) {
  const xml::Element* first = view.profile->Child("TrafficFilter");
  if (first == nullptr) return;
  report.Add(kTrafficBlocks, *first, "there are traffic filters");
  for (const auto& filter : view.profile->children) {
    if (filter->name != "TrafficFilter") continue;
    const bool has_ports =
        filter->Child("LocalPortRanges") != nullptr || filter->Child("RemotePortRanges") != nullptr;
    const absl::string_view protocol = ChildText(filter.get(), "Protocol");
    if (has_ports && protocol != "6" && protocol != "17") {
      report.Add(kTrafficPorts, *filter,
                 protocol.empty() ? std::string("ports without a Protocol")
                                  : absl::StrCat("ports with Protocol ", protocol.substr(0, 20)));
    }
    if (filter->Child("RoutingPolicyType") != nullptr && filter->Child("App") == nullptr) {
      report.Add(kTrafficRouting, *filter->Child("RoutingPolicyType"),
                 "RoutingPolicyType in a filter without App");
    }
  }
}

}  // namespace

void CheckTraffic(const ProfileView& view, Report& report) {
  if (view.profile == nullptr) return;
  CheckRoutes(view, report);
  CheckTrustedNetwork(view, report);
  CheckNameRules(view, report);
  CheckFilters(view, report);
}

}  // namespace hourglass::profiles
