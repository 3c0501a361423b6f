// Lint of a template, before anything is signed with it.
#ifndef HOURGLASS_CA_SPECIMENS_H_
#define HOURGLASS_CA_SPECIMENS_H_

#include "absl/status/status.h"
#include "ca/certificate_template.h"
#include "ca/issuer_certificate.h"
#include "ca/profile.h"

namespace hourglass::ca {

// Fills `leaf`, which was compiled from the other two, in every shape that it can take - each key
// type, with and without SID, common names around the lengths where DER's length octets grow and
// where the user id steps in, the first and last hour of the issuer and the turn to GeneralizedTime
// - and lints what comes out with our rules and with Botan. Errors: INTERNAL_ERROR naming the rules
// that a specimen breaks, ROOT_EXPIRING where the issuer is too short for any leaf.
absl::Status LintTemplate(const CertificateTemplate& leaf, const IssuerCertificate& issuer,
                          const LeafProfile& profile);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_SPECIMENS_H_
