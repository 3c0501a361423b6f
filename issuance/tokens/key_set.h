// The public keys of an issuer of tokens: a JSON Web Key Set (RFC 7517).
#ifndef HOURGLASS_ISSUANCE_TOKENS_KEY_SET_H_
#define HOURGLASS_ISSUANCE_TOKENS_KEY_SET_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/tokens/token_algorithm.h"
#include "issuance/tokens/verification_key.h"

namespace hourglass::issuance {

inline constexpr std::size_t kMaxKeySetSize = 256 * 1024;  // octets; more is refused
inline constexpr int kMaxKeys = 256;                       // in a set; more are refused

// A key and what it may be used for.
struct IssuerKey {
  std::unique_ptr<const VerificationKey> key;
  std::optional<TokenAlgorithm> algorithm;  // `alg`: the only one that it may be used with
  // `issuer`, as Entra ID writes it: whose tokens it may sign, `{tenantid}` standing for any
  // directory. Empty: it does not say.
  std::string issuer;
};

// A key that is not used, and why.
struct SkippedKey {
  std::string name;  // its `kid`, Quoted, or `keys[3]`
  std::string why;   // to follow `: `
};

// What does not change any more. Safe to use from several threads.
class KeySet {
 public:
  // Reads a set. Keys that could not be used are skipped: without a `kid`, or with one that several
  // have; not for signatures (`use`, `key_ops`); of another algorithm than RS256, PS256, ES256;
  // too weak; malformed; secret or private. Members that are not known are passed over. Errors:
  // FIELD_INVALID without a field, where the text is no set, has duplicate members, or more than
  // kMaxKeys; or holds no key that can be used, with the first one's fault.
  static absl::StatusOr<std::shared_ptr<const KeySet>> Parse(absl::string_view text);

  // The one key of this id; null where there is none.
  const IssuerKey* Find(absl::string_view key_id) const;

  std::size_t size() const { return keys_.size(); }
  // In the order of the text.
  const std::vector<SkippedKey>& skipped() const { return skipped_; }

 private:
  KeySet() = default;

  absl::flat_hash_map<std::string, IssuerKey> keys_;
  std::vector<SkippedKey> skipped_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_KEY_SET_H_
