// What people get wrong in profiles for Always On VPN with conditional access.
#ifndef HOURGLASS_TOOLS_PROFILES_PROFILE_CHECK_H_
#define HOURGLASS_TOOLS_PROFILES_PROFILE_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tools/doctor/finding.h"
#include "tools/profiles/profile_view.h"
#include "tools/profiles/report.h"

namespace hourglass::profiles {

// What is known of the surroundings; what is not known is not compared. Thumbprints are SHA-1, 40
// upper-case hexadecimal digits.
struct Surroundings {
  std::vector<std::string> tenant_roots;   // every root that the tenant ever had
  std::vector<std::string> live_roots;     // those of its trust bundle
  std::vector<std::string> server_roots;   // self-signed, of the RADIUS server's chain
  std::vector<std::string> server_others;  // its own certificate and intermediates
  std::vector<std::string> server_names;   // in the RADIUS servers' certificates
  struct Gateway {
    std::vector<std::string> names;     // in its certificate; `*.` stands for one label
    std::vector<std::string> purposes;  // OIDs; empty: all
  };
  std::vector<Gateway> gateways;
};

struct ProfileFile {
  std::string name;     // for the findings
  std::string content;  // as the file is
  std::string oma_uri;  // where it is deployed to; empty: not known
};

// Findings of all files, in their order, each file's by line; and of the files together, where a
// device's and a user's tunnel are among them. No finding means that nothing was found that a file
// can show. Errors: FIELD_INVALID with the file's name in the message: those of ReadProfiles.
// Several threads may call it.
absl::StatusOr<std::vector<doctor::Finding>> CheckProfiles(absl::Span<const ProfileFile> files,
                                                           const Surroundings& surroundings);

// The parts of it, each for one profile.
void CheckCompliance(const ProfileView& view, const Surroundings& surroundings, Report& report);
void CheckEap(const ProfileView& view, const Surroundings& surroundings, Report& report);
void CheckCertificateFilter(const ProfileView& view, const Surroundings& surroundings,
                            Report& report);
void CheckServerValidation(const ProfileView& view, const Surroundings& surroundings,
                           Report& report);
void CheckTunnel(const ProfileView& view, const Surroundings& surroundings, Report& report);
void CheckTraffic(const ProfileView& view, Report& report);

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_PROFILE_CHECK_H_
