// What else than mistakes in files would keep the service from starting.
#ifndef HOURGLASS_ISSUANCE_SERVER_START_CHECK_H_
#define HOURGLASS_ISSUANCE_SERVER_START_CHECK_H_

#include "absl/status/status.h"
#include "issuance/base/clock.h"
#include "issuance/config/config.h"

namespace hourglass::issuance {

// Whether an address that somebody listens on is an error: no, where that may be the service itself
// that runs already.
enum class TakenAddress { kRefused, kFine };

// Tries what Server::Start does with `config`, which LoadConfig gave: callers, places of keys,
// addresses to listen on. Leaves nothing behind, reaches no token and opens no database. Errors:
// CONFIGURATION_INVALID; UNAVAILABLE without a reason for an address, with why.
absl::Status CheckStart(const Config& config, const Clock& clock, TakenAddress taken);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_START_CHECK_H_
