#include "issuance/rotation/promotion_obstacles.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hsm/base/error.h"
#include "issuance/store/store_rules.h"
#include "issuance/wire/promotion_obstacles_payload.h"
#include "issuance/wire/readable_text.h"

namespace hourglass::issuance {
namespace {

using Kind = PromotionObstacle::Kind;

constexpr std::pair<Kind, v1::PromotionObstacle::Kind> kKinds[] = {
    {Kind::kNotAcknowledged, v1::PromotionObstacle::NOT_ACKNOWLEDGED},
    {Kind::kNoRelyingParty, v1::PromotionObstacle::NO_RELYING_PARTY},
    {Kind::kKeyCannotSign, v1::PromotionObstacle::KEY_CANNOT_SIGN},
    {Kind::kEndsTooSoon, v1::PromotionObstacle::ENDS_TOO_SOON},
    {Kind::kNotYetValid, v1::PromotionObstacle::NOT_YET_VALID},
};

// What the relying party has not said.
std::string WhatIsMissing(const RootRecord& root, const RelyingPartyRecord& party) {
  const std::string has = party.acknowledged_version == 0
                              ? std::string("has acknowledged no trust bundle")
                              : absl::StrCat("has acknowledged version ",
                                             party.acknowledged_version, " of the trust bundle");
  return absl::StrCat("relying party ", party.name, " ", has, ", and ", root.root_id, " is in it ",
                      "from version ", root.bundle_version, " on",
                      party.is_manual ? "; an administrator attests for it" : "");
}

}  // namespace

v1::PromotionObstacle ToProto(const PromotionObstacle& obstacle) {
  v1::PromotionObstacle proto;
  for (const auto& [kind, of_proto] : kKinds) {
    if (kind == obstacle.kind) proto.set_kind(of_proto);
  }
  proto.set_relying_party(obstacle.relying_party);
  // A token's own words may be in it.
  proto.set_message(AsUtf8(obstacle.message));
  return proto;
}

std::vector<PromotionObstacle> AcknowledgementObstacles(
    const RootRecord& root, absl::Span<const RelyingPartyRecord> parties) {
  if (parties.empty()) {
    return {{PromotionObstacle::Kind::kNoRelyingParty, "",
             "the tenant has no relying party that could say that it trusts the root"}};
  }
  std::vector<PromotionObstacle> obstacles;
  for (const RelyingPartyRecord& party : parties) {
    if (HasAcknowledged(party, root)) continue;
    obstacles.push_back(
        {PromotionObstacle::Kind::kNotAcknowledged, party.name, WhatIsMissing(root, party)});
  }
  return obstacles;
}

std::vector<PromotionObstacle> TimeObstacles(const RootRecord& root, ca::Time now,
                                             std::chrono::seconds leaf_lifetime) {
  std::vector<PromotionObstacle> obstacles;
  if (now < root.not_before) {
    obstacles.push_back({PromotionObstacle::Kind::kNotYetValid, "",
                         absl::StrCat(root.root_id, " is valid from ",
                                      ca::FormatTime(root.not_before), " on only")});
  }
  // As ca::Authority has it: a certificate may end with its root, and not after it.
  if (root.not_after < now + leaf_lifetime) {
    obstacles.push_back({PromotionObstacle::Kind::kEndsTooSoon, "",
                         absl::StrCat(root.root_id, " ends at ", ca::FormatTime(root.not_after),
                                      ", before a certificate that it issues now would")});
  }
  return obstacles;
}

absl::Status PromotionBlocked(absl::Span<const PromotionObstacle> obstacles) {
  absl::Status status = Error(
      ErrorReason::kPromotionBlocked, "root_id",
      absl::StrCat(
          "cannot be promoted: ",
          absl::StrJoin(obstacles, "; ", [](std::string* out, const PromotionObstacle& obstacle) {
            absl::StrAppend(out, obstacle.message);
          })));
  std::vector<v1::PromotionObstacle> carried;
  for (const PromotionObstacle& obstacle : obstacles) carried.push_back(ToProto(obstacle));
  AttachObstacles(carried, &status);
  return status;
}

std::vector<PromotionObstacle> ObstaclesOf(const absl::Status& status) {
  std::vector<PromotionObstacle> obstacles;
  for (const v1::PromotionObstacle& carried : AttachedObstacles(status)) {
    for (const auto& [kind, of_proto] : kKinds) {
      if (of_proto != carried.kind()) continue;
      obstacles.push_back({kind, carried.relying_party(), carried.message()});
    }
  }
  return obstacles;
}

}  // namespace hourglass::issuance
