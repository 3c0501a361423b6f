// When a client is told to come back.
#ifndef HOURGLASS_ISSUANCE_PIPELINE_RENEWAL_H_
#define HOURGLASS_ISSUANCE_PIPELINE_RENEWAL_H_

#include "issuance/base/clock.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

// When to ask for the certificate after `intent`'s, told at `now`.
//
// A device (the intent's tenant, user and device together) has moments of its own, five eighths of
// a certificate's life apart. It is told the first of them that is an eighth or more of the life
// that is left away, and at the latest three quarters of it. So whoever comes when told is told
// five eighths every time, and whoever comes from elsewhere (for the first time, or late) is back
// at its moments at once: a fleet that started together is spread over all the time between two
// renewals after its first certificate, and stays so, whatever happens later
// (docs/decisions/0012-a-device-has-moments-of-its-own.md).
//
// A function of its arguments, the same in every process: a repeated request gets the same answer
// until that moment is less than an eighth away. Safe to call from several threads.
Timestamp RenewAfter(Timestamp now, const Intent& intent);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_PIPELINE_RENEWAL_H_
