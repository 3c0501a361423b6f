// Part of the running service: who may call.
#ifndef HOURGLASS_ISSUANCE_SERVER_KNOWN_CALLERS_H_
#define HOURGLASS_ISSUANCE_SERVER_KNOWN_CALLERS_H_

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/base/clock.h"
#include "issuance/config/config.h"
#include "issuance/identity/caller.h"
#include "issuance/identity/revocation_lists.h"
#include "issuance/log/event_log.h"

namespace hourglass::issuance {

// The callers of the configuration, and the revocation lists that they are held against. Has no
// thread. Safe to call from several threads.
class KnownCallers {
 public:
  // Reads the lists; `trusted_roots`, PEM, are whose they are. Logs callers that have more roles
  // than one ought to as `caller_not_separated`. `clock` must outlive this object. Errors:
  // CONFIGURATION_INVALID.
  static absl::StatusOr<std::unique_ptr<KnownCallers>> Start(const Config& config,
                                                             absl::string_view trusted_roots,
                                                             const Clock* clock,
                                                             const EventLog& log);
  KnownCallers(const KnownCallers&) = delete;
  KnownCallers& operator=(const KnownCallers&) = delete;

  const CallerDirectory* directory() const { return &directory_; }
  // Null where none are configured.
  RevocationLists* revocations() const { return revocations_.get(); }

 private:
  KnownCallers(std::unique_ptr<RevocationLists> revocations, CallerDirectory directory)
      : revocations_(std::move(revocations)), directory_(std::move(directory)) {}

  const std::unique_ptr<RevocationLists> revocations_;
  const CallerDirectory directory_;  // uses the lists
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_KNOWN_CALLERS_H_
