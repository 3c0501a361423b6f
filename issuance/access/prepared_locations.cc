#include "issuance/access/prepared_locations.h"

#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "issuance/access/special_ids.h"

namespace hourglass::access {

PreparedLocations::PreparedLocations(const std::vector<NamedLocation>& locations,
                                     const std::vector<IpRange>& mfa_trusted_ips) {
  std::vector<IpRange> trusted = mfa_trusted_ips;
  for (const NamedLocation& location : locations) {
    Place place;
    if (const auto* const network = std::get_if<IpLocation>(&location.place)) {
      place.ranges = true;
      place.addresses = IpRangeSet(network->ranges);
      if (network->trusted) {
        trusted.insert(trusted.end(), network->ranges.begin(), network->ranges.end());
      }
    } else if (const auto* const area = std::get_if<CountryLocation>(&location.place)) {
      place.countries = IdSet(area->countries);
      place.unknown_countries = area->include_unknown;
      place.by_gps = area->lookup == CountryLookup::kAuthenticatorAppGps;
    } else {
      place.understood = false;
    }
    by_id_[absl::AsciiStrToLower(location.id)] = places_.size();
    places_.push_back(std::move(place));
  }
  trusted_ = IpRangeSet(trusted);
  if (mfa_trusted_ips.empty()) return;
  Place place;
  place.ranges = true;
  place.addresses = IpRangeSet(mfa_trusted_ips);
  by_id_[std::string(kMfaTrustedIps)] = places_.size();
  places_.push_back(std::move(place));
}

LocationChoice PreparedLocations::Choose(const std::vector<std::string>& ids) const {
  LocationChoice choice;
  for (const std::string& id : ids) {
    const auto found = by_id_.find(absl::AsciiStrToLower(id));
    if (absl::EqualsIgnoreCase(id, kAll)) {
      choice.anywhere = true;
    } else if (absl::EqualsIgnoreCase(id, kAllTrusted)) {
      choice.all_trusted = true;
    } else if (found != by_id_.end()) {
      choice.places.push_back(found->second);
    } else {
      choice.open = true;
    }
  }
  return choice;
}

Truth PreparedLocations::IsAt(std::size_t place, const SignInFacts& facts) const {
  const Place& where = places_[place];
  if (!where.understood) return Truth::kUnknown;
  if (where.ranges) {
    if (!facts.address.has_value()) return Truth::kUnknown;
    return Known(where.addresses.Contains(*facts.address));
  }
  const std::optional<std::string>& country = where.by_gps ? facts.gps_country : facts.country;
  if (!country.has_value()) return Truth::kUnknown;
  return Known(country->empty() ? where.unknown_countries : where.countries.Has(*country));
}

Truth PreparedLocations::IsTrusted(const SignInFacts& facts) const {
  if (!facts.address.has_value()) return trusted_.empty() ? Truth::kNo : Truth::kUnknown;
  return Known(trusted_.Contains(*facts.address));
}

Truth Whereabouts::IsAt(std::size_t place) {
  if (known_.empty()) known_.resize(locations_.size());
  if (!known_[place].has_value()) known_[place] = locations_.IsAt(place, facts_);
  return *known_[place];
}

Truth Whereabouts::IsIn(const LocationChoice& choice) {
  if (choice.anywhere) return Truth::kYes;
  Truth truth = choice.open ? Truth::kUnknown : Truth::kNo;
  if (choice.all_trusted) {
    if (!trusted_.has_value()) trusted_ = locations_.IsTrusted(facts_);
    truth = Or(truth, *trusted_);
  }
  for (const std::size_t place : choice.places) truth = Or(truth, IsAt(place));
  return truth;
}

}  // namespace hourglass::access
