// What a PKCS#11 module offers, for people who set one up: slots, tokens, mechanisms, and the
// private keys with the attributes that matter.
#ifndef HOURGLASS_HSM_PKCS11_TOKEN_INVENTORY_H_
#define HOURGLASS_HSM_PKCS11_TOKEN_INVENTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "hsm/key/key_uri.h"
#include "hsm/key/signing_key.h"

namespace hourglass::hsm {

// A mechanism that keys of ours are made or sign with.
struct MechanismFacts {
  std::string name;        // CKM_ECDSA
  std::uint64_t min_size;  // of keys, in the module's unit: bits, but some say octets
  std::uint64_t max_size;
};

struct TokenFacts {
  std::string label;  // as it is, without its padding: octets that a module gave
  std::string serial;
  std::string manufacturer;
  std::string model;
  bool initialized = false;
  // What an administrator should know of before the first login: the names of the flags of PKCS #11
  // v2.40 section 3.2, such as CKF_USER_PIN_COUNT_LOW.
  std::vector<std::string> warnings;
  std::uint64_t shortest_pin = 0;
  std::uint64_t longest_pin = 0;
  std::vector<MechanismFacts> mechanisms;
  std::vector<KeyType> makes;  // by the mechanisms and their sizes: a promise, not yet a key
};

struct SlotFacts {
  std::uint64_t id = 0;
  std::string description;
  std::optional<TokenFacts> token;
};

struct ModuleFacts {
  std::string library;  // its description
  std::string manufacturer;
  std::string version;           // of the library: `2.6`
  std::string cryptoki_version;  // `2.40`
  std::vector<SlotFacts> slots;
};

// Loads the module into this process for good, so call it in one that may die or hang with it. No
// login. Errors: KEY_UNAVAILABLE, with the message of the loader.
absl::StatusOr<ModuleFacts> ReadModuleFacts(const std::string& module_path);

struct PrivateKeyFacts {
  std::string label;
  std::string id;
  // The name of an attribute (`CKA_SENSITIVE`), and what it is; nothing where the token does not
  // tell.
  std::vector<std::pair<std::string, std::optional<bool>>> attributes;
};

// Logs in once, with the PIN of `token`, and reads every private key. As ReadModuleFacts. Errors:
// KEY_UNAVAILABLE, PIN_REFUSED.
absl::StatusOr<std::vector<PrivateKeyFacts>> ReadPrivateKeys(const TokenUri& token);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_TOKEN_INVENTORY_H_
