// The policies of a large tenant, and somebody whom they let in.
#ifndef HOURGLASS_TOOLS_BENCH_ACCESS_SAMPLE_POLICIES_H_
#define HOURGLASS_TOOLS_BENCH_ACCESS_SAMPLE_POLICIES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "issuance/access/evaluation.h"
#include "issuance/access/facts.h"

namespace hourglass::bench {

struct SamplePolicies {
  std::shared_ptr<const access::PreparedPolicies> prepared;
  // A member who is in the groups `0` to `groups` - 1, with a compliant laptop and all facts known.
  access::Facts facts;
  access::Timestamp now;
  // Those of the policies that mention the application, as they are looked up in the user's.
  std::vector<std::string> named_groups;
};

struct SamplePoliciesOptions {
  int mentioning = 0;  // policies that mention the VPN server's application
  int others = 0;      // that mention another one, spread among them
  int groups = 10;     // of the user, at least one
};

// Policies of five kinds in turn: MFA within hours for everybody; a compliant device for ten
// groups, of which the user is in the last; one of two controls, with excluded groups and a filter
// for devices; MFA on two platforms outside trusted locations; a block at a risk that there is not.
// So four of five apply, and all are satisfied. Errors: as PreparedPolicies::Make.
absl::StatusOr<SamplePolicies> MakeSamplePolicies(const SamplePoliciesOptions& options);

// So many ids of groups, `0` to `count` - 1.
std::vector<std::string> GroupIds(int count);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_ACCESS_SAMPLE_POLICIES_H_
