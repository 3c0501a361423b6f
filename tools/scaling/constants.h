// What was measured, and the cells that follow from it. docs/scaling.md says where each number is
// from.
#ifndef HOURGLASS_TOOLS_SCALING_CONSTANTS_H_
#define HOURGLASS_TOOLS_SCALING_CONSTANTS_H_

#include <string>
#include <vector>

#include "tools/scaling/model.h"

namespace hourglass::scaling {

// Of PostgreSQL, a transaction and a certificate (which takes two transactions), as a batch has
// `writes` of each: 387 us a certificate at batches of 1, 92 at 8 and 61 at 32 are, within 1 %,
// kCertificateUs + 2 kTransactionUs / batch.
inline constexpr double kTransactionUs = 168;
inline constexpr double kCertificateUs = 50.5;
inline constexpr double kWalOctets = 3300;
// With 500 000 random keys in the key table instead of 100 000: 66 us and 5702 octets of an intent
// instead of 42 and 2826. A fleet's table is larger.
inline constexpr double kCertificateUsOfLargeTable = kCertificateUs + 66 - 42;
inline constexpr double kWalOctetsOfLargeTable = kWalOctets + 5702 - 2826;
// Of intents and releases, without keys and indices: 15.5 MB for 12 000.
inline constexpr double kJournalOctets = 15.5e6 / 12000;
// Computed from the widths of the columns: of the key table and of all indices; and of the two
// indices that each certificate enters at a random place.
inline constexpr double kKeyAndIndexOctets = 530;
inline constexpr double kRandomIndexOctets = 160;

// A fdatasync of 4 KiB.
inline constexpr double kFlushUs = 157;
// What a batch costs beside its requests: chosen so that one request at a time takes as long as
// measured, 635 us.
inline constexpr double kBatchUs = 180;
// A signature of a P-256 key in this process.
inline constexpr double kSignatureUs = 16;
// What the service computes more for a signature that it waits for, and verifies: 190 - 123 us,
// and what it does not compute itself.
inline constexpr double kAwaitedSignatureUs = 190 - 123 + kSignatureUs;
// Of the service for a call that is refused: what a call costs without its certificate.
inline constexpr double kCallUs = 25.1;

// The cost of a certificate where the service takes `service_us` at saturation, `signature_us` of
// them for the signature.
CertificateCost CostOf(double service_us, double signature_us);

// The measured machine: 2 cores that a load generator uses, too, SQLite, one hourglassd.
CellModel MeasuredMachine(const CertificateCost& cost, double generator_us);

// 100 times that machine's cores: 8 replicas of 16, a primary and a standby of 36.
CellModel HundredTimes();

// A figure of docs/performance.md beside what the simulation says of the same.
struct Comparison {
  std::string figure;
  std::string unit;
  double measured;
  double simulated;
  // How far the simulation may be off, as factors; what it cannot say has no bounds.
  double at_least = 0;
  double at_most = 1e9;
};

// All there is to compare with. The same for the same seed.
std::vector<Comparison> CompareWithMeasured(std::uint64_t seed);

}  // namespace hourglass::scaling

#endif  // HOURGLASS_TOOLS_SCALING_CONSTANTS_H_
