// Part of the running service: the keys, wherever they are kept.
#ifndef HOURGLASS_ISSUANCE_SERVER_KEY_CUSTODY_H_
#define HOURGLASS_ISSUANCE_SERVER_KEY_CUSTODY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "hsm/store/key_store.h"
#include "issuance/log/event_log.h"
#include "issuance/server/key_events.h"

namespace hourglass::issuance {

// The store of keys, whose events are written to the log. Safe to call from several threads.
class KeyCustody {
 public:
  // Reaches no token yet. `log` must outlive this object. Errors: CONFIGURATION_INVALID.
  static absl::StatusOr<std::unique_ptr<KeyCustody>> Start(const hsm::KeyStoreOptions& options,
                                                           const EventLog* log);
  // Ends the key holders' processes. No key of theirs may be in use.
  ~KeyCustody() = default;
  KeyCustody(const KeyCustody&) = delete;
  KeyCustody& operator=(const KeyCustody&) = delete;

  hsm::KeyStore* keys() const { return keys_.get(); }

 private:
  explicit KeyCustody(const EventLog* log) : events_(log) {}

  KeyEvents events_;
  std::unique_ptr<hsm::KeyStore> keys_;  // tells the events, to its end
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_KEY_CUSTODY_H_
