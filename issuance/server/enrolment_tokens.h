// Part of the running service: access tokens that approve the first key of a device.
#ifndef HOURGLASS_ISSUANCE_SERVER_ENROLMENT_TOKENS_H_
#define HOURGLASS_ISSUANCE_SERVER_ENROLMENT_TOKENS_H_

#include "issuance/services/access/device_key_service.h"
#include "issuance/tokens/tenant_tokens.h"

namespace hourglass::issuance {

// By the tokens that the tenant takes, which must name the device, and are used up by the key: the
// same key may be brought again with the same token. One that is bound to the caller's certificate
// (cnf) is refused, since it is not known here which one he showed. `tokens` must outlive what is
// returned.
EnrolmentToken EnrolmentTokenBy(const TokensByTenant* tokens);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_ENROLMENT_TOKENS_H_
