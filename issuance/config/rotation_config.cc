#include "issuance/config/rotation_config.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "hsm/key/key_type.h"

namespace hourglass::issuance {
namespace {

using yaml::Mapping;

constexpr std::chrono::seconds kMinAhead = std::chrono::hours(1);
constexpr std::chrono::seconds kMaxAhead = std::chrono::hours(3650 * 24);
// As ca::CheckRootDuration has it.
constexpr std::chrono::seconds kMinRootDuration = std::chrono::hours(24);
constexpr std::chrono::seconds kMaxRootDuration = std::chrono::hours(30 * 366 * 24);

// In the order of RotationMode.
constexpr absl::string_view kModes[] = {"off", "dry_run", "automatic"};

constexpr char kStage[] = "stage_before_expiry";
constexpr char kPromote[] = "promote_before_expiry";
constexpr char kDuration[] = "root_duration";

struct NamedTime {
  const char* name;
  std::chrono::seconds time;
};

// Told where one of the two is given: what neither is was told where it was, or is a default.
void RequireLess(Mapping fields, const NamedTime& less, const NamedTime& more) {
  if (less.time < more.time) return;
  if (fields.Has(less.name)) {
    fields.Mistake(less.name, absl::StrCat("must be less than ", more.name));
  } else if (fields.Has(more.name)) {
    fields.Mistake(more.name, absl::StrCat("must be more than ", less.name));
  }
}

// Else the primary could issue no more before its successor was there to.
void RequireRoomForLeaves(Mapping issuing, Mapping fields, std::chrono::seconds promote,
                          std::chrono::seconds leaf_lifetime) {
  if (promote >= 2 * leaf_lifetime) return;
  if (fields.Has(kPromote)) {
    fields.Mistake(kPromote, "must be at least twice the lifetime of the certificates");
  } else if (issuing.Has("lifetime")) {
    issuing.Mistake("lifetime", absl::StrCat("must be at most half of rotation.", kPromote));
  }
}

}  // namespace

absl::string_view RotationModeName(RotationMode mode) {
  return kModes[static_cast<std::size_t>(mode)];
}

RotationPolicy ReadRotation(Mapping issuing, RotationPolicy policy,
                            std::chrono::seconds leaf_lifetime) {
  Mapping fields = issuing.Optional("rotation");
  if (const auto mode = fields.Choice("mode", kModes); mode.has_value()) {
    policy.mode = static_cast<RotationMode>(
        std::distance(std::begin(kModes), std::find(std::begin(kModes), std::end(kModes), *mode)));
  }
  policy.stage_before_expiry =
      fields.Seconds(kStage, kMinAhead, kMaxAhead).value_or(policy.stage_before_expiry);
  policy.promote_before_expiry =
      fields.Seconds(kPromote, kMinAhead, kMaxAhead).value_or(policy.promote_before_expiry);
  policy.root_duration =
      fields.Seconds(kDuration, kMinRootDuration, kMaxRootDuration).value_or(policy.root_duration);
  if (const auto type = fields.Choice("key_type", hsm::KeyTypeNames()); type.has_value()) {
    policy.key_type = hsm::ParseKeyType(*type).value_or(policy.key_type);
  }
  policy.waive_acknowledgements =
      fields.Bool("waive_acknowledgements").value_or(policy.waive_acknowledgements);
  RequireLess(fields, {kPromote, policy.promote_before_expiry},
              {kStage, policy.stage_before_expiry});
  RequireLess(fields, {kStage, policy.stage_before_expiry}, {kDuration, policy.root_duration});
  RequireRoomForLeaves(issuing, fields, policy.promote_before_expiry, leaf_lifetime);
  return policy;
}

}  // namespace hourglass::issuance
