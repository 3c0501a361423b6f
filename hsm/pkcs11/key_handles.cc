#include "hsm/pkcs11/key_handles.h"

#include <mutex>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/pkcs11/token_objects.h"

namespace hourglass::hsm {

absl::StatusOr<CK_OBJECT_HANDLE> KeyHandles::Of(Session& session, const CustodialKey& key) {
  {
    const std::shared_lock<std::shared_mutex> lock(mutex_);
    const auto known = places_.find(key.public_key);
    if (known != places_.end() && known->second.login == session.login &&
        known->second.selector == key.selector) {
      return known->second.handle;
    }
  }
  // Several threads may search at once; they find the same.
  ASSIGN_OR_RETURN(const CK_OBJECT_HANDLE handle, FindPrivateKey(session, key.selector));
  ASSIGN_OR_RETURN(const std::string public_key, ReadPublicKey(session, key.selector));
  if (public_key != key.public_key) {
    return Error(ErrorReason::kKeyMismatch, session.field,
                 absl::StrCat("holds another key under the name ", key.selector.label));
  }
  const std::lock_guard<std::shared_mutex> lock(mutex_);
  places_.insert_or_assign(key.public_key, Place{key.selector, session.login, handle});
  return handle;
}

void KeyHandles::Forget(const CustodialKey& key, CK_OBJECT_HANDLE handle) {
  const std::lock_guard<std::shared_mutex> lock(mutex_);
  const auto known = places_.find(key.public_key);
  if (known != places_.end() && known->second.handle == handle) places_.erase(known);
}

}  // namespace hourglass::hsm
