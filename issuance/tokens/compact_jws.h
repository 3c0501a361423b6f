// The compact form of a signed token (RFC 7515 section 7.1): read strictly, and its signature.
#ifndef HOURGLASS_ISSUANCE_TOKENS_COMPACT_JWS_H_
#define HOURGLASS_ISSUANCE_TOKENS_COMPACT_JWS_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/tokens/key_set.h"
#include "issuance/tokens/token_algorithm.h"

namespace hourglass::issuance {

inline constexpr std::size_t kMaxTokenSize = 16 * 1024;  // octets; more is refused

// A token that is well-formed, and that nobody has verified yet.
struct CompactJws {
  TokenAlgorithm algorithm;
  std::string key_id;               // not empty
  std::string type;                 // `typ`; empty where there is none
  absl::string_view signing_input;  // within the text that was read
  std::string payload;              // any octets
  std::string signature;            // any octets, at least one
};

// Reads the three parts and the header, in which `algorithms` are the only ones that may stand.
// Members of the header that are not known are passed over, but none that brings or names a key, or
// changes what is signed. Errors, all TokenError: kMissing to kHeaderMalformed, kDuplicateMember to
// kKeyByReference, kAlgorithmMissing to kAlgorithmNotAllowed, kKeyIdMissing. Safe to call from
// several threads.
absl::StatusOr<CompactJws> ParseCompactJws(absl::string_view token,
                                           absl::Span<const TokenAlgorithm> algorithms);

// The key of `keys` that has signed it, which lives as long as they do. Errors, all TokenError:
// kKeyUnknown, kKeyTypeMismatch, kKeyAlgorithmMismatch, kSignatureInvalid. Safe to call from
// several threads.
absl::StatusOr<const IssuerKey*> VerifyCompactJws(const CompactJws& jws, const KeySet& keys);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_COMPACT_JWS_H_
