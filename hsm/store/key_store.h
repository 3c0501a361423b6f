// Makes, opens and destroys signing keys by URI, within what the configuration allows.
#ifndef HOURGLASS_HSM_STORE_KEY_STORE_H_
#define HOURGLASS_HSM_STORE_KEY_STORE_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/custodian.h"
#include "hsm/key/signing_key.h"

namespace hourglass::hsm {

// The TPM of this machine, and where the keys lie that only it opens.
struct TpmPlace {
  std::string tcti = "device:/dev/tpmrm0";  // of tpm2-tss, `NAME:CONFIG`
  // Folder of sealed keys; empty: they are not allowed, and only resident ones are.
  std::string sealed_directory;
  std::string pin_source;      // as of a token; empty: no PIN
  std::vector<int> registers;  // that new sealed keys are bound to: PCRs 0 to 23, ascending
};

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
  std::optional<TpmPlace> tpm;  // nothing: no keys of a TPM
  // Sessions opened at most in each token, 1 to 1024, besides one that keeps the login. A signature
  // waits up to 5 seconds for a free one.
  int sessions_per_token = 8;
  // hourglass-keyholder, an absolute path: every token and the TPM are reached through processes of
  // their own. Empty: modules are loaded into this process, which then dies with them.
  std::string keyholder_program;
  // Names of variables that these processes get besides those of docs/keys.md; no PIN's.
  std::vector<std::string> keyholder_environment;
  // The account that hourglassd starts these processes under; empty: its own. A KeyStore does not
  // look at it.
  std::string keyholder_account;
  int workers_per_token = 0;  // processes, 0 to 64; 0: chosen for the machine and the token
  // A module that gives no answer for so long is killed; with keyholder_program.
  std::chrono::milliseconds hang_timeout = std::chrono::seconds(2);
  KeyObserver* observer = nullptr;  // null, or must outlive the store and its keys
};

// What an administrator names a key by:
// - `pkcs11:token=LABEL;object=NAME[;id=%01…]` of a token in KeyStoreOptions;
// - `software:NAME`;
// - `tpm:sealed=NAME[;pcrs=sha256:0,2,7]` and `tpm:handle=0x81010001`.
// Module path, PIN source, TCTI and the folder before NAME may be left out, and must equal the
// configured ones if given. NAME: 1 to 128 characters of A-Z a-z 0-9 . _ - which does not begin
// with a dot.
//
// Safe to call from several threads. Touches tokens and the TPM when first needed; a PIN that a
// token refused is not tried again until its source gives another. Without keyholder_program,
// modules stay loaded: join every thread that signs before exit(), and do not fork without exec.
class KeyStore {
 public:
  // Makes the folders (mode 0700) that are missing, but not their parents; touches no token yet.
  // Errors: CONFIGURATION_INVALID with the field `keys.tokens[i]`, `keys.software_directory`,
  // `keys.tpm.` and the member of TpmPlace, `keys.sessions_per_token`, `keys.workers_per_token`,
  // `keys.hang_timeout` or, for keyholder_program, `keys.keyholder`.
  static absl::StatusOr<std::unique_ptr<KeyStore>> Create(const KeyStoreOptions& options);

  // Keys that the store made or opened outlive it, and go on signing.
  virtual ~KeyStore() = default;
  KeyStore(const KeyStore&) = delete;
  KeyStore& operator=(const KeyStore&) = delete;

  // The URI of a key called `name` in the default place: the first configured token, or else the
  // TPM's sealed folder, or else the software folder. Errors: KEY_URI_INVALID.
  virtual absl::StatusOr<std::string> DefaultUri(absl::string_view name) const = 0;

  // The URI as it is kept and shown: normalised, the key's name and its place only. Errors:
  // KEY_URI_INVALID, also for a token or a place that the options do not name.
  virtual absl::StatusOr<std::string> CanonicalUri(absl::string_view uri) const = 0;

  // CanonicalUri of a key that is to be made: in a token with an id, 16 octets of chance where
  // `uri` gives none, so that what Generate makes of it is told from any other key of its name.
  // Errors: KEY_URI_INVALID, INTERNAL_ERROR.
  virtual absl::StatusOr<std::string> NewKeyUri(absl::string_view uri) const = 0;

  // CanonicalUri; in a token that of the one fit key that is there, with the id that it has. Makes
  // no test signature. Errors: as Open.
  virtual absl::StatusOr<std::string> UriWithId(absl::string_view uri) = 0;

  // Makes a key that cannot be exported (in a token: CKA_SENSITIVE, not CKA_EXTRACTABLE) and opens
  // it. A sealed key is bound to the registers of its URI, or else to those of the options. Errors:
  // KEY_EXISTS if there is a key of this NAME, also one of another id, KEY_URI_INVALID,
  // KEY_UNAVAILABLE, KEY_UNSUPPORTED where the place cannot make such a key, PIN_REFUSED, and those
  // of Open.
  virtual absl::StatusOr<std::unique_ptr<SigningKey>> Generate(absl::string_view uri,
                                                               KeyType type) = 0;

  // Opens the one key that the URI names, after checking that it is fit (sensitive, never
  // extractable, made in the token, allowed to sign, no login for each signature) and that a
  // signature by it verifies. Errors: KEY_NOT_FOUND, KEY_EXISTS where more than one answers,
  // KEY_UNFIT, KEY_UNSUPPORTED, KEY_MISMATCH (also for a key out of service), KEY_URI_INVALID (also
  // where `pcrs` are not those of the key), KEY_UNAVAILABLE, PIN_REFUSED.
  virtual absl::StatusOr<std::unique_ptr<SigningKey>> Open(absl::string_view uri) = 0;

  // Destroys the private and the public object, or the file, for good. Errors: as Open, but unfit
  // keys are destroyed too.
  virtual absl::Status Destroy(absl::string_view uri) = 0;

  // A key as it was found, fit or not.
  struct StoredKey {
    std::string uri;              // canonical; with the id where a token's key has one
    std::optional<KeyType> type;  // nothing where it is of no KeyType, or cannot be told
    std::string public_key;       // SubjectPublicKeyInfo, DER; empty where it cannot be read
    std::string unfit_because;    // empty: it may sign for a root
    // Whether this store's objects of the key refuse to sign: SigningKey::TakeOutOfService.
    bool out_of_service = false;
  };

  // Every key that answers to the URI, fit or not: several where it leaves the id out and they have
  // one name. Errors: KEY_URI_INVALID, and why the keys of the place are not known.
  virtual absl::StatusOr<std::vector<StoredKey>> Find(absl::string_view uri) = 0;

  // A place of keys: a token, the TPM with its resident and sealed keys, the software folder.
  struct Place {
    std::string name;             // the token's canonical URI, `tpm:` or `software:`
    std::string kind;             // `pkcs11`, `tpm` or `software`
    absl::Status status;          // why its keys are not known; else OK
    std::vector<StoredKey> keys;  // in no order; not all of them where status is not OK
  };

  // Every key of every place: one entry for each token, in the order of the options, then one for
  // the TPM, then one for the software folder. Unseals nothing, and makes no test signature but
  // with software keys, each of which it opens.
  virtual std::vector<Place> List() = 0;

  // Makes a token or the TPM, by its name as in Place, ready to sign as the first opening of one of
  // its keys would: loads the module and logs in, or connects. Changes nothing where it is ready.
  // Errors: KEY_UNAVAILABLE, PIN_REFUSED; KEY_URI_INVALID where no place has this name.
  virtual absl::Status MakeReady(absl::string_view place) = 0;

  // How each token and the TPM fares, by its name as in Place; the software folder has no entry.
  // What is on record: none of them is asked.
  virtual std::vector<std::pair<std::string, CustodianStatus>> Status() const = 0;

 protected:
  KeyStore() = default;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_STORE_KEY_STORE_H_
