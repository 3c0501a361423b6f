// RSA moduli that Fermat's method factors.
#ifndef HOURGLASS_CA_KEYS_CLOSE_PRIMES_H_
#define HOURGLASS_CA_KEYS_CLOSE_PRIMES_H_

#include <optional>

#include "absl/strings/string_view.h"

namespace hourglass::ca {

// Rounds of Fermat's method that are looked at: enough for primes of 1024 bits that differ in their
// lower 516 bits only, which no generator makes by chance.
inline constexpr int kFermatRounds = 100;

// Whether one of the first kFermatRounds squares above `modulus` (odd, big-endian) is as far from
// it as another square is large, which gives its factors away. Empty where OpenSSL fails. Safe to
// call from several threads.
std::optional<bool> HasClosePrimes(absl::string_view modulus);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_KEYS_CLOSE_PRIMES_H_
