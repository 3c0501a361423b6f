// What a tenant's leaves look like. All of it is safe to call from several threads.
#ifndef HOURGLASS_CA_CERTIFICATE_PROFILE_H_
#define HOURGLASS_CA_CERTIFICATE_PROFILE_H_

#include <chrono>

#include "absl/status/statusor.h"

namespace hourglass::ca {

// The most that a leaf may be backdated; roots begin that much before they are made.
inline constexpr std::chrono::seconds kMaxBackdate = std::chrono::hours(1);

// The least that a leaf may live, from the time at which it is made.
inline constexpr std::chrono::seconds kMinLeafLifetime = std::chrono::minutes(5);
// The most that a leaf may live, from the time at which it is made.
inline constexpr std::chrono::seconds kMaxLeafLifetime = std::chrono::hours(24);

// What a tenant may choose of its leaves. Not checked before LeafProfile::Create.
struct LeafProfileOptions {
  // notBefore is this long before now: 0 to kMaxBackdate.
  std::chrono::seconds backdate = std::chrono::minutes(5);
  // notAfter is this long after now: kMinLeafLifetime to kMaxLeafLifetime.
  std::chrono::seconds lifetime = std::chrono::minutes(60);
  // noRevAvail (RFC 9608), 2.5.29.56.
  bool no_rev_avail = true;
  // Beside the SID extension, the SID as a URI in the subject alternative name
  // (`tag:microsoft.com,2022-09-14:sid:SID`), which domain controllers from Windows Server 2019 on
  // map too. Only where the subject has a SID.
  bool sid_uri = false;
};

// Valid, immutable options; the only way in is Create.
class LeafProfile {
 public:
  // Errors: CONFIGURATION_INVALID with the option's name as field.
  static absl::StatusOr<LeafProfile> Create(const LeafProfileOptions& options);

  // From notBefore to the time at which a leaf is made: 0 to kMaxBackdate.
  std::chrono::seconds backdate() const { return options_.backdate; }
  // From the time at which a leaf is made to notAfter: kMinLeafLifetime to kMaxLeafLifetime.
  std::chrono::seconds lifetime() const { return options_.lifetime; }
  // Whether leaves have the extension noRevAvail (RFC 9608).
  bool no_rev_avail() const { return options_.no_rev_avail; }
  // Whether a subject's SID is a URI in the subject alternative name, too.
  bool sid_uri() const { return options_.sid_uri; }

 private:
  explicit LeafProfile(const LeafProfileOptions& options) : options_(options) {}

  LeafProfileOptions options_;
};

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_CERTIFICATE_PROFILE_H_
