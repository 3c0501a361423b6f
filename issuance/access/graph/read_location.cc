#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "issuance/access/graph/readers.h"

namespace hourglass::access {
namespace {

IpLocation ReadRanges(Members* members) {
  IpLocation location;
  location.trusted = members->Flag("isTrusted").value_or(false);
  for (Members& range : members->Objects("ipRanges")) {
    const std::string text = range.RequiredText("cidrAddress");
    const std::optional<IpRange> parsed = ParseIpRange(text);
    if (parsed.has_value()) {
      location.ranges.push_back(*parsed);
    } else if (!text.empty()) {
      range.Mistake("cidrAddress", "must be an address, a slash and the length of its prefix");
    }
  }
  return location;
}

CountryLocation ReadCountries(Members* members) {
  CountryLocation location;
  for (const std::string& country : members->Texts("countriesAndRegions")) {
    const bool is_code =
        country.size() == 2 && absl::ascii_isalpha(country[0]) && absl::ascii_isalpha(country[1]);
    if (is_code) {
      location.countries.push_back(absl::AsciiStrToUpper(country));
    } else {
      members->Mistake("countriesAndRegions", "must be codes of two letters (ISO 3166-1)");
    }
  }
  location.include_unknown = members->Flag("includeUnknownCountriesAndRegions").value_or(false);
  const std::string lookup = members->Text("countryLookupMethod");
  const auto known = FromGraphName<CountryLookup>(lookup);
  if (known.has_value()) {
    location.lookup = *known;
  } else if (!lookup.empty()) {
    members->Mistake("countryLookupMethod", "must be clientIpAddress or authenticatorAppGps");
  }
  return location;
}

}  // namespace

NamedLocation ReadLocation(Members members, std::vector<Notice>* notices) {
  NamedLocation location;
  location.id = members.Text("id");
  location.display_name = members.RequiredText("displayName");
  location.created = members.Time("createdDateTime");
  location.modified = members.Time("modifiedDateTime");
  const std::string type = members.Text("@odata.type");
  if (absl::EndsWithIgnoreCase(type, ".ipNamedLocation") ||
      (type.empty() && members.Has("ipRanges"))) {
    location.place = ReadRanges(&members);
  } else if (absl::EndsWithIgnoreCase(type, ".countryNamedLocation") ||
             (type.empty() && members.Has("countriesAndRegions"))) {
    location.place = ReadCountries(&members);
  } else {
    location.place = OtherLocation{type};
    notices->push_back({Notice::Kind::kNotEnforced, members.PathOf("@odata.type"),
                        "is no location of addresses or countries, so it is not known who is "
                        "there"});
    return location;
  }
  for (const auto& [name, json] : members.Rest()) {
    notices->push_back(
        {Notice::Kind::kIgnored, members.PathOf(name), "is no part of a named location"});
  }
  return location;
}

}  // namespace hourglass::access
