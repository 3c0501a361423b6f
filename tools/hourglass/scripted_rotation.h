// A scripted rotation, for tests of what shows and changes one.
#ifndef HOURGLASS_TOOLS_HOURGLASS_SCRIPTED_ROTATION_H_
#define HOURGLASS_TOOLS_HOURGLASS_SCRIPTED_ROTATION_H_

#include <cstdint>
#include <string>

#include "tools/hourglass/scripted_service.h"

namespace hourglass::cli {

class RotationTest : public HourglassTest {
 protected:
  // r1 signs and r2 is staged, in the bundle from version 6 on; gw-1 has acknowledged r2, nps,
  // which is manual, an older bundle, and gw-2 nothing.
  RotationTest() : now_(absl::Now()) {
    v1::Rotation& rotation = rotations_.rotation;
    rotation.set_tenant_id("contoso");
    rotation.set_bundle_version(7);
    AddRoot("r1", 1, v1::PRIMARY, 60);
    AddRoot("r2", 2, v1::STAGED, 700);
    rotation.mutable_roots(1)->set_bundle_version(6);
    *rotation.add_relying_parties() = Party("gw-1", 7, false);
    *rotation.add_relying_parties() = Party("gw-2", 0, false);
    *rotation.add_relying_parties() = Party("nps", 5, true);
    *rotation.add_obstacles() =
        Obstacle(v1::PromotionObstacle::NOT_ACKNOWLEDGED, "never acknowledged anything", "gw-2");
    *rotation.add_obstacles() =
        Obstacle(v1::PromotionObstacle::NOT_ACKNOWLEDGED, "last acknowledged version 5", "nps");
    *rotation.mutable_next_step() =
        Step(v1::RotationStep::PROMOTE, "r2", absl::Hours(-2), "r1 ends in 60 days");
    v1::RotationPolicy& policy = *rotation.mutable_policy();
    policy.set_mode(v1::RotationPolicy::OFF);
    policy.mutable_stage_before_expiry()->set_seconds(60 * 86400);
    policy.mutable_promote_before_expiry()->set_seconds(30 * 86400);
    policy.mutable_root_duration()->set_seconds(730 * 86400);
    policy.set_key_type(v1::EC_P384);
    rotations_.party = Party("gw-1", 7, false);
    v1::AdministrativeAction& action = journal_.action;
    action.set_tenant_id("contoso");
    action.set_sequence(12);
    *action.mutable_at() = TimestampOf(now_ - absl::Minutes(5) - absl::Seconds(30));
    action.set_caller("admin");
    action.set_action("root_promoted");
    action.set_subject("r2");
    action.set_from_state("STAGED");
    action.set_to_state("PRIMARY");
  }

  void AddRoot(const std::string& root_id, std::uint32_t generation, v1::RootState state,
               int days) {
    v1::Root& root = *rotations_.rotation.add_roots();
    root = roots_.root;
    root.set_root_id(root_id);
    root.set_generation(generation);
    root.set_state(state);
    *root.mutable_not_after() = TimestampOf(now_ + absl::Hours(24 * days + 12));
  }

  v1::RelyingParty Party(const std::string& name, std::uint64_t version, bool manual) const {
    v1::RelyingParty party;
    party.set_tenant_id("contoso");
    party.set_name(name);
    party.set_identity(manual ? "" : "caller-of-" + name);
    party.set_kind(manual ? "nps" : "freeradius");
    party.set_manual(manual);
    *party.mutable_registered_at() = TimestampOf(now_ - absl::Hours(72));
    if (version == 0) return party;
    if (!manual) SetFetched(version, party);
    party.set_acknowledged_version(version);
    party.set_acknowledged_sha256(std::string(32, '\x2a'));
    *party.mutable_acknowledged_at() = TimestampOf(now_ - absl::Minutes(3) - absl::Seconds(30));
    party.set_acknowledged_by(manual ? "admin" : "caller-of-" + name);
    return party;
  }

  void SetFetched(std::uint64_t version, v1::RelyingParty& party) const {
    party.set_fetched_version(version);
    *party.mutable_fetched_at() = TimestampOf(now_ - absl::Minutes(4) - absl::Seconds(30));
  }

  v1::RotationStep Step(v1::RotationStep::Action action, const std::string& root_id,
                        absl::Duration from_now, const std::string& reason) const {
    v1::RotationStep step;
    step.set_action(action);
    step.set_root_id(root_id);
    *step.mutable_due_at() = TimestampOf(now_ + from_now + absl::Seconds(30));
    step.set_reason(reason);
    return step;
  }

  const absl::Time now_;
};

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_SCRIPTED_ROTATION_H_
