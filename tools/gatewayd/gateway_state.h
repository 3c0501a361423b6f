// What this program has to know after a restart: how far it has come.
#ifndef HOURGLASS_TOOLS_GATEWAYD_GATEWAY_STATE_H_
#define HOURGLASS_TOOLS_GATEWAYD_GATEWAY_STATE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::gatewayd {

struct GatewayState {
  std::string tenant;
  // Of the last event that it and all before it were carried out on every gateway; empty: none was.
  std::string cursor;
};

// One JSON object (RFC 8259), `tenant_id` and `cursor`, ended by a newline.
std::string StateText(const GatewayState& state);
// Errors: FIELD_INVALID without a field, and what is wrong with it.
absl::StatusOr<GatewayState> ParseState(absl::string_view text);

// The state in the file; one without a cursor where there is no file. Errors: FIELD_INVALID with
// field `state`, naming the file, where it cannot be read, is damaged, or is of another tenant.
absl::StatusOr<GatewayState> LoadState(const std::string& path, const std::string& tenant);

// Replaces the file, durably, mode 0600. Errors: FIELD_INVALID with field `state`.
absl::Status SaveState(const std::string& path, const GatewayState& state);

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_GATEWAY_STATE_H_
