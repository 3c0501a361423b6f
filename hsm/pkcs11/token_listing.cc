#include "hsm/pkcs11/token_listing.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key_type.h"
#include "hsm/pkcs11/object_reading.h"
#include "hsm/pkcs11/token_objects.h"

namespace hourglass::hsm {
namespace {

// By label and id.
using PublicKeys = std::multimap<std::pair<std::string, std::string>, absl::StatusOr<std::string>>;
using Name = PublicKeys::key_type;

absl::StatusOr<Name> ReadName(Session& session, CK_OBJECT_HANDLE object) {
  ASSIGN_OR_RETURN(KeySelector selector, ReadSelector(session, object));
  return Name(std::move(selector.label), std::move(selector.id));
}

// That one object cannot be judged must not hide the others; that the token is lost must.
bool IsOfTheKey(const absl::Status& failure) {
  const ErrorReason reason = ReasonOf(failure);
  return reason == ErrorReason::kKeyUnfit || reason == ErrorReason::kKeyUnsupported ||
         reason == ErrorReason::kKeyInvalid;
}

absl::StatusOr<PublicKeys> ReadPublicKeys(Session& session) {
  PublicKeys keys;
  ASSIGN_OR_RETURN(const auto objects, FindAll(session, CKO_PUBLIC_KEY));
  for (const CK_OBJECT_HANDLE object : objects) {
    ASSIGN_OR_RETURN(Name name, ReadName(session, object));
    absl::StatusOr<std::string> key = ReadPublicKeyObject(session, object);
    if (!key.ok() && !IsOfTheKey(key.status())) return key.status();
    keys.emplace(std::move(name), std::move(key));
  }
  return keys;
}

// Sets public key and type, or says why there is none.
absl::Status Complete(const PublicKeys& keys, const Name& name, KeyListing& listing) {
  const auto [first, last] = keys.equal_range(name);
  if (first == last) return absl::NotFoundError("there is no public key beside it");
  if (std::next(first) != last)
    return absl::NotFoundError("there are several public keys beside it");
  RETURN_IF_ERROR(first->second.status());
  listing.public_key = *first->second;
  ASSIGN_OR_RETURN(const EvpPkeyPtr parsed, ParsePublicKey(listing.public_key));
  ASSIGN_OR_RETURN(listing.type, KeyTypeOf(*parsed));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<KeyListing>> ListKeys(Session& session) {
  ASSIGN_OR_RETURN(const auto private_keys, FindAll(session, CKO_PRIVATE_KEY));
  ASSIGN_OR_RETURN(const PublicKeys public_keys, ReadPublicKeys(session));
  std::vector<KeyListing> listings;
  listings.reserve(private_keys.size());
  for (const CK_OBJECT_HANDLE object : private_keys) {
    ASSIGN_OR_RETURN(const Name name, ReadName(session, object));
    KeyListing listing;
    listing.selector = {name.first, name.second};
    const absl::Status fitness = CheckFitness(session, object);
    if (!fitness.ok() && !IsOfTheKey(fitness)) return fitness;
    const absl::Status completed = Complete(public_keys, name, listing);
    const absl::Status& unfit = fitness.ok() ? completed : fitness;
    listing.unfit_because = std::string(unfit.message());
    listings.push_back(std::move(listing));
  }
  return listings;
}

}  // namespace hourglass::hsm
