#include "tools/bundle/kept_bundle.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ca/encoding/digest.h"
#include "ca/issuers/root_states.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/agent/hook.h"
#include "tools/bundle/bundle_file.h"
#include "tools/bundle/bundle_service.h"
#include "tools/client/failure.h"
#include "tools/client/files.h"
#include "tools/client/wording.h"

namespace hourglass::bundle {
namespace {

using client::Json;

constexpr mode_t kPublic = 0644;
// A tenant whose roots change more often than they can be fetched is told of as a failure.
constexpr int kMostNewer = 5;

std::string Fingerprint(absl::string_view certificate) {
  return client::Hex(ca::Sha256(certificate));
}

// `version 7 of the bundle of contoso: r2 PRIMARY, r3 STAGED`.
std::string BundleInWords(const ca::TrustBundle& bundle) {
  return absl::StrCat(
      "version ", bundle.version, " of the bundle of ", bundle.tenant_id, ": ",
      absl::StrJoin(bundle.roots, ", ", [](std::string* out, const ca::BundleRoot& root) {
        absl::StrAppend(out, root.root_id, " ", ca::RootStateName(root.state));
      }));
}

Json BundleAsJson(const Accepted& accepted) {
  const ca::TrustBundle& bundle = accepted.state.bundle;
  Json json = {{"tenant_id", bundle.tenant_id},
               {"version", bundle.version},
               {"signed_by", Fingerprint(accepted.signed_by)},
               {"roots", Json::array()},
               {"removed", Json::array()}};
  for (const ca::BundleRoot& root : bundle.roots) {
    json["roots"].push_back({{"root_id", root.root_id},
                             {"state", std::string(ca::RootStateName(root.state))},
                             {"sha256_thumbprint", Fingerprint(root.certificate)}});
  }
  for (const ca::RemovedRoot& root : bundle.removed) {
    json["removed"].push_back(
        {{"root_id", root.root_id}, {"sha256_thumbprint", client::Hex(root.sha256)}});
  }
  return json;
}

absl::Status OutError(const absl::Status& status) {
  return status.ok() ? status : Error(ErrorReason::kFieldInvalid, "--out", status.message());
}

}  // namespace

absl::Status KeptBundle::Load() {
  ASSIGN_OR_RETURN(state_, LoadState(options_.state, options_.tenant));
  if (!state_.has_value()) {
    ASSIGN_OR_RETURN(trusted_, TrustedCertificates(options_.trust));
  }
  RETURN_IF_ERROR(CheckWritable());
  if (state_.has_value() && !options_.on_change.empty() &&
      state_->hook_sha256 != ca::Sha256(options_.on_change)) {
    OweHook();
  }
  return absl::OkStatus();
}

absl::Status KeptBundle::CheckWritable() const {
  RETURN_IF_ERROR(OutError(client::StagedFile::Write(options_.out, "", kPublic).status()));
  const absl::Status state = client::StagedFile::Write(options_.state, "", kPublic).status();
  return state.ok() ? state : Error(ErrorReason::kFieldInvalid, "--state", state.message());
}

bool KeptBundle::SameFileAs(const FollowState& next) const {
  const auto before = ContentOf(state_->bundle, options_.format);
  const auto after = ContentOf(next.bundle, options_.format);
  return before.ok() && after.ok() && *before == *after;
}

absl::StatusOr<bool> KeptBundle::Take(const v1::TrustBundle& message) {
  const FollowState* const known = state_.has_value() ? &*state_ : nullptr;
  ASSIGN_OR_RETURN(Accepted accepted, Accept(message, options_.tenant, known, trusted_));
  FollowState& next = accepted.state;
  if (known != nullptr && known->bundle.version == next.bundle.version) {
    acknowledge_again_ = true;
    return false;
  }
  // A promotion changes no root that is to be trusted: the gateway need not be reloaded for it.
  if (known != nullptr && known->stage != Stage::kAccepted && SameFileAs(next)) {
    next.stage = Stage::kHooked;
    next.hook_sha256 = known->hook_sha256;
  }
  log_.Tell("accepted", absl::StrCat("accepted ", BundleInWords(next.bundle)),
            BundleAsJson(accepted));
  state_ = std::move(next);
  saved_ = false;
  acknowledge_again_ = false;
  return true;
}

bool KeptBundle::settled() const {
  return !state_.has_value() ||
         (saved_ && state_->stage == Stage::kAcknowledged && !acknowledge_again_);
}

absl::Status KeptBundle::Save() {
  if (saved_) return absl::OkStatus();
  step_ = "state_failed";
  RETURN_IF_ERROR(SaveState(options_.state, *state_));
  saved_ = true;
  return absl::OkStatus();
}

void KeptBundle::OweHook() {
  if (state_->stage == Stage::kAccepted) return;
  state_->stage = Stage::kAccepted;
  state_->hook_sha256.clear();
  saved_ = false;
}

absl::Status KeptBundle::PutFileInPlace() {
  step_ = "write_failed";
  ASSIGN_OR_RETURN(const std::string content, ContentOf(state_->bundle, options_.format));
  const auto there = client::ReadWholeFile(options_.out);
  if (there.ok() && *there == content) return absl::OkStatus();
  if (state_->stage != Stage::kAccepted) {
    // Somebody changed the file: the hook must follow, whatever happens between the two.
    OweHook();
    RETURN_IF_ERROR(Save());
    step_ = "write_failed";
  }
  RETURN_IF_ERROR(OutError(client::ReplaceFile(options_.out, content, kPublic)));
  const std::size_t roots = state_->bundle.roots.size();
  log_.Tell("written",
            absl::StrCat("wrote ", options_.out, ": ", roots, roots == 1 ? " root" : " roots"),
            {{"version", state_->bundle.version}, {"file", options_.out}});
  return absl::OkStatus();
}

absl::Status KeptBundle::RunHook() {
  if (state_->stage != Stage::kAccepted) return absl::OkStatus();
  if (!options_.on_change.empty()) {
    step_ = "hook_failed";
    RETURN_IF_ERROR(
        agent::RunHook("--on-change", options_.on_change,
                       {absl::StrCat("HOURGLASS_BUNDLE_FILE=", options_.out),
                        absl::StrCat("HOURGLASS_BUNDLE_VERSION=", state_->bundle.version),
                        absl::StrCat("HOURGLASS_BUNDLE_TENANT=", options_.tenant)},
                       waiter_, options_.hook_timeout));
    log_.Tell("hook_done", "the command of --on-change has succeeded",
              {{"version", state_->bundle.version}});
  }
  state_->hook_sha256 = options_.on_change.empty() ? "" : ca::Sha256(options_.on_change);
  state_->stage = Stage::kHooked;
  saved_ = false;
  return absl::OkStatus();
}

absl::Status KeptBundle::SettleHere() {
  if (!state_.has_value()) return absl::OkStatus();
  RETURN_IF_ERROR(Save());
  RETURN_IF_ERROR(PutFileInPlace());
  RETURN_IF_ERROR(RunHook());
  return Save();
}

absl::Status KeptBundle::AcknowledgeIt() {
  step_ = "acknowledge_failed";
  const std::uint64_t version = state_->bundle.version;
  RETURN_IF_ERROR(
      Acknowledge(config_, options_.tenant, version, ca::Sha256(state_->document), waiter_));
  acknowledge_again_ = false;
  if (state_->stage == Stage::kAcknowledged) return absl::OkStatus();
  state_->stage = Stage::kAcknowledged;
  saved_ = false;
  const absl::Status saved = Save();
  // Said once more where it cannot be written down, which changes nothing there.
  if (!saved.ok()) state_->stage = Stage::kHooked;
  RETURN_IF_ERROR(saved);
  log_.Tell("acknowledged", absl::StrCat("acknowledged version ", version), {{"version", version}});
  return absl::OkStatus();
}

absl::StatusOr<bool> KeptBundle::TakeNewest() {
  ASSIGN_OR_RETURN(const v1::TrustBundle newest, GetBundle(config_, options_.tenant, waiter_));
  step_ = "refused";
  return Take(newest);
}

absl::Status KeptBundle::Settle() {
  absl::Status outdated;
  for (int newer = 0; newer < kMostNewer; ++newer) {
    RETURN_IF_ERROR(SettleHere());
    if (settled()) return absl::OkStatus();
    outdated = AcknowledgeIt();
    if (ReasonOf(outdated) != ErrorReason::kBundleOutdated) return outdated;
    ASSIGN_OR_RETURN(const bool is_new, TakeNewest());
    if (!is_new) return outdated;
  }
  return outdated;
}

}  // namespace hourglass::bundle
