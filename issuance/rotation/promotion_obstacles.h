// What is in the way of promoting a root.
#ifndef HOURGLASS_ISSUANCE_ROTATION_PROMOTION_OBSTACLES_H_
#define HOURGLASS_ISSUANCE_ROTATION_PROMOTION_OBSTACLES_H_

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/types/span.h"
#include "ca/encoding/time.h"
#include "hourglass/v1/error.pb.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

struct PromotionObstacle {
  enum class Kind {
    kNotAcknowledged,  // by the relying party
    kNoRelyingParty,
    kKeyCannotSign,
    kEndsTooSoon,
    kNotYetValid,
  };
  Kind kind;
  std::string relying_party;  // its name, with kNotAcknowledged
  std::string message;        // for people

  bool operator==(const PromotionObstacle&) const = default;
};

// The same as a message of the public contract.
v1::PromotionObstacle ToProto(const PromotionObstacle& obstacle);

// What relying parties are in the way of: each that has not acknowledged the root
// (HasAcknowledged, issuance/store/store_rules.h), or that there is none.
std::vector<PromotionObstacle> AcknowledgementObstacles(
    const RootRecord& root, absl::Span<const RelyingPartyRecord> parties);

// A root must be valid from before `now` until after the last leaf that it would issue now.
std::vector<PromotionObstacle> TimeObstacles(const RootRecord& root, ca::Time now,
                                             std::chrono::seconds leaf_lifetime);

// PROMOTION_BLOCKED with field `root_id`, whose message lists each, and which carries them for
// ObstaclesOf. `obstacles` must not be empty.
absl::Status PromotionBlocked(absl::Span<const PromotionObstacle> obstacles);

// Those that a status of PromotionBlocked carries; none of any other.
std::vector<PromotionObstacle> ObstaclesOf(const absl::Status& status);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_PROMOTION_OBSTACLES_H_
