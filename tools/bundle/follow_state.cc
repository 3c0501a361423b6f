#include "tools/bundle/follow_state.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/failure.h"
#include "tools/client/files.h"
#include "tools/client/wording.h"

namespace hourglass::bundle {
namespace {

using client::Json;

// In the order of Stage.
constexpr absl::string_view kStages[] = {"accepted", "hooked", "acknowledged"};
constexpr mode_t kOwnersOnly = 0600;
constexpr std::size_t kSha256Octets = 32;

absl::Status Damaged(absl::string_view what) { return Error(ErrorReason::kFieldInvalid, "", what); }

absl::Status StateError(const std::string& path, absl::string_view what) {
  return Error(ErrorReason::kFieldInvalid, "--state", absl::StrCat(path, " ", what));
}

absl::StatusOr<std::string> TextOf(const Json& object, const char* member) {
  const auto found = object.is_object() ? object.find(member) : object.end();
  if (found == object.end() || !found->is_string()) {
    return Damaged(absl::StrCat("no text `", member, "`"));
  }
  return found->get<std::string>();
}

absl::StatusOr<std::string> OctetsOf(const Json& object, const char* member) {
  ASSIGN_OR_RETURN(const std::string text, TextOf(object, member));
  if (text.size() % 2 != 0 || !std::all_of(text.begin(), text.end(), absl::ascii_isxdigit)) {
    return Damaged(absl::StrCat("`", member, "` is no hexadecimal number"));
  }
  return absl::HexStringToBytes(text);
}

absl::StatusOr<Stage> StageOf(const Json& object) {
  ASSIGN_OR_RETURN(const std::string text, TextOf(object, "stage"));
  const auto* const found = std::find(std::begin(kStages), std::end(kStages), text);
  if (found == std::end(kStages)) return Damaged("an unknown `stage`");
  return static_cast<Stage>(found - std::begin(kStages));
}

absl::StatusOr<std::vector<ca::BundleSignature>> SignaturesOf(const Json& object) {
  const auto found = object.find("signatures");
  if (found == object.end() || !found->is_array()) {
    return Damaged("no list `signatures`");
  }
  std::vector<ca::BundleSignature> signatures;
  for (const Json& entry : *found) {
    ca::BundleSignature signature;
    ASSIGN_OR_RETURN(signature.root_sha256, OctetsOf(entry, "root_sha256"));
    ASSIGN_OR_RETURN(signature.signature, OctetsOf(entry, "signature"));
    signatures.push_back(std::move(signature));
  }
  return signatures;
}

// Older programs noted nothing of the hook.
absl::StatusOr<std::string> HookOf(const Json& object) {
  if (!object.contains("hook_sha256")) return std::string();
  ASSIGN_OR_RETURN(std::string digest, OctetsOf(object, "hook_sha256"));
  if (!digest.empty() && digest.size() != kSha256Octets) {
    return Damaged("`hook_sha256` is no SHA-256");
  }
  return digest;
}

}  // namespace

std::vector<std::string> RootsOf(const ca::TrustBundle& bundle) {
  std::vector<std::string> roots;
  for (const ca::BundleRoot& root : bundle.roots) roots.push_back(root.certificate);
  return roots;
}

absl::Status CheckSigned(const FollowState& state) {
  return ca::SignerOfTrustBundle(state.document, state.signatures, RootsOf(state.bundle)).status();
}

std::string StateText(const FollowState& state) {
  Json signatures = Json::array();
  for (const ca::BundleSignature& signature : state.signatures) {
    signatures.push_back({{"root_sha256", client::Hex(signature.root_sha256)},
                          {"signature", client::Hex(signature.signature)}});
  }
  return client::JsonText({{"tenant_id", state.bundle.tenant_id},
                           {"version", state.bundle.version},
                           {"stage", std::string(kStages[static_cast<int>(state.stage)])},
                           {"hook_sha256", client::Hex(state.hook_sha256)},
                           {"document", state.document},
                           {"signatures", signatures}});
}

absl::StatusOr<FollowState> ParseState(absl::string_view text) {
  const Json object = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return Damaged("it is no JSON object");
  FollowState state;
  ASSIGN_OR_RETURN(state.document, TextOf(object, "document"));
  ASSIGN_OR_RETURN(state.signatures, SignaturesOf(object));
  ASSIGN_OR_RETURN(state.stage, StageOf(object));
  ASSIGN_OR_RETURN(state.hook_sha256, HookOf(object));
  ASSIGN_OR_RETURN(state.bundle, ca::ParseTrustBundle(state.document));
  RETURN_IF_ERROR(CheckSigned(state));
  return state;
}

absl::StatusOr<std::optional<FollowState>> LoadState(const std::string& path,
                                                     absl::string_view tenant) {
  const absl::StatusOr<std::string> text = client::ReadWholeFile(path);
  if (absl::IsNotFound(text.status())) return std::nullopt;
  if (!text.ok()) return Error(ErrorReason::kFieldInvalid, "--state", text.status().message());
  absl::StatusOr<FollowState> state = ParseState(*text);
  if (!state.ok()) {
    return StateError(path, absl::StrCat("is damaged (", state.status().message(),
                                         "); remove it to begin anew with what --trust names"));
  }
  if (state->bundle.tenant_id != tenant) {
    return StateError(path, absl::StrCat("is the state of the tenant ", state->bundle.tenant_id,
                                         ", not of ", tenant, ": name another file"));
  }
  return std::optional<FollowState>(*std::move(state));
}

absl::Status SaveState(const std::string& path, const FollowState& state) {
  const absl::Status saved = client::ReplaceFile(path, StateText(state), kOwnersOnly);
  if (saved.ok()) return saved;
  return Error(ErrorReason::kFieldInvalid, "--state", saved.message());
}

}  // namespace hourglass::bundle
