// SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) that a test puts together, sound or not.
#ifndef HOURGLASS_CA_TESTING_KEY_INFO_H_
#define HOURGLASS_CA_TESTING_KEY_INFO_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ca/encoding/der.h"
#include "tests/support/hex.h"

namespace hourglass::ca {

// OBJECT IDENTIFIERs, DER, in hexadecimal digits: id-ecPublicKey, secp256r1 and secp384r1 (RFC 5480
// section 2.1.1), rsaEncryption (RFC 3279 section 2.3.1).
inline constexpr char kEcOid[] = "06072a8648ce3d0201";
inline constexpr char kP256Oid[] = "06082a8648ce3d030107";
inline constexpr char kP384Oid[] = "06052b81040022";
inline constexpr char kRsaOid[] = "06092a864886f70d010101";

// DER, for an AlgorithmIdentifier whose content is `algorithm`, in hexadecimal digits, and a BIT
// STRING of the octets `bits`. Like the others it looks at neither, and several threads may call
// it.
inline std::string KeyInfo(absl::string_view algorithm, absl::string_view bits) {
  return der::Encode(der::kSequence,
                     {der::Encode(der::kSequence, {Hex(algorithm)}),
                      der::Encode(der::kBitString, {absl::string_view("\0", 1), bits})});
}

// For an EC key with these parameters, DER in hexadecimal digits, such as kP256Oid.
inline std::string EcKeyInfo(absl::string_view curve, absl::string_view point) {
  return KeyInfo(absl::StrCat(kEcOid, curve), point);
}

// For an RSA key with NULL as parameters and an RSAPublicKey whose content is `numbers`, DER.
inline std::string RsaKeyInfo(absl::string_view numbers) {
  return KeyInfo(absl::StrCat(kRsaOid, "0500"), der::Encode(der::kSequence, {numbers}));
}

// With the contents of the two INTEGERs.
inline std::string RsaKeyInfo(absl::string_view modulus, absl::string_view exponent) {
  return RsaKeyInfo(der::Encode(der::kInteger, {modulus}) + der::Encode(der::kInteger, {exponent}));
}

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TESTING_KEY_INFO_H_
