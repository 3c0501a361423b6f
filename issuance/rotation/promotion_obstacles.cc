#include "issuance/rotation/promotion_obstacles.h"

#include <algorithm>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance {
namespace {

constexpr char kObstaclesPayload[] = "hourglass/promotion-obstacles";

// The last of the kinds.
constexpr int kMaxKind = static_cast<int>(PromotionObstacle::Kind::kNotYetValid);

void AppendText(absl::string_view text, std::string* out) {
  absl::StrAppend(out, text.size(), ":", text);
}

// The number before the next colon, which it passes over. Empty where there is none.
std::optional<std::size_t> TakeNumber(absl::string_view* rest) {
  const std::size_t colon = rest->find(':');
  std::size_t number = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(rest->substr(0, colon), &number)) {
    return std::nullopt;
  }
  rest->remove_prefix(colon + 1);
  return number;
}

std::optional<std::string> TakeText(absl::string_view* rest) {
  const std::optional<std::size_t> size = TakeNumber(rest);
  if (!size.has_value() || *size > rest->size()) return std::nullopt;
  std::string text(rest->substr(0, *size));
  rest->remove_prefix(*size);
  return text;
}

std::optional<PromotionObstacle> TakeObstacle(absl::string_view* rest) {
  const std::optional<std::size_t> kind = TakeNumber(rest);
  if (!kind.has_value() || *kind > std::size_t{kMaxKind}) return std::nullopt;
  std::optional<std::string> relying_party = TakeText(rest);
  if (!relying_party.has_value()) return std::nullopt;
  std::optional<std::string> message = TakeText(rest);
  if (!message.has_value()) return std::nullopt;
  return PromotionObstacle{static_cast<PromotionObstacle::Kind>(*kind), *std::move(relying_party),
                           *std::move(message)};
}

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

std::vector<PromotionObstacle> AcknowledgementObstacles(
    const RootRecord& root, absl::Span<const RelyingPartyRecord> parties) {
  if (parties.empty()) {
    return {{PromotionObstacle::Kind::kNoRelyingParty, "",
             "the tenant has no relying party that could say that it trusts the root"}};
  }
  std::vector<PromotionObstacle> obstacles;
  for (const std::string& name : NotAcknowledgedBy(root, parties)) {
    const auto party =
        std::find_if(parties.begin(), parties.end(),
                     [&](const RelyingPartyRecord& other) { return other.name == name; });
    obstacles.push_back({PromotionObstacle::Kind::kNotAcknowledged, name,
                         party == parties.end() ? "" : WhatIsMissing(root, *party)});
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
  std::string payload;
  for (const PromotionObstacle& obstacle : obstacles) {
    absl::StrAppend(&payload, static_cast<int>(obstacle.kind), ":");
    AppendText(obstacle.relying_party, &payload);
    AppendText(obstacle.message, &payload);
  }
  status.SetPayload(kObstaclesPayload, absl::Cord(payload));
  return status;
}

std::vector<PromotionObstacle> ObstaclesOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kObstaclesPayload);
  if (!payload.has_value()) return {};
  const std::string text(*payload);
  std::vector<PromotionObstacle> obstacles;
  for (absl::string_view rest = text; !rest.empty();) {
    std::optional<PromotionObstacle> obstacle = TakeObstacle(&rest);
    if (!obstacle.has_value()) return {};
    obstacles.push_back(*std::move(obstacle));
  }
  return obstacles;
}

}  // namespace hourglass::issuance
