// Whether two requests of one id are the same.
#ifndef HOURGLASS_ISSUANCE_PIPELINE_REQUEST_DIGEST_H_
#define HOURGLASS_ISSUANCE_PIPELINE_REQUEST_DIGEST_H_

#include <string>

#include "absl/strings/string_view.h"
#include "hourglass/v1/issuance.pb.h"
#include "issuance/identity/caller.h"

namespace hourglass::issuance {

// For whom it is: whom the request names, or its token.
struct DigestedHolder {
  absl::string_view user_id;
  absl::string_view user_upn;
  absl::string_view device_id;
};

// SHA-256, 32 octets, of what a request asks for, for whom, and of its caller's name: what the
// journal tells a repeated request by. Neither its id counts nor its access token, of which only
// whom it names does: a repeat may bring a newer one
// (docs/decisions/0038-the-token-says-for-whom.md). Safe to call from several threads.
std::string RequestDigest(const Caller& caller, const v1::IssueCertificateRequest& request,
                          const DigestedHolder& holder);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_PIPELINE_REQUEST_DIGEST_H_
