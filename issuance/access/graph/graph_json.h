// JSON as exports of Microsoft Graph come, whatever wrote them.
#ifndef HOURGLASS_ISSUANCE_ACCESS_GRAPH_GRAPH_JSON_H_
#define HOURGLASS_ISSUANCE_ACCESS_GRAPH_GRAPH_JSON_H_

#include <cstddef>
#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::access {

using Json = nlohmann::json;

inline constexpr std::size_t kMaxExportSize = std::size_t{32} * 1024 * 1024;  // octets
inline constexpr int kMaxExportDepth = 32;

// The document, in UTF-8 with or without a byte order mark, or in UTF-16 with one, with the names
// of members as Graph's own API has them: where PowerShell wrote `DisplayName` it is `displayName`,
// and what stood in `AdditionalProperties` stands beside it. Errors: FIELD_INVALID with the line
// for what is no JSON, and with the path for a member that appears twice.
absl::StatusOr<Json> ReadGraphJson(absl::string_view octets);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_GRAPH_GRAPH_JSON_H_
