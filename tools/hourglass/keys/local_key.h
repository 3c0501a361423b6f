// Keys that a command uses on this machine, without a service: the URI says where they are.
#ifndef HOURGLASS_TOOLS_HOURGLASS_KEYS_LOCAL_KEY_H_
#define HOURGLASS_TOOLS_HOURGLASS_KEYS_LOCAL_KEY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/custodian.h"
#include "hsm/key/key_uri.h"
#include "hsm/key/sealer.h"
#include "hsm/store/key_store.h"

namespace hourglass::cli {

// Whether the URI names its place too: a token's with module-path, a file's with its folder, a
// resident key's with tcti. Text that is no key URI does not.
bool SaysItsPlace(absl::string_view uri);

struct LocalKey {
  hsm::KeyUri uri;
  std::string text;           // as it was typed
  std::string canonical;      // as the service names it
  std::string configuration;  // the lines of hourglassd.yaml that name its place
  hsm::KeyStoreOptions places;
};

// A resident key without tcti is taken to be in the TPM of this machine. Errors: KEY_URI_INVALID,
// saying which form is needed where the place is not in it.
absl::StatusOr<LocalKey> ParseLocalKey(absl::string_view uri);

struct CustodyOptions {
  // Loads modules into this process instead.
  bool in_process = false;
  // hourglass-keyholder; empty: the one beside this program.
  std::string keyholder;
  int sessions = 8;
};

// A store of this key's place alone. Errors: KEY_UNAVAILABLE where there is no keyholder, and those
// of KeyStore::Create.
absl::StatusOr<std::unique_ptr<hsm::KeyStore>> OpenLocalStore(const LocalKey& key,
                                                              const CustodyOptions& options);

// The TPM of a key, without a store: for what only its sealer does, and what it is.
struct LocalTpm {
  std::unique_ptr<hsm::KeyCustodian> custodian;
  hsm::Sealer* sealer;  // of the custodian
};

// `key` must be a sealed or resident one. Does not touch the TPM yet. Errors: KEY_UNAVAILABLE where
// there is no keyholder, KEY_URI_INVALID for a PIN source that is none.
absl::StatusOr<LocalTpm> OpenLocalTpm(const LocalKey& key, const CustodyOptions& options);

// `text` as one word of a shell's command line.
std::string ShellWord(absl::string_view text);

// The command that makes a root of the key; ended by a newline.
std::string CommandForRoot(absl::string_view key_type, absl::string_view canonical_uri);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_KEYS_LOCAL_KEY_H_
