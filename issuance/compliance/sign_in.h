// How a user signed in: from his token to a question, and from a question to facts.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_SIGN_IN_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_SIGN_IN_H_

#include "hourglass/v1/compliance.pb.h"
#include "issuance/access/facts.h"

namespace hourglass::issuance {

// What a question says of the sign-in, as conditional access takes it; without one, nothing is
// known. What follows from no claim stays unknown: risks, countries, the kind of client, when the
// second factor was. Of `amr` (RFC 8176, and what Entra ID writes) multifactor authentication is
// known wherever something is listed, and by their names in Microsoft Graph those methods that one
// word alone stands for. A pure function.
access::SignInFacts SignInFactsOf(const v1::EvaluateRequest& question);

// Puts into `facts`, what the directory knows, what the token knows better: that the user is the
// one of this id, and where it has all of his groups, these. A pure function.
void PutUserOfToken(const v1::EvaluateRequest& question, access::UserFacts* facts);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_SIGN_IN_H_
