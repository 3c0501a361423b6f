// The field `keys` of the service's configuration: where the keys of roots live.
#ifndef HOURGLASS_ISSUANCE_CONFIG_KEYS_CONFIG_H_
#define HOURGLASS_ISSUANCE_CONFIG_KEYS_CONFIG_H_

#include <string>
#include <vector>

#include "hsm/store/key_store.h"
#include "issuance/yaml/mapping.h"

namespace hourglass::issuance {

// How much of what a configuration names is looked at.
enum class FileChecks {
  kNone,
  // What the service cannot start without.
  kStart,
  // Also what may be mended while it runs: PKCS#11 modules that are not there, certificates that
  // are not valid now.
  kAll,
};

// Reads `keys`; each mistake is added to `fields`. With kNone, `keyholder_program` is empty where
// the file does not name it; else it is the program found, or empty where keys are used in process.
// `of_keyholders` is instead of `checks` for what key holders use, where they have an account of
// their own: for that account to look at.
hsm::KeyStoreOptions ReadKeys(yaml::Mapping fields, FileChecks checks, FileChecks of_keyholders);

// `account` of a mapping, an account of the machine other than root. Empty if there is none.
std::string ReadAccount(yaml::Mapping fields, FileChecks checks);

// Where hourglass-keyholder is looked for, best first, by a program in `directory`: beside it, as
// in a build tree, and as installed.
std::vector<std::string> KeyholderPlaces(const std::string& directory);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_KEYS_CONFIG_H_
