// Named locations as Microsoft Graph has them (namedLocation).
#ifndef HOURGLASS_ISSUANCE_ACCESS_NAMED_LOCATION_H_
#define HOURGLASS_ISSUANCE_ACCESS_NAMED_LOCATION_H_

#include <string>
#include <variant>
#include <vector>

#include "issuance/access/ip_range.h"
#include "issuance/access/terms.h"

namespace hourglass::access {

struct IpLocation {
  bool trusted = false;
  std::vector<IpRange> ranges;

  bool operator==(const IpLocation&) const = default;
};

struct CountryLocation {
  std::vector<std::string> countries;  // ISO 3166-1, two capital letters
  bool include_unknown = false;        // addresses that belong to no country
  CountryLookup lookup = CountryLookup::kClientIpAddress;

  bool operator==(const CountryLocation&) const = default;
};

// Of a type that is not understood: nobody is known to be there or not to be there.
struct OtherLocation {
  std::string type;  // `#microsoft.graph.compliantNetworkNamedLocation`

  bool operator==(const OtherLocation&) const = default;
};

struct NamedLocation {
  std::string id;
  std::string display_name;
  std::string created;   // RFC 3339, or empty
  std::string modified;  // the same
  std::variant<IpLocation, CountryLocation, OtherLocation> place;

  bool operator==(const NamedLocation&) const = default;
};

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_NAMED_LOCATION_H_
