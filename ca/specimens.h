// Lint of a template, before anything is signed with it.
#ifndef HOURGLASS_CA_SPECIMENS_H_
#define HOURGLASS_CA_SPECIMENS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "ca/certificate/certificate_template.h"
#include "ca/certificate/issuer_certificate.h"
#include "ca/certificate/profile.h"

namespace hourglass::ca {

// What a template of this issuer and profile is filled with to be judged, in every shape that its
// gaps can take: each key type, with each common name around the lengths where DER's length octets
// grow and where the user id steps in (with and without SID), at each of the first and last hour of
// the issuer and the turn to GeneralizedTime. The octets live as long as the process. Errors:
// ROOT_EXPIRING where the issuer is too short for any leaf.
absl::StatusOr<std::vector<LeafFields>> AllSpecimens(const IssuerCertificate& issuer,
                                                     const LeafProfile& profile);

// A few of these, in which every key, every name and every time stands at least once, the smallest
// leaf and the largest among them: docs/decisions/0011 says why they are enough for a second
// opinion.
absl::StatusOr<std::vector<LeafFields>> CoveringSpecimens(const IssuerCertificate& issuer,
                                                          const LeafProfile& profile);

// How many specimens each of the two judges read.
struct JudgedSpecimens {
  int by_our_rules = 0;
  int by_botan = 0;
};

// Fills `leaf`, which was compiled from the other two, with all specimens and lints what comes out
// with our rules, and that of the covering ones with Botan. Half a millisecond; the first call of a
// process, in which Botan loads the specimens' keys, takes some more. Errors: INTERNAL_ERROR naming
// the rules that a specimen breaks, ROOT_EXPIRING where the issuer is too short for any leaf.
absl::StatusOr<JudgedSpecimens> LintTemplate(const CertificateTemplate& leaf,
                                             const IssuerCertificate& issuer,
                                             const LeafProfile& profile);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_SPECIMENS_H_
