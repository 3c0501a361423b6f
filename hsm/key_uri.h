// The URIs that name tokens and keys: RFC 7512 (`pkcs11:`), and `software:NAME`.
#ifndef HOURGLASS_HSM_KEY_URI_H_
#define HOURGLASS_HSM_KEY_URI_H_

#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::hsm {

// Where the PIN of a token is read, each time it is needed.
struct PinSource {
  enum class Kind { kFile, kEnvironment, kCredential };
  Kind kind = Kind::kFile;
  // An absolute path, the name of an environment variable, or of a file in $CREDENTIALS_DIRECTORY.
  std::string name;

  bool operator==(const PinSource&) const = default;
};

// A token of the configuration: `pkcs11:token=LABEL[;serial=…]?module-path=FILE&pin-source=SOURCE`.
struct TokenUri {
  std::string label;        // 1 to 32 octets
  std::string serial;       // at most 16 octets; empty: any
  std::string module_path;  // absolute
  PinSource pin_source;
};

// A private key in a token:
// `pkcs11:token=LABEL[;serial=…];object=NAME[;id=…][;type=private][?module-path=…&pin-source=…]`.
struct TokenKeyUri {
  std::string token_label;
  std::string token_serial;  // empty: not given
  std::string object;        // NAME of hsm/key_store.h
  std::string id;            // octets of CKA_ID; empty: not given
  // As written, percent-decoded; empty: not given.
  std::string module_path;
  std::string pin_source;
};

// A private key in a file: `software:NAME`.
struct SoftwareKeyUri {
  std::string name;
};

using KeyUri = std::variant<TokenKeyUri, SoftwareKeyUri>;

// Whether `name` is a NAME of hsm/key_store.h. Such a name is safe as a file name.
bool IsKeyName(absl::string_view name);

// Both refuse, with KEY_URI_INVALID, whatever is not exactly of the form above: other and repeated
// attributes (RFC 7512 section 2.3 forbids repeats), pin-value, control characters, values that are
// too long. The message repeats no value, since one may be a PIN. The field is `key` or, for
// tokens, empty.
absl::StatusOr<TokenUri> ParseTokenUri(absl::string_view text);
absl::StatusOr<KeyUri> ParseKeyUri(absl::string_view text);

// `file:PATH`, `env:NAME` or `credential:NAME`. Errors: KEY_URI_INVALID.
absl::StatusOr<PinSource> ParsePinSource(absl::string_view text);
std::string FormatPinSource(const PinSource& source);

// The one text of a key or token for storage and logs: attributes in the order above, without
// module path and PIN source. ParseKeyUri(FormatKeyUri(uri)) names the same key.
std::string FormatKeyUri(const KeyUri& uri);
std::string FormatToken(const TokenUri& uri);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_URI_H_
