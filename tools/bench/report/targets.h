// The bounds that figures are held to, all in one place.
#ifndef HOURGLASS_TOOLS_BENCH_REPORT_TARGETS_H_
#define HOURGLASS_TOOLS_BENCH_REPORT_TARGETS_H_

#include <string>
#include <vector>

namespace hourglass::bench {

// What each is about is in targets.cc. Several figures may have one target: the worst one counts.
enum class TargetId {
  kLibraryEc,
  kLibraryRsaLeaf,
  kServiceSoftware,
  kServiceSofthsm,
  kServiceSofthsmCpu,
  kLatency,
  kCostAtScale,
  kStartAtScale,
  kMemoryAtSaturation,
  kMemoryOfTenants,
  kStormPeak,
  kErrors,
  kFairness,
  kGoodput,
  kListings,
  kPromotionErrors,
  kPromotionLatency,
  kPolicies,
  kPolicyGrowth,
  kTokenCheck,
  kServiceTokens,
};

struct Target {
  TargetId id;
  std::string name;    // in JSON: `library_ec`
  std::string figure;  // in words: what is held to the bound
  double bound = 0;
  bool at_most = true;  // else at least

  bool MetBy(double judged) const { return at_most ? judged <= bound : judged >= bound; }
};

// In the order in which they are reported.
const std::vector<Target>& Targets();

const Target& TargetOf(TargetId id);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_REPORT_TARGETS_H_
