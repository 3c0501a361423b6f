#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/rotation.grpc.pb.h"
#include "hsm/base/status_macros.h"
#include "tools/client/arguments.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/root_description.h"
#include "tools/hourglass/root_ends.h"
#include "tools/hourglass/rotation_description.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct RotationOptions {
  std::string tenant;
  std::string horizon;
};

// Whether this version of the trust bundle has the root, which is in the bundle of now; nothing
// where an older service does not say since when it is.
std::optional<bool> HasRoot(const v1::Rotation& rotation, const v1::Root& root,
                            std::uint64_t version) {
  if (version == 0) return false;
  if (version == rotation.bundle_version()) return true;
  if (root.bundle_version() == 0) return std::nullopt;
  return version >= root.bundle_version();
}

// Whether the relying party trusts the newest staged root, as far as its acknowledgement tells.
std::string TrustsStagedRoot(const v1::Rotation& rotation, const v1::Root& staged,
                             const v1::RelyingParty& party) {
  const std::optional<bool> has = HasRoot(rotation, staged, party.acknowledged_version());
  if (has.has_value()) return *has ? "yes" : "not yet";
  for (const v1::PromotionObstacle& obstacle : rotation.obstacles()) {
    if (obstacle.kind() == v1::PromotionObstacle::NOT_ACKNOWLEDGED &&
        obstacle.relying_party() == party.name()) {
      return "not yet";
    }
  }
  // Where acknowledgements are waived nobody is in the way, acknowledged or not.
  return rotation.policy().waive_acknowledgements() ? "not known" : "yes";
}

// The same, and what is missing.
std::string TrustInWords(const v1::Rotation& rotation, const v1::Root& staged,
                         const v1::RelyingParty& party) {
  std::string trusts = TrustsStagedRoot(rotation, staged, party);
  if (trusts != "not yet") return trusts;
  if (party.manual()) return "not attested yet";
  const std::optional<bool> has = HasRoot(rotation, staged, party.fetched_version());
  if (!has.has_value()) return trusts;
  return *has ? "has it, has not acknowledged it" : "has not fetched it yet";
}

std::string RootsTable(const v1::Rotation& rotation, absl::Time now) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::Root& root : rotation.roots()) {
    rows.push_back({root.root_id(), v1::RootState_Name(root.state()),
                    client::TimeInWords(client::TimeOf(root.not_after()), now),
                    root.has_last_leaf_not_after()
                        ? client::TimeInWords(client::TimeOf(root.last_leaf_not_after()), now)
                        : "has signed none"});
  }
  if (rows.empty()) return "No roots.\n";
  return client::FormatTable({"ROOT", "STATE", "VALID UNTIL", "LAST LEAF UNTIL"}, rows);
}

std::string RelyingPartiesTable(const v1::Rotation& rotation, absl::Time now) {
  const v1::Root* const staged = NewestStagedRoot(rotation);
  std::vector<std::string> header = {"RELYING PARTY", "FETCHED", "ACKNOWLEDGED", "SPOKEN FOR BY"};
  if (staged != nullptr) header.push_back(absl::StrCat("TRUSTS ", staged->root_id()));
  std::vector<std::vector<std::string>> rows;
  for (const v1::RelyingParty& party : rotation.relying_parties()) {
    std::vector<std::string>& row = rows.emplace_back();
    row = {party.name(), FetchInWords(party, now), AcknowledgementInWords(party, now),
           SpeakerInWords(party)};
    if (staged != nullptr) row.push_back(TrustInWords(rotation, *staged, party));
  }
  if (rows.empty()) {
    return absl::StrCat(
        "No relying parties: nobody can say whether a new root is trusted. hourglass "
        "relying-parties register --tenant ",
        rotation.tenant_id(), " NAME --identity CALLER\n");
  }
  return client::FormatTable(header, rows);
}

std::string ObstaclesInWords(const v1::Rotation& rotation) {
  if (rotation.obstacles().empty()) return "";
  const v1::Root* const staged = NewestStagedRoot(rotation);
  return absl::StrCat("In the way of promoting ",
                      staged == nullptr ? "a root" : client::Printable(staged->root_id()), ":\n",
                      client::ObstaclesInWords(rotation.obstacles()));
}

// When the next step is safe, and the command line that takes it.
std::string NextStepInWords(const v1::Rotation& rotation, absl::Time now) {
  if (!rotation.has_next_step()) return "Next: nothing, before the last root's end.\n";
  const v1::RotationStep& step = rotation.next_step();
  const absl::Time due = client::TimeOf(step.due_at());
  std::string text = absl::StrCat("Next: ", client::Printable(StepInWords(step)));
  const bool blocked = step.action() == v1::RotationStep::PROMOTE && !rotation.obstacles().empty();
  if (due > now) {
    absl::StrAppend(&text, ", ", client::TimeInWords(due, now));
  } else {
    absl::StrAppend(&text, ", due since ", client::TimeInWords(due, now));
  }
  absl::StrAppend(&text, blocked     ? "; not safe yet: see what is in the way.\n"
                         : due > now ? "; not before.\n"
                                     : "; it is safe now.\n");
  if (!step.reason().empty()) {
    absl::StrAppend(&text, "  why: ", client::Printable(step.reason()), "\n");
  }
  const std::string command = CommandOfStep(step, rotation.tenant_id(), rotation.policy());
  if (!command.empty()) absl::StrAppend(&text, "  then: ", client::Printable(command), "\n");
  return text;
}

absl::StatusOr<Json> RotationAsJson(const v1::Rotation& rotation, absl::Time now) {
  Json json = {{"tenant_id", rotation.tenant_id()},
               {"bundle_version", rotation.bundle_version()},
               {"stage", StageName(rotation)},
               {"roots", Json::array()},
               {"relying_parties", Json::array()},
               {"obstacles", client::ObstaclesAsJson(rotation.obstacles())},
               {"policy", PolicyAsJson(rotation.policy())}};
  for (const v1::Root& root : rotation.roots()) {
    ASSIGN_OR_RETURN(Json one, RootAsJson(root));
    json["roots"].push_back(std::move(one));
  }
  const v1::Root* const staged = NewestStagedRoot(rotation);
  for (const v1::RelyingParty& party : rotation.relying_parties()) {
    Json one = RelyingPartyAsJson(party);
    if (staged != nullptr) {
      const auto fetched = HasRoot(rotation, *staged, party.fetched_version());
      if (!party.manual() && fetched.has_value()) one["has_staged_root"] = *fetched;
      one["trusts_staged_root"] = TrustsStagedRoot(rotation, *staged, party);
    }
    json["relying_parties"].push_back(std::move(one));
  }
  if (rotation.has_next_step()) json["next_step"] = StepAsJson(rotation.next_step());
  const auto end = LastRootsEndOf(rotation.roots(), now);
  if (end.has_value()) json["ends_soon"] = EndAsJson(*end);
  return json;
}

absl::StatusOr<Answer> Status(const RotationOptions& options, const Session& session) {
  v1::GetRotationRequest request;
  request.set_tenant_id(options.tenant);
  ASSIGN_OR_RETURN(
      const v1::Rotation rotation,
      client::Call(session.connection, &v1::RotationService::Stub::GetRotation, request));
  const absl::Time now = session.Now();
  Answer answer;
  ASSIGN_OR_RETURN(answer.json, RotationAsJson(rotation, now));
  answer.text =
      absl::StrCat("Tenant ", client::Printable(rotation.tenant_id()), ", trust bundle version ",
                   rotation.bundle_version(), ". ", client::Printable(StageInWords(rotation, now)),
                   "\n\n", RootsTable(rotation, now), "\n", RelyingPartiesTable(rotation, now),
                   "\n", ObstaclesInWords(rotation), NextStepInWords(rotation, now),
                   "Policy: ", PolicyInWords(rotation.policy()), "\n");
  const auto end = LastRootsEndOf(rotation.roots(), now);
  if (end.has_value()) answer.text += EndInWords(*end, now);
  return answer;
}

std::string AboutPlan(const v1::PlanRotationResponse& plan) {
  switch (plan.policy().mode()) {
    case v1::RotationPolicy::AUTOMATIC:
      return "The service takes these steps by itself, each promotion once every relying party has "
             "acknowledged the root.\n";
    case v1::RotationPolicy::DRY_RUN:
      return "The service says in its log when it would take these steps, and takes none.\n";
    default:
      return "Nobody takes these steps but you: issuing.rotation.mode is off "
             "(docs/configuration.md).\n";
  }
}

absl::StatusOr<Answer> Plan(const RotationOptions& options, const Session& session) {
  v1::PlanRotationRequest request;
  request.set_tenant_id(options.tenant);
  if (!options.horizon.empty()) {
    ASSIGN_OR_RETURN(const absl::Duration horizon, client::ParseLength(options.horizon));
    request.mutable_horizon()->set_seconds(absl::ToInt64Seconds(horizon));
  }
  ASSIGN_OR_RETURN(
      const v1::PlanRotationResponse plan,
      client::Call(session.connection, &v1::RotationService::Stub::PlanRotation, request));
  Answer answer{"",
                {{"tenant_id", options.tenant},
                 {"steps", Json::array()},
                 {"policy", PolicyAsJson(plan.policy())}}};
  std::vector<std::vector<std::string>> rows;
  for (const v1::RotationStep& step : plan.steps()) {
    rows.push_back({client::TimeInWords(client::TimeOf(step.due_at()), session.Now()),
                    StepInWords(step), step.reason()});
    answer.json["steps"].push_back(StepAsJson(step));
  }
  answer.text = absl::StrCat(
      rows.empty() ? "No steps.\n" : client::FormatTable({"WHEN", "STEP", "WHY"}, rows),
      "Policy: ", PolicyInWords(plan.policy()), "\n", rows.empty() ? "" : AboutPlan(plan));
  return answer;
}

}  // namespace

void AddRotation(CLI::App& app, CommandLine& line) {
  CLI::App* noun =
      app.add_subcommand("rotation", "See where the rotation of a tenant's roots stands");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<RotationOptions>();
  CLI::App* status = AddCommand(
      *noun, line, "status",
      "Show roots, who has fetched and acknowledged them, what comes next and what is in the "
      "way",
      options, &Status);
  AddTenantOption(*status, options->tenant);
  CLI::App* plan = AddCommand(*noun, line, "plan",
                              "Show what the tenant's policy will do, and when", options, &Plan);
  AddTenantOption(*plan, options->tenant);
  plan->add_option("--horizon", options->horizon,
                   "How far to look: 90d, 2y (default: until the roots there are have ended)")
      ->check(IsLength())
      ->type_name("LENGTH");
}

}  // namespace hourglass::cli
