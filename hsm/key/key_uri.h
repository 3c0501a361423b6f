// The URIs that name tokens and keys: RFC 7512 (`pkcs11:`), `software:`, and `tpm:`.
#ifndef HOURGLASS_HSM_KEY_KEY_URI_H_
#define HOURGLASS_HSM_KEY_KEY_URI_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/sealer.h"

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
  std::string object;        // NAME of hsm/store/key_store.h
  std::string id;            // octets of CKA_ID; empty: not given
  // As written, percent-decoded; empty: not given.
  std::string module_path;
  std::string pin_source;
};

// A private key in a file: `software:NAME` or `software:/FOLDER/NAME`.
struct SoftwareKeyUri {
  std::string name;
  std::string directory = "";  // absolute, without `.` and `..`; empty: not given
};

// A private key in a file that one TPM alone opens:
// `tpm:sealed=NAME[;pcrs=…][?tcti=…&pin-source=…]` or `tpm:sealed=/FOLDER/NAME…`.
struct SealedKeyUri {
  std::string name;
  std::string directory = "";  // as above
  // `pcrs=sha256:0,2,7`, or empty for `pcrs=none`; nothing: not given.
  std::optional<PcrSelection> registers = std::nullopt;
  // As written, percent-decoded; empty: not given.
  std::string tcti = "";
  std::string pin_source = "";
};

// A private key in a TPM: `tpm:handle=0x81010001[?tcti=…&pin-source=…]`.
struct ResidentKeyUri {
  std::uint32_t handle = 0;  // persistent, the owner's: 0x81000000 to 0x817fffff
  std::string tcti = "";
  std::string pin_source = "";
};

using KeyUri = std::variant<TokenKeyUri, SoftwareKeyUri, SealedKeyUri, ResidentKeyUri>;

// Whether `name` is a NAME of hsm/store/key_store.h. Such a name is safe as a file name.
bool IsKeyName(absl::string_view name);

// Both refuse, with KEY_URI_INVALID, whatever is not exactly of the forms above: other and repeated
// attributes (RFC 7512 section 2.3 forbids repeats), pin-value, control characters, values that are
// too long. The message repeats no value, since one may be a PIN. The field is `key` or, for
// tokens, empty.
absl::StatusOr<TokenUri> ParseTokenUri(absl::string_view text);
absl::StatusOr<KeyUri> ParseKeyUri(absl::string_view text);

// `file:PATH`, `env:NAME` or `credential:NAME`. Errors: KEY_URI_INVALID.
absl::StatusOr<PinSource> ParsePinSource(absl::string_view text);
std::string FormatPinSource(const PinSource& source);

// `sha256:0,2,7` (0 to 23, ascending, no repeats), or `none` for the empty selection. Errors:
// KEY_URI_INVALID.
absl::StatusOr<PcrSelection> ParsePcrSelection(absl::string_view text);
std::string FormatPcrSelection(const PcrSelection& registers);

// `0x81010001`: eight hexadecimal digits, in lower case.
std::string FormatHandle(std::uint32_t handle);

// The one text of a key or token for storage and logs: the attributes that tell it from others, in
// the order above, without folder, registers and query. ParseKeyUri(FormatKeyUri(uri)) names the
// same key.
std::string FormatKeyUri(const KeyUri& uri);
std::string FormatToken(const TokenUri& uri);

// The NAME of a key; empty for one that a TPM keeps under a number.
absl::string_view KeyNameOf(const KeyUri& uri);

// Of a URI that FormatKeyUri made: all but the id.
absl::string_view UriWithoutId(absl::string_view uri);

// Whether both, made by FormatKeyUri, may name one key: they are equal, or would be without the id
// and at least one has none.
bool MayNameOneKey(absl::string_view one, absl::string_view other);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_KEY_URI_H_
