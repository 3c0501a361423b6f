#include "hsm/pkcs11/key_pairs.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/pkcs11/token_objects.h"

namespace hourglass::hsm {
namespace {

absl::Status Exists(const Session& session, absl::string_view label, absl::string_view how) {
  return Error(ErrorReason::kKeyExists, session.field,
               absl::StrCat("holds a key ", label, " already", how));
}

using Objects = std::vector<CK_OBJECT_HANDLE>;

// The objects that have one label and id.
struct Pair {
  Objects private_keys;
  Objects public_keys;
};

absl::StatusOr<Pair> FindPair(Session& session, const KeySelector& selector) {
  Pair pair;
  ASSIGN_OR_RETURN(pair.private_keys, FindObjects(session, CKO_PRIVATE_KEY, selector));
  ASSIGN_OR_RETURN(pair.public_keys, FindObjects(session, CKO_PUBLIC_KEY, selector));
  return pair;
}

absl::Status DestroyAll(Session& session, const Objects& objects) {
  for (const CK_OBJECT_HANDLE object : objects) RETURN_IF_ERROR(DestroyObject(session, object));
  return absl::OkStatus();
}

// Whatever the module said that it made: nothing is destroyed but what has the name.
absl::Status TakeBack(Session& session, const Pair& named, const NewPair& made) {
  const auto destroy = [&](const Objects& objects, CK_OBJECT_HANDLE object) {
    const bool is_named = std::find(objects.begin(), objects.end(), object) != objects.end();
    return is_named ? DestroyObject(session, object) : absl::OkStatus();
  };
  // The private half goes first: a public one that is left over is in nobody's way.
  RETURN_IF_ERROR(destroy(named.private_keys, made.private_key));
  return destroy(named.public_keys, made.public_key);
}

// Removes what is left of a pair that was being made; never what may be all that is left of a key
// in use.
absl::Status MakeRoom(Session& session, const KeySelector& selector, const Pair& half) {
  if (!half.private_keys.empty()) {
    return Exists(session, selector.label,
                  ", without its public half: put that back, or destroy it and ask again");
  }
  if (half.public_keys.empty()) return absl::OkStatus();
  // The halves of a key may have different labels.
  ASSIGN_OR_RETURN(const bool in_use, HoldsPrivateKeyOfId(session, selector.id));
  if (in_use) return Exists(session, selector.label, ", the public half of one with another label");
  return DestroyAll(session, half.public_keys);
}

// Fails where any object has the label but not the id: a second key of the name would make the
// first one's URI, which need not give an id, name two.
absl::Status RefuseOthers(Session& session, const KeySelector& selector, const Pair& ours) {
  ASSIGN_OR_RETURN(const Pair all, FindPair(session, {selector.label, ""}));
  if (all.private_keys.size() == ours.private_keys.size() &&
      all.public_keys.size() == ours.public_keys.size()) {
    return absl::OkStatus();
  }
  return Exists(session, selector.label, ", with another id");
}

absl::StatusOr<CustodialKey> Adopt(Session& session, const KeySelector& selector, KeyType type) {
  absl::StatusOr<CustodialKey> key = ReadKeyPair(session, selector);
  if (!key.ok()) {
    const ErrorReason reason = ReasonOf(key.status());
    if (reason == ErrorReason::kKeyUnfit || reason == ErrorReason::kKeyUnsupported ||
        reason == ErrorReason::kKeyInvalid) {
      return Exists(session, selector.label, absl::StrCat(", unfit: ", key.status().message()));
    }
    return key.status();
  }
  if (key->type == type) return key;
  return Exists(session, selector.label, absl::StrCat(", of type ", KeyTypeName(key->type)));
}

}  // namespace

absl::StatusOr<CustodialKey> ReadKeyPair(Session& session, const KeySelector& selector) {
  ASSIGN_OR_RETURN(const CK_OBJECT_HANDLE handle, FindPrivateKey(session, selector));
  ASSIGN_OR_RETURN(PrivateKeyReading reading, ReadPrivateKey(session, handle));
  RETURN_IF_ERROR(reading.fitness);
  CustodialKey key{std::move(reading.selector), KeyType::kEcP256, ""};
  ASSIGN_OR_RETURN(key.public_key, ReadPublicKey(session, key.selector));
  ASSIGN_OR_RETURN(const EvpPkeyPtr parsed, ParsePublicKey(key.public_key));
  ASSIGN_OR_RETURN(key.type, KeyTypeOf(*parsed));
  return key;
}

absl::StatusOr<CustodialKey> MakeKeyPair(Session& session, const KeySelector& selector,
                                         KeyType type) {
  if (selector.label.empty() || selector.id.empty()) {
    return Error(ErrorReason::kInternalError, session.field, "a new key needs a label and an id");
  }
  ASSIGN_OR_RETURN(const Pair before, FindPair(session, selector));
  RETURN_IF_ERROR(RefuseOthers(session, selector, before));
  if (!before.private_keys.empty() && !before.public_keys.empty()) {
    return Adopt(session, selector, type);
  }
  RETURN_IF_ERROR(MakeRoom(session, selector, before));
  ASSIGN_OR_RETURN(const NewPair made, GenerateKeyPair(session, type, selector));
  ASSIGN_OR_RETURN(const Pair found, FindPair(session, selector));
  // Another process may have made one of the same name meanwhile, which may be in use by now.
  absl::Status outcome = RefuseOthers(session, selector, found);
  if (outcome.ok()) {
    absl::StatusOr<CustodialKey> key = ReadKeyPair(session, selector);
    if (key.ok()) return key;
    outcome = key.status();
  }
  RETURN_IF_ERROR(TakeBack(session, found, made));
  return outcome;
}

absl::Status DestroyKeyPair(Session& session, const KeySelector& selector) {
  ASSIGN_OR_RETURN(const CK_OBJECT_HANDLE private_key, FindPrivateKey(session, selector));
  ASSIGN_OR_RETURN(const KeySelector complete, ReadSelector(session, private_key));
  ASSIGN_OR_RETURN(const Objects public_keys, FindObjects(session, CKO_PUBLIC_KEY, complete));
  // The private half goes last: as long as it is there it can be named, and this be asked again.
  RETURN_IF_ERROR(DestroyAll(session, public_keys));
  return DestroyObject(session, private_key);
}

}  // namespace hourglass::hsm
