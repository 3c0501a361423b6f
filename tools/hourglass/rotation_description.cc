#include "tools/hourglass/rotation_description.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tools/client/wording.h"
#include "tools/hourglass/root_description.h"

namespace hourglass::cli {
namespace {

using client::Json;

constexpr std::int64_t kDay = 86400;

// A length of the configuration as its option is written: `60d`, or in seconds where it is no
// whole number of days.
std::string LengthForOption(const google::protobuf::Duration& length) {
  const std::int64_t seconds = length.seconds();
  return seconds % kDay == 0 ? absl::StrCat(seconds / kDay, "d") : absl::StrCat(seconds, "s");
}

// The mode's name in lower case, `dry_run`.
std::string ModeName(v1::RotationPolicy::Mode mode) {
  return absl::AsciiStrToLower(v1::RotationPolicy::Mode_Name(mode));
}

std::vector<const v1::Root*> InState(const v1::Rotation& rotation, v1::RootState state) {
  std::vector<const v1::Root*> roots;
  for (const v1::Root& root : rotation.roots()) {
    if (root.state() == state) roots.push_back(&root);
  }
  return roots;
}

std::string RetiringInWords(const v1::Root& root, absl::Time now) {
  const std::string retiring = absl::StrCat(root.root_id(), " is retiring");
  if (!root.has_last_leaf_not_after()) return absl::StrCat(retiring, " and has signed nothing.");
  const absl::Time last = client::TimeOf(root.last_leaf_not_after());
  return absl::StrCat(
      retiring, last > now ? ": its last certificate expires " : ": its last certificate expired ",
      client::TimeInWords(last, now), ".");
}

}  // namespace

Json RelyingPartyAsJson(const v1::RelyingParty& party) {
  Json json = {{"tenant_id", party.tenant_id()},
               {"name", party.name()},
               {"identity", party.identity()},
               {"kind", party.kind()},
               {"manual", party.manual()},
               {"registered_at", client::TimeForJson(client::TimeOf(party.registered_at()))},
               {"fetched_version", party.fetched_version()},
               {"acknowledged_version", party.acknowledged_version()}};
  if (party.has_fetched_at()) {
    json["fetched_at"] = client::TimeForJson(client::TimeOf(party.fetched_at()));
  }
  if (party.acknowledged_version() == 0) return json;
  json["acknowledged_sha256"] = client::Hex(party.acknowledged_sha256());
  json["acknowledged_at"] = client::TimeForJson(client::TimeOf(party.acknowledged_at()));
  json["acknowledged_by"] = party.acknowledged_by();
  return json;
}

std::string SpeakerInWords(const v1::RelyingParty& party) {
  return party.manual() ? "an administrator" : party.identity();
}

std::string AcknowledgementInWords(const v1::RelyingParty& party, absl::Time now) {
  if (party.acknowledged_version() == 0) return "never";
  return absl::StrCat("version ", party.acknowledged_version(), ", ",
                      client::TimeInWords(client::TimeOf(party.acknowledged_at()), now));
}

std::string FetchInWords(const v1::RelyingParty& party, absl::Time now) {
  if (party.manual()) return "by hand";
  if (party.fetched_version() == 0) return "never";
  // The service's clock may be ahead of this one.
  const absl::Duration age =
      std::max(absl::ZeroDuration(), now - client::TimeOf(party.fetched_at()));
  return absl::StrCat("version ", party.fetched_version(), ", ", client::LengthInWords(age),
                      " ago");
}

std::string StepInWords(const v1::RotationStep& step) {
  switch (step.action()) {
    case v1::RotationStep::STAGE:
      return "stage a new root";
    case v1::RotationStep::PROMOTE:
      return absl::StrCat("promote ", step.root_id());
    case v1::RotationStep::RETIRE:
      return absl::StrCat("retire ", step.root_id());
    default:
      return "a step that this program does not know";
  }
}

Json StepAsJson(const v1::RotationStep& step) {
  Json json = {{"action", v1::RotationStep::Action_Name(step.action())}};
  if (!step.root_id().empty()) json["root_id"] = step.root_id();
  json["due_at"] = client::TimeForJson(client::TimeOf(step.due_at()));
  json["reason"] = step.reason();
  return json;
}

std::string CommandOfStep(const v1::RotationStep& step, absl::string_view tenant_id,
                          const v1::RotationPolicy& policy) {
  switch (step.action()) {
    case v1::RotationStep::STAGE: {
      const bool known = policy.root_duration().seconds() > 0;
      return absl::StrCat("hourglass roots create --tenant ", tenant_id, " --duration ",
                          known ? LengthForOption(policy.root_duration()) : "2y", " --key-type ",
                          policy.key_type() == v1::KEY_TYPE_UNSPECIFIED
                              ? "ec-p256"
                              : KeyTypeInWords(policy.key_type()));
    }
    case v1::RotationStep::PROMOTE:
      return absl::StrCat("hourglass roots promote --tenant ", tenant_id, " ", step.root_id());
    case v1::RotationStep::RETIRE:
      return absl::StrCat("hourglass roots retire --tenant ", tenant_id, " ", step.root_id());
    default:
      return "";
  }
}

std::string PolicyInWords(const v1::RotationPolicy& policy) {
  const auto days = [](const google::protobuf::Duration& length) {
    return client::LengthInWords(absl::Seconds(length.seconds()));
  };
  std::string mode = absl::StrReplaceAll(ModeName(policy.mode()), {{"_", "-"}});
  if (policy.mode() == v1::RotationPolicy::OFF) mode = "off, administrators rotate";
  if (policy.mode() == v1::RotationPolicy::DRY_RUN) mode = "dry run, the log says what would be";
  return absl::StrCat(mode, "; stage ", days(policy.stage_before_expiry()),
                      " before expiry, promote ", days(policy.promote_before_expiry()),
                      " before, retire a day later or after the last leaf; roots of ",
                      days(policy.root_duration()), ", ", KeyTypeInWords(policy.key_type()),
                      policy.waive_acknowledgements() ? "; acknowledgements are waived" : "");
}

Json PolicyAsJson(const v1::RotationPolicy& policy) {
  return {{"mode", ModeName(policy.mode())},
          {"stage_before_expiry_seconds", policy.stage_before_expiry().seconds()},
          {"promote_before_expiry_seconds", policy.promote_before_expiry().seconds()},
          {"root_duration_seconds", policy.root_duration().seconds()},
          {"key_type", KeyTypeInWords(policy.key_type())},
          {"waive_acknowledgements", policy.waive_acknowledgements()}};
}

std::string StageInWords(const v1::Rotation& rotation, absl::Time now) {
  std::vector<std::string> sentences;
  const auto primary = InState(rotation, v1::PRIMARY);
  sentences.push_back(primary.empty() ? "No root signs: nothing is issued."
                                      : absl::StrCat(primary.front()->root_id(), " signs."));
  for (const v1::Root* root : InState(rotation, v1::STAGED)) {
    sentences.push_back(absl::StrCat(root->root_id(), " is staged."));
  }
  for (const v1::Root* root : InState(rotation, v1::RETIRING)) {
    sentences.push_back(RetiringInWords(*root, now));
  }
  if (StageName(rotation) == "idle") sentences.push_back("No rotation is under way.");
  return absl::StrJoin(sentences, " ");
}

std::string StageName(const v1::Rotation& rotation) {
  if (InState(rotation, v1::PRIMARY).empty()) return "no_primary";
  if (!InState(rotation, v1::STAGED).empty()) return "staged";
  return InState(rotation, v1::RETIRING).empty() ? "idle" : "retiring";
}

const v1::Root* NewestStagedRoot(const v1::Rotation& rotation) {
  const v1::Root* newest = nullptr;
  for (const v1::Root* root : InState(rotation, v1::STAGED)) {
    if (newest == nullptr || root->generation() > newest->generation()) newest = root;
  }
  return newest;
}

}  // namespace hourglass::cli
