// Which keys of a store are out of service.
#ifndef HOURGLASS_HSM_STORE_KEPT_KEYS_H_
#define HOURGLASS_HSM_STORE_KEPT_KEYS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "hsm/key/custodian.h"
#include "hsm/key/out_of_service.h"
#include "hsm/key/signing_key.h"

namespace hourglass::hsm {

// A key is told by its public key: one key may have several URIs. Safe to use from several threads.
class KeptKeys {
 public:
  // `observer` may be null, or must outlive this object and the keys that it hands out.
  explicit KeptKeys(KeyObserver* observer) : observer_(observer) {}

  // `key` as the store hands it out: every object of the same key goes out of service together, and
  // `observer` is told once. Errors: KEY_MISMATCH with field `uri` where it is out of service.
  absl::StatusOr<std::unique_ptr<SigningKey>> Keep(std::string uri,
                                                   std::unique_ptr<SigningKey> key);

  bool IsOutOfService(absl::string_view public_key) const;

 private:
  KeyObserver* const observer_;
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<OutOfService>, std::less<>> flags_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_STORE_KEPT_KEYS_H_
