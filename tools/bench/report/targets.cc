#include "tools/bench/report/targets.h"

#include <algorithm>

namespace hourglass::bench {

const std::vector<Target>& Targets() {
  static const std::vector<Target> targets = {
      {TargetId::kLibraryEc, "library_ec", "library, P-256 leaf and root: CPU ÷ floor", 1.25},
      {TargetId::kLibraryRsaLeaf, "library_rsa_leaf",
       "library, RSA-2048 leaf, P-256 root: CPU ÷ floor", 1.6},
      {TargetId::kServiceSoftware, "service_software",
       "service, software P-256: server CPU ÷ floor, everything on", 2.2},
      {TargetId::kServiceSofthsm, "service_softhsm",
       "service, SoftHSM P-256: certificates/s ÷ what the token alone can sign", 0.6, false},
      {TargetId::kServiceSofthsmCpu, "service_softhsm_cpu",
       "service, SoftHSM P-256: processors in use at saturation (CPU-bound, not lock-bound)", 0.9,
       false},
      {TargetId::kLatency, "latency", "service: p99 at 50 % of saturation ÷ the unloaded median",
       10},
      {TargetId::kCostAtScale, "cost_at_scale",
       "cost per certificate at 10 000 tenants or 10 million records ÷ cost at 1 or 0", 1.1},
      {TargetId::kStartAtScale, "start_at_scale",
       "start with 10 000 tenants × 3 roots or 10 million records: first certificate "
       "÷ (2 × an empty start + 1 s)",
       1},
      {TargetId::kMemoryAtSaturation, "memory_at_saturation", "memory at saturation, MB", 100},
      {TargetId::kMemoryOfTenants, "memory_of_tenants", "memory with 10 000 tenants, MB", 300},
      {TargetId::kStormPeak, "storm_peak", "storm: peak arrival rate after the first hour ÷ mean",
       1.3},
      {TargetId::kErrors, "errors", "service: errors under load", 0},
      {TargetId::kFairness, "fairness",
       "service: a tenant's p99 beside another's flood ÷ without it", 1.1},
      {TargetId::kGoodput, "goodput",
       "service: certificates/s at three times saturation ÷ saturation", 0.9, false},
      {TargetId::kListings, "listings",
       "service: a tenant's median beside another's auditor with 2 500 listings outstanding "
       "÷ without it",
       1.1},
      {TargetId::kPromotionErrors, "promotion_errors",
       "service: requests that failed around promotions at 50 % of saturation", 0},
      {TargetId::kPromotionLatency, "promotion_latency",
       "service: p99 of the second around a promotion at 50 % of saturation "
       "÷ of the seconds before",
       2},
      {TargetId::kPolicies, "policies",
       "access: a decision by 100 policies for a user in 10 000 groups, us", 20},
      {TargetId::kPolicyGrowth, "policy_growth",
       "access: a decision by ten times the policies that mention the application ÷ 10 decisions; "
       "beside others ÷ alone",
       1.1},
      {TargetId::kTokenCheck, "token_check",
       "access: an access token checked ÷ its hash and RSA verification", 1.5},
      {TargetId::kServiceTokens, "service_tokens",
       "tokens: software P-256: server CPU ÷ floor with the token's verification, everything on",
       2.4},
  };
  return targets;
}

const Target& TargetOf(TargetId id) {
  return *std::find_if(Targets().begin(), Targets().end(),
                       [id](const Target& target) { return target.id == id; });
}

}  // namespace hourglass::bench
