// The parts of a store that are decisions against somebody. Of parts.cc.
#ifndef HOURGLASS_ISSUANCE_STORE_TRANSFER_DECISION_PARTS_H_
#define HOURGLASS_ISSUANCE_STORE_TRANSFER_DECISION_PARTS_H_

#include "issuance/store/transfer/parts.h"

namespace hourglass::issuance {

Part RefusalPart();
Part NewestEventPart();
Part EventPart();

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TRANSFER_DECISION_PARTS_H_
