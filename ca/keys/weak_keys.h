// Public keys whose private keys anybody can find.
#ifndef HOURGLASS_CA_KEYS_WEAK_KEYS_H_
#define HOURGLASS_CA_KEYS_WEAK_KEYS_H_

#include "absl/status/status.h"
#include "ca/keys/public_key.h"

namespace hourglass::ca {

// Refuses a key that is known to be weak, whoever may hold it: an RSA modulus with a prime factor
// of at most 751, with the fingerprint of the generator that CVE-2017-15361 is about (a sound
// modulus has it once in 2^27), or with primes so close together that a hundred rounds of Fermat's
// method find them; a point of a curve whose private scalar is, up to its sign, at most 1024 or a
// power of two. `key` is one that ReadPublicKey accepted. An RSA key costs about a sixth of what
// verifying its signature does, a point nothing, but that the first of each curve takes some
// milliseconds once. Errors, with field `pkcs10`: KEY_WEAK, with what is wrong; INTERNAL_ERROR.
// Safe to call from several threads.
absl::Status CheckKeyStrength(const PublicKey& key);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_KEYS_WEAK_KEYS_H_
