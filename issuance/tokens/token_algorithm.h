// By which algorithms a token may be signed: none that needs a secret, and none that is no
// signature.
#ifndef HOURGLASS_ISSUANCE_TOKENS_TOKEN_ALGORITHM_H_
#define HOURGLASS_ISSUANCE_TOKENS_TOKEN_ALGORITHM_H_

#include <optional>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// RFC 7518 section 3.1, each with SHA-256.
enum class TokenAlgorithm {
  kRs256,  // RSASSA-PKCS1-v1_5
  kPs256,  // RSASSA-PSS, a salt of 32 octets
  kEs256,  // ECDSA on P-256
};

inline constexpr absl::string_view kTokenAlgorithmNames[] = {"RS256", "PS256", "ES256"};

// As `alg` has it. Lives as long as the process.
constexpr absl::string_view TokenAlgorithmName(TokenAlgorithm algorithm) {
  return kTokenAlgorithmNames[static_cast<int>(algorithm)];
}

// Empty for every other name, also in other letters (RFC 7515 section 4.1.1: case-sensitive).
constexpr std::optional<TokenAlgorithm> ParseTokenAlgorithm(absl::string_view name) {
  for (int i = 0; i < 3; ++i) {
    if (kTokenAlgorithmNames[i] == name) return static_cast<TokenAlgorithm>(i);
  }
  return std::nullopt;
}

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_TOKEN_ALGORITHM_H_
