// Which certificates of the journal are live.
#ifndef HOURGLASS_ISSUANCE_DECISIONS_LIVE_CERTIFICATES_H_
#define HOURGLASS_ISSUANCE_DECISIONS_LIVE_CERTIFICATES_H_

#include "issuance/base/clock.h"
#include "issuance/store/journal_store.h"

namespace hourglass::issuance {

// Of those that `filter` finds, only those that are live at `now`. It then looks no further back
// than the longest life of a certificate reaches, however long the journal is.
void NarrowToLive(JournalFilter& filter, Timestamp now);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_DECISIONS_LIVE_CERTIFICATES_H_
