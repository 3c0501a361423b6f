// The place where keys live and sign: a PKCS#11 token or a TPM, reached in this process or in
// another.
#ifndef HOURGLASS_HSM_KEY_CUSTODIAN_H_
#define HOURGLASS_HSM_KEY_CUSTODIAN_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hsm/key/signing_key.h"

namespace hourglass::hsm {

// What names a key within its custodian.
struct KeySelector {
  // In a token: CKA_LABEL of both halves. In a TPM: the persistent handle, `0x81010001`.
  std::string label;
  // In a token: CKA_ID of both halves, octets; empty: any. In a TPM: empty.
  std::string id;

  bool operator==(const KeySelector&) const = default;
};

// A key that was found to be fit.
struct CustodialKey {
  KeySelector selector;  // complete: with the id
  KeyType type;
  std::string public_key;  // SubjectPublicKeyInfo, DER
};

// A key as it was found, fit or not.
struct KeyListing {
  KeySelector selector;
  std::optional<KeyType> type;  // nothing where it is of no KeyType, or cannot be told
  std::string public_key;       // SubjectPublicKeyInfo, DER; empty where it cannot be read
  std::string unfit_because;    // empty: it may sign for a root
};

// What a custodian says of itself. Where a TPM is reached through tpm2-pkcs11, the module's words.
struct CustodianFacts {
  std::string manufacturer;  // without the padding that tokens store
  std::string model;
  std::uint64_t most_sessions = 0;  // 0: unlimited or unknown
  // A second process would disturb it: a TPM without a resource manager.
  bool one_process_only = false;
  bool software = false;  // signs on this machine's own cores: threads beyond them gain nothing
};

// How a custodian fares. Counts are since this object was made, over all its worker processes.
struct CustodianStatus {
  enum class State {
    kUnused,      // not asked for anything yet
    kHealthy,     // the last thing it did was right
    kRecovering,  // lost, and tried again by itself
    kFailed,      // lost, and needs somebody to act: `message` says what to do
  };
  State state = State::kUnused;
  std::chrono::steady_clock::time_point since;
  // What is wrong. Empty where unused, and where healthy, unless what is lost could not come back:
  // the PIN was changed, and those that are logged in go on without it.
  std::string message;
  std::uint64_t signatures = 0;
  // By class: a return code's name (CKR_DEVICE_ERROR, TPM_RC_…), an ErrorReason's name, or `crash`,
  // `hang`. Those that healed without a caller's notice count too.
  std::map<std::string, std::uint64_t> errors;
  std::uint64_t logins = 0;
  int sessions = 0;
  int workers = 0;  // processes that run now; 0 in this process
  std::uint64_t worker_restarts = 0;
  // What a signature took lately: an exponentially weighted mean, without the time that callers
  // waited for each other. Zero: not measured. What cannot be served in time by it may be refused
  // at once.
  std::chrono::microseconds signature_time{0};
};

// `unused`, `healthy`, `recovering` or `failed`.
absl::string_view CustodianStateName(CustodianStatus::State state);

// Implementations are safe to call from several threads at once. None of the errors holds a PIN.
class KeyCustodian {
 public:
  virtual ~KeyCustodian() = default;
  KeyCustodian(const KeyCustodian&) = delete;
  KeyCustodian& operator=(const KeyCustodian&) = delete;

  // The field of its errors: a token's canonical URI, or `tpm:`.
  virtual const std::string& name() const = 0;

  // Makes ready to sign: loads the module and logs in, or connects; and says what is there. Changes
  // nothing where it is ready. Errors: KEY_UNAVAILABLE, PIN_REFUSED.
  virtual absl::StatusOr<CustodianFacts> Greet() = 0;

  // Finds the one key and checks that it is fit: it never was and never can be known outside, may
  // sign, asks for no login per signature. Makes no test signature. Errors: KEY_NOT_FOUND,
  // KEY_EXISTS where several answer, KEY_UNFIT, KEY_UNSUPPORTED, KEY_INVALID, KEY_UNAVAILABLE,
  // PIN_REFUSED.
  virtual absl::StatusOr<CustodialKey> Open(const KeySelector& selector) = 0;

  // Makes a fit key with exactly this selector (in a token the id must be given). Idempotent: where
  // the very key is there already, of this type, it is returned; what an interrupted call left of
  // it is completed or replaced, unless it may be all that is left of a key in use. Errors:
  // KEY_EXISTS then, and where the label is another key's or the key is of another type;
  // KEY_UNSUPPORTED, KEY_UNAVAILABLE, PIN_REFUSED.
  virtual absl::StatusOr<CustodialKey> Generate(const KeySelector& selector, KeyType type) = 0;

  // Destroys the key, fit or not, for good. Errors: KEY_NOT_FOUND, KEY_EXISTS, KEY_UNAVAILABLE,
  // PIN_REFUSED; KEY_UNFIT for what is not made to sign, such as a TPM's storage or endorsement
  // key.
  virtual absl::Status Destroy(const KeySelector& selector) = 0;

  // Every private key there is, in no order. Errors: KEY_UNAVAILABLE, PIN_REFUSED.
  virtual absl::StatusOr<std::vector<KeyListing>> List() = 0;

  // Signs `digest`, which must be of DigestOf(key.type)'s size, with the key that Open or Generate
  // described, in the algorithm of its type. Returns what SigningKey::Sign returns, not verified.
  // Errors: those of SigningKey::Sign.
  virtual absl::StatusOr<std::string> SignDigest(const CustodialKey& key,
                                                 absl::string_view digest) = 0;

  // The same for several digests at once, of any number: returns as many results, in their order,
  // each of which may fail by itself. Here one SignDigest after the other; where that costs a
  // journey each, they travel together, and the caller waits once, for as long as for one: what is
  // not signed by then is KEY_UNAVAILABLE.
  virtual std::vector<absl::StatusOr<std::string>> SignDigests(
      const CustodialKey& key, absl::Span<const std::string> digests);

  virtual CustodianStatus Status() const = 0;

 protected:
  KeyCustodian() = default;
};

// Marks an error that only a custodian made anew, in a new process, may mend: its module or its
// connection has failed as a whole. Keeps code, reason, field and message.
absl::Status NeedingNewCustodian(absl::Status status);
bool NeedsNewCustodian(const absl::Status& status);

// For KEY_UNAVAILABLE: asking again makes sense after this time. Keeps code, reason, field and
// message.
absl::Status WithRetryDelay(absl::Status status, std::chrono::milliseconds delay);
std::optional<std::chrono::milliseconds> RetryDelayOf(const absl::Status& status);

// Told what happens to custodians and keys, for logs. Called from any thread, possibly with locks
// held: must be quick and not call back.
class KeyObserver {
 public:
  virtual ~KeyObserver() = default;
  // `custodian` is KeyCustodian::name(). Called when state or message change.
  virtual void CustodianChanged(absl::string_view custodian, const CustodianStatus& status) = 0;
  // A worker process ended by itself or was killed; `how`: `killed by SIGSEGV`, `exited with 1`,
  // `killed: gave no answer for 2000 ms`.
  virtual void WorkerEnded(absl::string_view custodian, int pid, absl::string_view how) = 0;
  // One line that a module wrote to standard error.
  virtual void WorkerSaid(absl::string_view custodian, absl::string_view line) = 0;
  // A signature did not verify, and the key is used no more until the process starts anew.
  virtual void KeyTakenOutOfService(absl::string_view key_uri) = 0;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_CUSTODIAN_H_
