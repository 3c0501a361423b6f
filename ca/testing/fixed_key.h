// Keys for tests that are the same octets in every run, and sign the same in every run. The
// functions are safe to call from several threads.
#ifndef HOURGLASS_CA_TESTING_FIXED_KEY_H_
#define HOURGLASS_CA_TESTING_FIXED_KEY_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "hsm/key/signing_key.h"

namespace hourglass::ca {

// `count` octets that follow from `seed` and nothing else. Whoever knows the seed knows them.
std::string FixedOctets(absl::string_view seed, std::size_t count);

// The key that follows from `type` and `seed`, with one version of Botan: PKCS#8, PEM, unencrypted.
// Whoever knows the seed knows it. RSA takes up to some seconds. Ends the process on failure, with
// a message.
std::string FixedPrivateKeyPem(hsm::KeyType type, absl::string_view seed);

// A key that signs one message with the same octets each time: ECDSA by RFC 6979. `pkcs8_pem` is an
// unencrypted PKCS#8 key of a hsm::KeyType. Ends the process on failure, with a message.
std::unique_ptr<hsm::SigningKey> DeterministicKey(absl::string_view pkcs8_pem);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TESTING_FIXED_KEY_H_
