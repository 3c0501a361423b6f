// Whom nothing is issued to, whatever is reported of a device and whoever decides.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_BLOCKS_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_BLOCKS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "hourglass/v1/compliance.pb.h"
#include "hourglass/v1/error.pb.h"
#include "issuance/base/clock.h"
#include "issuance/store/access_records.h"
#include "issuance/store/access_store.h"

namespace hourglass::issuance {

// The policy version of a verdict that a block has decided.
inline constexpr char kBlockedPolicyVersion[] = "blocks";

// What stands against the device and the user, by settings `device_blocked`, `user_blocked` and
// `user_disabled`, in words that a help desk can read out; empty where nothing does. Blocks that
// are over are not among the facts. A pure function.
std::vector<v1::DenyReason> BlockReasons(const DecisionFacts& facts);

// What is known of the question's device and user, and what stands against them.
struct BlockFindings {
  DecisionFacts facts;
  std::vector<v1::DenyReason> reasons;
  // The directory has the question's UPN of another user than the one of its id.
  bool name_is_anothers = false;
};

// As of `now`. Who is asked for by an id and by a UPN that the directory does not have of one user
// is judged as both: the certificate has both names. One read of the store, and a second one in
// that case. Errors: JOURNAL_UNAVAILABLE.
absl::StatusOr<BlockFindings> FindBlocks(DecisionFactsStore& store,
                                         const v1::EvaluateRequest& question, Timestamp now);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_BLOCKS_H_
