// What an RSA modulus leaves when it is divided by small primes.
#ifndef HOURGLASS_CA_KEYS_SMALL_FACTORS_H_
#define HOURGLASS_CA_KEYS_SMALL_FACTORS_H_

#include "absl/strings/string_view.h"

namespace hourglass::ca {

enum class SmallPrimesFinding { kNone, kFactor, kRocaFingerprint };

// `modulus`: odd, big-endian, at most 512 octets. kFactor: one of the primes from 3 to 751 divides
// it. kRocaFingerprint: its residue modulo each prime from 3 to 167 is a power of 65537, as those
// of moduli are whose primes are k M + (65537^a mod M) with M a product of first primes (Nemec and
// others, "The Return of Coppersmith's Attack", section 2.3). Safe to call from several threads.
SmallPrimesFinding LookAtSmallPrimes(absl::string_view modulus);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_KEYS_SMALL_FACTORS_H_
