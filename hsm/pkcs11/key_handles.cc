#include "hsm/pkcs11/key_handles.h"

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/pkcs11/object_reading.h"
#include "hsm/pkcs11/token_objects.h"

namespace hourglass::hsm {
namespace {

// A token that searches for itself, over a network, answers these faster than a look at all it has.
constexpr int kLookupsBeforeIndex = 3;

}  // namespace

absl::StatusOr<CK_OBJECT_HANDLE> KeyHandles::Of(Session& session, const CustodialKey& key) {
  if (const auto known = Known(session, key)) return *known;
  // One at a time: several threads may miss the same key.
  const std::lock_guard<std::mutex> lookup_lock(lookup_mutex_);
  if (const auto known = Known(session, key)) return *known;
  ASSIGN_OR_RETURN(const CK_OBJECT_HANDLE handle, LookUp(session, key));
  const std::lock_guard<std::shared_mutex> lock(mutex_);
  places_.insert_or_assign(key.public_key, Place{key.selector, session.login, handle});
  return handle;
}

void KeyHandles::Forget(const CustodialKey& key, CK_OBJECT_HANDLE handle) {
  const std::lock_guard<std::mutex> lookup_lock(lookup_mutex_);
  index_.erase({key.selector.label, key.selector.id});
  const std::lock_guard<std::shared_mutex> lock(mutex_);
  const auto known = places_.find(key.public_key);
  if (known != places_.end() && known->second.handle == handle) places_.erase(known);
}

std::optional<CK_OBJECT_HANDLE> KeyHandles::Known(const Session& session, const CustodialKey& key) {
  const std::shared_lock<std::shared_mutex> lock(mutex_);
  const auto known = places_.find(key.public_key);
  if (known == places_.end() || known->second.login != session.login ||
      known->second.selector != key.selector) {
    return std::nullopt;
  }
  return known->second.handle;
}

absl::StatusOr<CK_OBJECT_HANDLE> KeyHandles::LookUp(Session& session, const CustodialKey& key) {
  ASSIGN_OR_RETURN(const Halves halves, HalvesOf(session, key.selector));
  absl::StatusOr<std::string> public_key;
  if (halves.public_key.has_value()) {
    public_key = ReadPublicKeyObject(session, *halves.public_key);
    // What was read of all may have changed since; what is searched for now has not.
    if (!public_key.ok()) index_.erase({key.selector.label, key.selector.id});
  } else {
    public_key = ReadPublicKey(session, key.selector);
  }
  RETURN_IF_ERROR(public_key.status());
  if (*public_key != key.public_key) {
    index_.erase({key.selector.label, key.selector.id});
    return Error(ErrorReason::kKeyMismatch, session.field,
                 absl::StrCat("holds another key under the name ", key.selector.label));
  }
  return *halves.private_key;
}

absl::StatusOr<KeyHandles::Halves> KeyHandles::HalvesOf(Session& session,
                                                        const KeySelector& selector) {
  if (login_ != session.login) {
    login_ = session.login;
    lookups_ = 0;
    index_.clear();
  }
  if (++lookups_ > kLookupsBeforeIndex && index_.empty()) {
    ASSIGN_OR_RETURN(index_, ReadIndex(session));
  }
  const auto found = index_.find({selector.label, selector.id});
  if (found != index_.end() && found->second.private_key.value_or(CK_INVALID_HANDLE) != 0 &&
      found->second.public_key.value_or(CK_INVALID_HANDLE) != 0) {
    return found->second;
  }
  Halves halves;
  ASSIGN_OR_RETURN(halves.private_key, FindPrivateKey(session, selector));
  return halves;
}

absl::StatusOr<KeyHandles::Index> KeyHandles::ReadIndex(Session& session) {
  Index index;
  for (const CK_OBJECT_CLASS kind : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
    ASSIGN_OR_RETURN(const auto objects, FindAll(session, kind));
    for (const CK_OBJECT_HANDLE object : objects) {
      ASSIGN_OR_RETURN(const KeySelector name, ReadSelector(session, object));
      Halves& halves = index[{name.label, name.id}];
      auto& half = kind == CKO_PRIVATE_KEY ? halves.private_key : halves.public_key;
      half = half.has_value() ? CK_INVALID_HANDLE : object;
    }
  }
  return index;
}

}  // namespace hourglass::hsm
