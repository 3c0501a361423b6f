#include "hsm/pkcs11/key_pairs.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key_type.h"
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

// The public half goes first: what is left after a failure in between can still be named and
// destroyed.
absl::Status DestroyPair(Session& session, const Pair& pair) {
  for (const Objects* objects : {&pair.public_keys, &pair.private_keys}) {
    for (const CK_OBJECT_HANDLE object : *objects) {
      RETURN_IF_ERROR(DestroyObject(session, object));
    }
  }
  return absl::OkStatus();
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
  RETURN_IF_ERROR(CheckFitness(session, handle));
  CustodialKey key{selector, KeyType::kEcP256, ""};
  ASSIGN_OR_RETURN(key.selector, ReadSelector(session, handle));
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
  RETURN_IF_ERROR(DestroyPair(session, before));
  RETURN_IF_ERROR(GenerateKeyPair(session, type, selector));
  ASSIGN_OR_RETURN(const Pair made, FindPair(session, selector));
  // Another process may have made one of the same name meanwhile; then neither may stay by chance.
  absl::Status outcome = RefuseOthers(session, selector, made);
  if (outcome.ok()) {
    absl::StatusOr<CustodialKey> key = ReadKeyPair(session, selector);
    if (key.ok()) return key;
    outcome = key.status();
  }
  RETURN_IF_ERROR(DestroyPair(session, made));
  return outcome;
}

absl::Status DestroyKeyPair(Session& session, const KeySelector& selector) {
  ASSIGN_OR_RETURN(const CK_OBJECT_HANDLE private_key, FindPrivateKey(session, selector));
  ASSIGN_OR_RETURN(const KeySelector complete, ReadSelector(session, private_key));
  Pair pair{{private_key}, {}};
  ASSIGN_OR_RETURN(pair.public_keys, FindObjects(session, CKO_PUBLIC_KEY, complete));
  return DestroyPair(session, pair);
}

}  // namespace hourglass::hsm
