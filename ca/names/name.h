// The names that go into a leaf, checked before anything is built from them. All of it is safe to
// call from several threads.
#ifndef HOURGLASS_CA_NAMES_NAME_H_
#define HOURGLASS_CA_NAMES_NAME_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::ca {

// ub-common-name (RFC 5280 appendix A.1), in characters.
inline constexpr std::size_t kMaxCommonNameCharacters = 64;

// Whom a leaf speaks for. Immutable and valid; the only way in is Create.
class Subject {
 public:
  // `upn`: user principal name, `local@domain`, 3 to 256 octets of UTF-8 in Normalization Form C:
  // what FaultInUpn (ca/names/name_rules.h) accepts. `user_id`: 1 to 64 characters of printable
  // ASCII that FaultInId accepts; may be empty unless the UPN has more than 64 characters. `sid`:
  // Windows SID as text (`S-1-5-21-…`, at most 109 characters, MS-WCCE 2.2.2.7.7.4; in decimal,
  // MS-DTYP 2.4.2.1), from a directory or a signed claim only, or empty. Errors: FIELD_MISSING,
  // FIELD_INVALID with field `user.upn`, `user.id` or `user.sid`.
  static absl::StatusOr<Subject> Create(absl::string_view upn, absl::string_view user_id,
                                        absl::string_view sid = "");

  // UTF-8, octet for octet as Create got it.
  const std::string& upn() const { return upn_; }
  // ASCII; empty where Create got none.
  const std::string& user_id() const { return user_id_; }
  // `S-1-…`; empty where Create got none.
  const std::string& sid() const { return sid_; }

  // The common name: the UPN, or the user id where the UPN has more than kMaxCommonNameCharacters.
  const std::string& common_name() const;

 private:
  Subject() = default;

  std::string upn_;
  std::string user_id_;
  std::string sid_;
  bool upn_fits_common_name_ = true;
};

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_NAMES_NAME_H_
