#include "tools/gatewayd/gateway_state.h"

#include <sys/types.h>

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/failure.h"
#include "tools/client/files.h"

namespace hourglass::gatewayd {
namespace {

using client::Json;

constexpr mode_t kOwnersOnly = 0600;
// DecisionEvent.cursor.
constexpr std::size_t kLongestCursor = 128;

absl::Status Damaged(absl::string_view what) { return Error(ErrorReason::kFieldInvalid, "", what); }

absl::Status StateError(absl::string_view what) {
  return Error(ErrorReason::kFieldInvalid, "state", what);
}

absl::StatusOr<std::string> TextOf(const Json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) {
    return Damaged(absl::StrCat("no text `", member, "`"));
  }
  return found->get<std::string>();
}

}  // namespace

std::string StateText(const GatewayState& state) {
  return client::JsonText({{"tenant_id", state.tenant}, {"cursor", state.cursor}});
}

absl::StatusOr<GatewayState> ParseState(absl::string_view text) {
  const Json object = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return Damaged("it is no JSON object");
  GatewayState state;
  ASSIGN_OR_RETURN(state.tenant, TextOf(object, "tenant_id"));
  ASSIGN_OR_RETURN(state.cursor, TextOf(object, "cursor"));
  const bool is_printable =
      std::all_of(state.cursor.begin(), state.cursor.end(), absl::ascii_isprint);
  if (state.cursor.size() > kLongestCursor || !is_printable) return Damaged("`cursor` is none");
  return state;
}

absl::StatusOr<GatewayState> LoadState(const std::string& path, const std::string& tenant) {
  const absl::StatusOr<std::string> text = client::ReadWholeFile(path);
  if (absl::IsNotFound(text.status())) return GatewayState{.tenant = tenant, .cursor = ""};
  if (!text.ok()) return StateError(text.status().message());
  absl::StatusOr<GatewayState> state = ParseState(*text);
  if (!state.ok()) {
    return StateError(absl::StrCat(path, " is damaged (", state.status().message(),
                                   "); remove it to begin anew with all events that are kept"));
  }
  if (state->tenant != tenant) {
    return StateError(absl::StrCat(path, " is the state of the tenant ", state->tenant, ", not of ",
                                   tenant, ": name another file"));
  }
  return state;
}

absl::Status SaveState(const std::string& path, const GatewayState& state) {
  const absl::Status saved = client::ReplaceFile(path, StateText(state), kOwnersOnly);
  return saved.ok() ? saved : StateError(saved.message());
}

}  // namespace hourglass::gatewayd
