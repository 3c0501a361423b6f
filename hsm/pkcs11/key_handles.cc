#include "hsm/pkcs11/key_handles.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/pkcs11/object_reading.h"
#include "hsm/pkcs11/token_objects.h"

namespace hourglass::hsm {
namespace {

// A token that searches for itself, over a network, answers these faster than a look at all it has.
constexpr int kLookupsBeforeIndex = 3;
constexpr int kMostUnreadIndexes = 2;
// A signature waits for it, and whoever takes too long for a signature is held to hang.
constexpr std::chrono::milliseconds kLongestIndex(500);

bool IsOne(const std::optional<CK_OBJECT_HANDLE>& object) {
  return object.value_or(CK_INVALID_HANDLE) != CK_INVALID_HANDLE;
}

}  // namespace

absl::StatusOr<KeyHandles::Handle> KeyHandles::Of(Session& session, const CustodialKey& key) {
  if (const auto known = Known(session, key)) return *known;
  // One at a time: several threads may miss the same key.
  const MutexLock lookup_lock(lookup_mutex_);
  if (const auto known = Known(session, key)) return *known;
  ASSIGN_OR_RETURN(const CK_OBJECT_HANDLE object, LookUp(session, key));
  const Handle handle = {object, std::nullopt};
  const WriterMutexLock lock(mutex_);
  places_.insert_or_assign(key.public_key, Place{key.selector, session.login, handle});
  return handle;
}

void KeyHandles::Proved(const CustodialKey& key, CK_OBJECT_HANDLE object, uint64_t losses) {
  const WriterMutexLock lock(mutex_);
  const auto known = places_.find(key.public_key);
  if (known == places_.end() || known->second.handle.object != object) return;
  known->second.handle.proved_after = losses;
}

void KeyHandles::Forget(const CustodialKey& key, CK_OBJECT_HANDLE object) {
  const MutexLock lookup_lock(lookup_mutex_);
  index_.erase({key.selector.label, key.selector.id});
  const WriterMutexLock lock(mutex_);
  const auto known = places_.find(key.public_key);
  if (known != places_.end() && known->second.handle.object == object) places_.erase(known);
}

std::optional<KeyHandles::Handle> KeyHandles::Known(const Session& session,
                                                    const CustodialKey& key) {
  const ReaderMutexLock lock(mutex_);
  const auto known = places_.find(key.public_key);
  if (known == places_.end() || known->second.login != session.login ||
      known->second.selector != key.selector) {
    return std::nullopt;
  }
  return known->second.handle;
}

absl::StatusOr<CK_OBJECT_HANDLE> KeyHandles::LookUp(Session& session, const CustodialKey& key) {
  ASSIGN_OR_RETURN(const auto indexed, LookUpInIndex(session, key));
  if (indexed.has_value()) return *indexed;
  ASSIGN_OR_RETURN(const CK_OBJECT_HANDLE private_key, FindPrivateKey(session, key.selector));
  ASSIGN_OR_RETURN(const std::string public_key, ReadPublicKey(session, key.selector));
  if (public_key == key.public_key) return private_key;
  return Error(ErrorReason::kKeyMismatch, session.field,
               absl::StrCat("holds another key under the name ", key.selector.label));
}

absl::StatusOr<std::optional<CK_OBJECT_HANDLE>> KeyHandles::LookUpInIndex(Session& session,
                                                                          const CustodialKey& key) {
  RETURN_IF_ERROR(PrepareIndex(session));
  const auto found = index_.find({key.selector.label, key.selector.id});
  if (found == index_.end()) return std::nullopt;
  const Halves halves = found->second;
  if (!IsOne(halves.private_key) || !IsOne(halves.public_key)) return std::nullopt;
  const absl::StatusOr<std::string> public_key = ReadPublicKeyObject(session, *halves.public_key);
  if (public_key.ok() && *public_key == key.public_key) return halves.private_key;
  // What was read of all may have changed since; what is searched for now has not.
  index_.erase(found);
  RETURN_IF_ERROR(public_key.status());
  return std::nullopt;
}

absl::Status KeyHandles::PrepareIndex(Session& session) {
  if (login_ != session.login) {
    login_ = session.login;
    lookups_ = unread_indexes_ = 0;
    index_.clear();
  }
  if (++lookups_ <= kLookupsBeforeIndex || !index_.empty()) return absl::OkStatus();
  if (unread_indexes_ >= kMostUnreadIndexes) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::optional<Index> index, ReadIndex(session));
  if (index.has_value()) {
    index_ = *std::move(index);
  } else {
    ++unread_indexes_;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<KeyHandles::Index>> KeyHandles::ReadIndex(Session& session) {
  Index index;
  const auto deadline = std::chrono::steady_clock::now() + kLongestIndex;
  for (const CK_OBJECT_CLASS kind : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
    ASSIGN_OR_RETURN(const auto objects, FindAll(session, kind));
    for (const CK_OBJECT_HANDLE object : objects) {
      if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
      const absl::StatusOr<KeySelector> name = ReadSelector(session, object);
      // It must not keep the keys beside it from signing.
      if (!name.ok()) return std::nullopt;
      Halves& halves = index[{name->label, name->id}];
      auto& half = kind == CKO_PRIVATE_KEY ? halves.private_key : halves.public_key;
      half = half.has_value() ? CK_INVALID_HANDLE : object;
    }
  }
  return index;
}

}  // namespace hourglass::hsm
