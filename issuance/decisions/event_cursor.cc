#include "issuance/decisions/event_cursor.h"

#include <cstddef>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/digest.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kHashSize = 8;

// No two lists of fields have the same octets.
void Append(std::string& octets, absl::string_view field) {
  absl::StrAppend(&octets, field.size(), ":", field);
}

}  // namespace

std::string CursorOf(const DecisionEvent& event) {
  std::string octets;
  Append(octets, event.tenant_id);
  Append(octets, absl::StrCat(event.sequence));
  Append(octets, absl::StrCat(static_cast<int>(event.kind)));
  Append(octets, absl::StrCat(event.at.time_since_epoch().count()));
  Append(octets, event.device_id);
  Append(octets, event.user_id);
  Append(octets, event.user_upn);
  Append(octets, event.verdict_id);
  return absl::StrCat(event.sequence, "-",
                      absl::BytesToHexString(ca::Sha256(octets).substr(0, kHashSize)));
}

absl::StatusOr<std::uint64_t> SequenceAt(DecisionStore& store, absl::string_view tenant_id,
                                         absl::string_view cursor) {
  std::uint64_t sequence = 0;
  if (absl::SimpleAtoi(cursor.substr(0, cursor.find('-')), &sequence)) {
    ASSIGN_OR_RETURN(const std::optional<DecisionEvent> event,
                     store.FindEvent(tenant_id, sequence));
    if (event.has_value() && CursorOf(*event) == cursor) return sequence;
  }
  return Error(ErrorReason::kCursorUnknown, "cursor",
               "is of no event of the tenant that is kept: begin without one");
}

}  // namespace hourglass::issuance
