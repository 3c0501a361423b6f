// What became of questions to a compliance service elsewhere, for metrics and status.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_COMPLIANCE_COUNTS_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_COMPLIANCE_COUNTS_H_

#include <atomic>
#include <cstdint>

#include "issuance/compliance/open_circuits.h"

namespace hourglass::issuance {

// Since it was made. Whoever asks writes, metrics and status read; safe to use from several
// threads.
struct ComplianceCounts {
  std::atomic<std::uint64_t> answered = 0;
  std::atomic<std::uint64_t> failed = 0;       // no answer, or an error
  std::atomic<std::uint64_t> not_asked = 0;    // refused at once: the tenant's circuit was open
  std::atomic<std::uint64_t> asked_again = 0;  // there was no connection at first
  std::atomic<std::uint64_t> opened = 0;       // circuits
  std::atomic<std::uint64_t> open = 0;         // circuits that are not closed now
  OpenCircuits circuits;                       // which
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_COMPLIANCE_COUNTS_H_
