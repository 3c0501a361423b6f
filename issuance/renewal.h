// When a client is told to come back.
#ifndef HOURGLASS_ISSUANCE_RENEWAL_H_
#define HOURGLASS_ISSUANCE_RENEWAL_H_

#include "issuance/clock.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

// When to ask for the certificate after `intent`'s, told at `now`: between half and three quarters
// of the life that is left then. A function of the certificate, so that a repeated request gets the
// same share of that life. Safe to call from several threads.
Timestamp RenewAfter(Timestamp now, const Intent& intent);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_RENEWAL_H_
