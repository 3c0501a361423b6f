// What a tenant's leaves look like.
#ifndef HOURGLASS_CA_PROFILE_H_
#define HOURGLASS_CA_PROFILE_H_

#include <chrono>

#include "absl/status/statusor.h"

namespace hourglass::ca {

struct LeafProfileOptions {
  // notBefore is this long before now: 0 to 1 hour.
  std::chrono::seconds backdate = std::chrono::minutes(5);
  // notAfter is this long after now: 5 minutes to 24 hours.
  std::chrono::seconds lifetime = std::chrono::minutes(60);
  // noRevAvail (RFC 9608), 2.5.29.56.
  bool no_rev_avail = true;
};

// Valid, immutable options; the only way in is Create.
class LeafProfile {
 public:
  // Errors: CONFIGURATION_INVALID with the option's name as field.
  static absl::StatusOr<LeafProfile> Create(const LeafProfileOptions& options);

  std::chrono::seconds backdate() const { return options_.backdate; }
  std::chrono::seconds lifetime() const { return options_.lifetime; }
  bool no_rev_avail() const { return options_.no_rev_avail; }

 private:
  explicit LeafProfile(const LeafProfileOptions& options) : options_(options) {}

  LeafProfileOptions options_;
};

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_PROFILE_H_
