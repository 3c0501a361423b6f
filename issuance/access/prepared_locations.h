// Named locations, and where a sign-in is.
#ifndef HOURGLASS_ISSUANCE_ACCESS_PREPARED_LOCATIONS_H_
#define HOURGLASS_ISSUANCE_ACCESS_PREPARED_LOCATIONS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "issuance/access/facts.h"
#include "issuance/access/ip_range.h"
#include "issuance/access/named_location.h"
#include "issuance/access/truth.h"

namespace hourglass::access {

// Locations that a policy includes or excludes.
struct LocationChoice {
  bool anywhere = false;
  bool all_trusted = false;
  std::vector<std::size_t> places;  // of PreparedLocations
  bool open = false;                // one is not known, or something is not understood
};

// Immutable.
class PreparedLocations {
 public:
  PreparedLocations(const std::vector<NamedLocation>& locations,
                    const std::vector<IpRange>& mfa_trusted_ips);

  // Ids as policies write them. An id that is no location's leaves the choice open.
  LocationChoice Choose(const std::vector<std::string>& ids) const;

  std::size_t size() const { return places_.size(); }
  Truth IsAt(std::size_t place, const SignInFacts& facts) const;
  Truth IsTrusted(const SignInFacts& facts) const;

 private:
  struct Place {
    bool ranges = false;  // otherwise countries
    IpRangeSet addresses;
    IdSet countries;
    bool unknown_countries = false;
    bool by_gps = false;
    bool understood = true;
  };

  std::vector<Place> places_;
  absl::flat_hash_map<std::string, std::size_t> by_id_;
  IpRangeSet trusted_;
};

// Where one sign-in is: each place is looked up once, however many policies name it.
class Whereabouts {
 public:
  Whereabouts(const PreparedLocations& locations, const SignInFacts& facts)
      : locations_(locations), facts_(facts) {}

  Truth IsIn(const LocationChoice& choice);

 private:
  Truth IsAt(std::size_t place);

  const PreparedLocations& locations_;
  const SignInFacts& facts_;
  std::vector<std::optional<Truth>> known_;
  std::optional<Truth> trusted_;
};

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_PREPARED_LOCATIONS_H_
