// PINs that are where others can read them.
#ifndef HOURGLASS_ISSUANCE_CONFIG_PIN_WARNINGS_H_
#define HOURGLASS_ISSUANCE_CONFIG_PIN_WARNINGS_H_

#include <string>
#include <vector>

#include "hsm/store/key_store.h"

namespace hourglass::issuance {

// A warning, `FIELD: what is wrong`, for each PIN that is in the environment. None holds a PIN.
std::vector<std::string> PinsInEnvironment(const hsm::KeyStoreOptions& keys);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_PIN_WARNINGS_H_
