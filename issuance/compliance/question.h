// Sizes that v1::EvaluateRequest documents, in octets.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_QUESTION_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_QUESTION_H_

#include <cstddef>

namespace hourglass::issuance {

inline constexpr std::size_t kMinNonceSize = 16;
inline constexpr std::size_t kMaxNonceSize = 64;
inline constexpr std::size_t kPublicKeyHashSize = 32;

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_QUESTION_H_
