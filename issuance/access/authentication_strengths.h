// The authentication strengths that every tenant has.
#ifndef HOURGLASS_ISSUANCE_ACCESS_AUTHENTICATION_STRENGTHS_H_
#define HOURGLASS_ISSUANCE_ACCESS_AUTHENTICATION_STRENGTHS_H_

#include <string>
#include <vector>

#include "issuance/access/policy.h"

namespace hourglass::access {

inline constexpr absl::string_view kMultifactorStrength = "00000000-0000-0000-0000-000000000002";
inline constexpr absl::string_view kPasswordlessStrength = "00000000-0000-0000-0000-000000000003";
inline constexpr absl::string_view kPhishingResistantStrength =
    "00000000-0000-0000-0000-000000000004";

// The combinations of methods that meet a strength: those that it lists, or else those of the
// built-in strength of its id. Empty where neither is known: nobody meets it by his methods then.
std::vector<std::string> CombinationsOf(const AuthenticationStrength& strength);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_AUTHENTICATION_STRENGTHS_H_
