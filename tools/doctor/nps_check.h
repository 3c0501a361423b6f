// The mistakes in a Network Policy Server's set-up that let a VPN user in without the
// conditional-access OID, or keep everybody out.
#ifndef HOURGLASS_TOOLS_DOCTOR_NPS_CHECK_H_
#define HOURGLASS_TOOLS_DOCTOR_NPS_CHECK_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/doctor/finding.h"
#include "tools/doctor/finding_list.h"
#include "tools/doctor/nps_export.h"

namespace hourglass::doctor {

// Findings of the policies, in the order in which NPS tries them, then of the RADIUS clients.
// `file` is their place's. No finding holds a secret.
std::vector<Finding> CheckNps(const NpsExport& nps, const std::string& file);

// ReadNpsExport and CheckNps, with a finding `nps-unreadable` where it cannot be read.
std::vector<Finding> CheckNpsFile(absl::string_view octets, const std::string& file);

// Whether a connection request policy hands VPN requests to another server.
bool ForwardsVpnRequests(const NpsExport& nps);

// Of RADIUS clients and server groups: empty and short secrets, requests without
// Message-Authenticator, clients that are switched off or are the whole internet.
void CheckNpsPeers(const NpsExport& nps, FindingList& findings);

// Of what a policy's profile asks of a certificate.
enum class OidVerdict {
  kNone,      // nothing
  kWrong,     // something, which is not the OID alone
  kEnforced,  // it appears to ask for the OID
};
OidVerdict OidVerdictOf(const NpsProfile& profile);

// The ways into `profile` that take a password instead of a certificate, in words; empty where
// there are none.
std::vector<std::string> PasswordWays(const NpsProfile& profile);

// Values that are not the OID, or stand where they restrict nothing.
void CheckNpsOidValues(const NpsProfile& profile, FindingList& findings);
// PasswordWays, EAP types without certificates, and what of the user's account counts.
void CheckNpsMethods(const NpsProfile& profile, FindingList& findings);
// How long a session may last.
void CheckNpsSession(const NpsProfile& profile, FindingList& findings);

// The remedy of most.
inline constexpr char kAskForTheOid[] =
    "in its settings, Vendor Specific, add Allowed-Certificate-OID with the one value "
    "1.3.6.1.4.1.311.87, and leave EAP-TLS (inside PEAP or bare) as the only method";

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_NPS_CHECK_H_
