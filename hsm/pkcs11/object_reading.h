// Finding and reading the objects of a token, in one session.
#ifndef HOURGLASS_HSM_PKCS11_OBJECT_READING_H_
#define HOURGLASS_HSM_PKCS11_OBJECT_READING_H_

#include <p11-kit/pkcs11.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hsm/pkcs11/session_pool.h"

namespace hourglass::hsm {

// CKA_EC_PARAMS of the two curves: the curve's OBJECT IDENTIFIER, DER (RFC 5480 section 2.1.1.1).
inline constexpr absl::string_view kP256Curve("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10);
inline constexpr absl::string_view kP384Curve("\x06\x05\x2b\x81\x04\x00\x22", 7);

// The handles of all objects that have all of these attributes; all there are that the login shows
// where none is given. Errors: KEY_UNAVAILABLE.
// Ends once it has found `most`.
inline constexpr size_t kMostObjects = 1'000'000;
absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> SearchObjects(Session& session,
                                                            std::vector<CK_ATTRIBUTE> wanted,
                                                            size_t most = kMostObjects);

// Nothing where the object has no such attribute, or does not show it. Errors: KEY_UNAVAILABLE.
absl::StatusOr<std::optional<std::string>> ReadAttribute(Session& session, CK_OBJECT_HANDLE object,
                                                         CK_ATTRIBUTE_TYPE type);

// The same for several attributes, in their order, with one call of the module where it answers as
// the standard says: a token behind a network takes milliseconds for each. Errors: KEY_UNAVAILABLE.
absl::StatusOr<std::vector<std::optional<std::string>>> ReadAttributes(
    Session& session, CK_OBJECT_HANDLE object, absl::Span<const CK_ATTRIBUTE_TYPE> types);

// The SubjectPublicKeyInfo, DER, of a public key object. Errors: KEY_UNSUPPORTED, KEY_INVALID,
// KEY_UNAVAILABLE.
absl::StatusOr<std::string> ReadPublicKeyObject(Session& session, CK_OBJECT_HANDLE object);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_OBJECT_READING_H_
