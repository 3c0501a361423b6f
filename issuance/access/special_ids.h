// Words that stand where ids do, and ids that are the same in every tenant.
#ifndef HOURGLASS_ISSUANCE_ACCESS_SPECIAL_IDS_H_
#define HOURGLASS_ISSUANCE_ACCESS_SPECIAL_IDS_H_

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace hourglass::access {

inline constexpr absl::string_view kAll = "All";
inline constexpr absl::string_view kNone = "None";
inline constexpr absl::string_view kGuests = "GuestsOrExternalUsers";
inline constexpr absl::string_view kAllTrusted = "AllTrusted";
// The trusted IPs of multifactor authentication, among locations.
inline constexpr absl::string_view kMfaTrustedIps = "00000000-0000-0000-0000-000000000000";

// A GUID as text.
inline bool LooksLikeId(absl::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_hyphen ? text[i] != '-' : !absl::ascii_isxdigit(text[i])) return false;
  }
  return true;
}

// All, none, or a group of Microsoft's own applications, in which no VPN server is.
inline bool IsGroupOfApplications(absl::string_view text) {
  static constexpr absl::string_view kNames[] = {kAll, kNone, "Office365", "MicrosoftAdminPortals"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [text](absl::string_view name) { return absl::EqualsIgnoreCase(name, text); });
}

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_SPECIAL_IDS_H_
