// The claims of a token, each read in the one type that it has.
#ifndef HOURGLASS_ISSUANCE_TOKENS_CLAIMS_H_
#define HOURGLASS_ISSUANCE_TOKENS_CLAIMS_H_

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/tokens/json.h"

namespace hourglass::issuance {

inline constexpr std::size_t kMaxClaimText = 256;  // octets; more is refused

// Errors of everything but Parse are TokenError of kClaimMalformed, which names the claim and never
// quotes it. A claim that is null is one of another type. Not for several threads to change.
class Claims {
 public:
  // Errors: kClaimsMalformed where the payload is no JSON object, kDuplicateMember.
  static absl::StatusOr<Claims> Parse(absl::string_view payload);

  bool Has(absl::string_view name) const { return Find(name) != nullptr; }

  // Text of 1 to kMaxClaimText octets without control characters, or "" where there is none.
  absl::StatusOr<std::string> Text(absl::string_view name) const;
  // A GUID in small letters, or "" where there is none.
  absl::StatusOr<std::string> Guid(absl::string_view name) const;
  // An array of at most `max` texts as above; empty where there is none.
  absl::StatusOr<std::vector<std::string>> Texts(absl::string_view name, std::size_t max) const;
  // The same, or one text by itself (RFC 7519 section 4.1.3).
  absl::StatusOr<std::vector<std::string>> TextOrTexts(absl::string_view name,
                                                       std::size_t max) const;
  // NumericDate (RFC 7519 section 2), a whole number from 0 to the end of the year 9999.
  absl::StatusOr<std::optional<std::chrono::sys_seconds>> Time(absl::string_view name) const;
  // `true` or `false`; false where there is none.
  absl::StatusOr<bool> Flag(absl::string_view name) const;
  // An object, or null where there is none.
  absl::StatusOr<const JsonValue*> Object(absl::string_view name) const;

 private:
  explicit Claims(JsonValue object) : object_(std::move(object)) {}

  const JsonValue* Find(absl::string_view name) const { return object_.Find(name); }

  JsonValue object_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_CLAIMS_H_
