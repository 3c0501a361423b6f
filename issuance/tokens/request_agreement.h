// Whether a request is for the user and the device that its token names.
#ifndef HOURGLASS_ISSUANCE_TOKENS_REQUEST_AGREEMENT_H_
#define HOURGLASS_ISSUANCE_TOKENS_REQUEST_AGREEMENT_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "issuance/tokens/access_token.h"

namespace hourglass::issuance {

// Whom a request says that it is for. What is empty it does not say, and is the token's.
struct RequestedFor {
  absl::string_view user_id = "";
  absl::string_view upn = "";
  absl::string_view device_id = "";
};

// OK where the request says nothing else than the token. GUIDs are compared in letters of either
// case, UPNs as ca::FoldedUpn has them; a UPN that the token does not have agrees with nothing
// here, so that whoever takes it from a directory is to leave it out. Errors, both TokenError:
// kAnotherUser, kAnotherDevice; their messages name no user and no device. Safe to call from
// several threads.
absl::Status CheckRequestedFor(const RequestedFor& request, const TokenIdentity& identity);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_REQUEST_AGREEMENT_H_
