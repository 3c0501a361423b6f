// Makes, opens and destroys signing keys by URI, within what the configuration allows.
#ifndef HOURGLASS_HSM_KEY_STORE_H_
#define HOURGLASS_HSM_KEY_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/signing_key.h"

namespace hourglass::hsm {

// Where keys may live.
struct KeyStoreOptions {
  // RFC 7512 URIs of tokens: `pkcs11:token=LABEL[;serial=…]?module-path=FILE&pin-source=SOURCE`,
  // where SOURCE is `file:PATH` (one trailing newline is dropped), `env:NAME`, or
  // `credential:NAME`, a file of that name in $CREDENTIALS_DIRECTORY (systemd LoadCredential=).
  // `pin-value` is refused.
  std::vector<std::string> tokens;
  // Folder of software keys, one PKCS#8 PEM file (mode 0600) a key; empty: software keys are not
  // allowed.
  std::string software_directory;
  // Sessions opened at most in each token, 1 to 1024, besides one that keeps the login. A signature
  // waits up to 5 seconds for a free one.
  int sessions_per_token = 8;
};

// What an administrator names a key by. Two forms:
// `pkcs11:token=LABEL;object=NAME[;id=%01…]` of a token in KeyStoreOptions (module-path and
// pin-source may be left out, and must equal the configured ones if given), and `software:NAME`.
// NAME: 1 to 128 characters of A-Z a-z 0-9 . _ - which does not begin with a dot.
//
// Safe to call from several threads. Loads each module and logs in to each token once, when first
// needed; a PIN that a token refused is not tried again in this object's life. Modules stay loaded:
// join every thread that signs before exit(), and do not fork without exec.
class KeyStore {
 public:
  // Errors: CONFIGURATION_INVALID with the field `keys.tokens[i]`, `keys.software_directory` or
  // `keys.sessions_per_token`. Makes the software folder (mode 0700) if it is missing; touches no
  // token yet.
  static absl::StatusOr<std::unique_ptr<KeyStore>> Create(const KeyStoreOptions& options);

  virtual ~KeyStore() = default;
  KeyStore(const KeyStore&) = delete;
  KeyStore& operator=(const KeyStore&) = delete;

  // The URI of a key called `name` in the default place: the first configured token, or else the
  // software folder. Errors: KEY_URI_INVALID.
  virtual absl::StatusOr<std::string> DefaultUri(absl::string_view name) const = 0;

  // The URI as it is kept and shown: normalised, without module path and PIN source. Errors:
  // KEY_URI_INVALID, also for a token or a place that the options do not name.
  virtual absl::StatusOr<std::string> CanonicalUri(absl::string_view uri) const = 0;

  // Makes a key that cannot be exported (in a token: CKA_SENSITIVE, not CKA_EXTRACTABLE) and opens
  // it. Errors: KEY_EXISTS if there is a key of this NAME, also one of another id, KEY_URI_INVALID,
  // KEY_UNAVAILABLE, KEY_UNSUPPORTED where the token cannot make such a key, PIN_REFUSED, and those
  // of Open.
  virtual absl::StatusOr<std::unique_ptr<SigningKey>> Generate(absl::string_view uri,
                                                               KeyType type) = 0;

  // Opens the one key that the URI names, after checking that it is fit (sensitive, never
  // extractable, made in the token, allowed to sign, no login for each signature) and that a
  // signature by it verifies. Errors: KEY_NOT_FOUND, KEY_EXISTS where more than one answers,
  // KEY_UNFIT, KEY_UNSUPPORTED, KEY_MISMATCH, KEY_URI_INVALID, KEY_UNAVAILABLE, PIN_REFUSED.
  virtual absl::StatusOr<std::unique_ptr<SigningKey>> Open(absl::string_view uri) = 0;

  // Destroys the private and the public object for good. Errors: as Open, but unfit keys are
  // destroyed too.
  virtual absl::Status Destroy(absl::string_view uri) = 0;

 protected:
  KeyStore() = default;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_STORE_H_
