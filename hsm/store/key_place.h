// One place of a KeyStore: a token, the TPM, the folder of software keys.
#ifndef HOURGLASS_HSM_STORE_KEY_PLACE_H_
#define HOURGLASS_HSM_STORE_KEY_PLACE_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "hsm/key/custodian.h"
#include "hsm/key/key_uri.h"
#include "hsm/key/signing_key.h"
#include "hsm/store/key_store.h"

namespace hourglass::hsm {

// KEY_URI_INVALID with the field `key_uri`.
inline absl::Status UriRefused(absl::string_view message) {
  return Error(ErrorReason::kKeyUriInvalid, "key_uri", message);
}

// Implementations are safe to call from several threads.
class KeyPlace {
 public:
  virtual ~KeyPlace() = default;
  KeyPlace(const KeyPlace&) = delete;
  KeyPlace& operator=(const KeyPlace&) = delete;

  // As in KeyStore::Place.
  virtual const std::string& name() const = 0;

  // Whether the URI names a key of this place, by its kind and token alone.
  virtual bool Holds(const KeyUri& uri) const = 0;

  // The URI of a new key of this name, or nothing where the place takes no names.
  virtual std::optional<KeyUri> UriOf(absl::string_view name) const = 0;

  // The rest is for a URI that Holds says is of here.

  // With what the configuration adds to tell the key from others. Errors: KEY_URI_INVALID where the
  // URI says something else of the place than the configuration.
  virtual absl::StatusOr<KeyUri> Complete(const KeyUri& uri) const = 0;

  // The URI that Complete returned, with an id where keys here have one: a new one, or that of the
  // key that is there. Errors: as KeyStore's NewKeyUri and UriWithId.
  virtual absl::StatusOr<KeyUri> WithNewId(const KeyUri& uri) const = 0;
  virtual absl::StatusOr<KeyUri> WithId(const KeyUri& uri) = 0;

  // As KeyStore's, for a URI that Complete returned.
  virtual absl::StatusOr<std::unique_ptr<SigningKey>> Generate(const KeyUri& uri, KeyType type) = 0;
  virtual absl::StatusOr<std::unique_ptr<SigningKey>> Open(const KeyUri& uri) = 0;
  virtual absl::Status Destroy(const KeyUri& uri) = 0;

  // `out_of_service` is not filled in.
  virtual KeyStore::Place List() = 0;

  // As KeyStore's.
  virtual absl::Status MakeReady() = 0;

  // Nothing where there is no custodian that could fail.
  virtual std::optional<CustodianStatus> Status() const = 0;

 protected:
  KeyPlace() = default;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_STORE_KEY_PLACE_H_
