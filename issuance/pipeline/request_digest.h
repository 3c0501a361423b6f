// Whether two requests of one id are the same.
#ifndef HOURGLASS_ISSUANCE_PIPELINE_REQUEST_DIGEST_H_
#define HOURGLASS_ISSUANCE_PIPELINE_REQUEST_DIGEST_H_

#include <string>

#include "hourglass/v1/issuance.pb.h"
#include "issuance/identity/caller.h"

namespace hourglass::issuance {

// SHA-256, 32 octets, of all that a request says but its id, and of its caller's name: what the
// journal tells a repeated request by. Safe to call from several threads.
std::string RequestDigest(const Caller& caller, const v1::IssueCertificateRequest& request);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_PIPELINE_REQUEST_DIGEST_H_
