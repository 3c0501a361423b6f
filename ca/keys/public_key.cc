#include "ca/keys/public_key.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "ca/encoding/der.h"
#include "ca/encoding/oids.h"
#include "hsm/base/error.h"

namespace hourglass::ca {
namespace {

constexpr int kMaxExponentBits = 64;
constexpr std::uint32_t kMinExponent = 65537;
constexpr char kUncompressed = 0x04;

absl::Status Refused(ErrorReason reason, absl::string_view message) {
  return Error(reason, "pkcs10", message);
}

absl::Status Malformed() {
  return Refused(ErrorReason::kRequestMalformed,
                 "the public key is not a SubjectPublicKeyInfo in DER");
}

struct Curve {
  PublicKeyKind kind;
  absl::string_view oid;
  const char* name;
  std::size_t point_size;  // uncompressed, octets
  bool KeyPolicy::*allowed;
};

constexpr Curve kCurves[] = {
    {PublicKeyKind::kEcP256, oids::kCurveP256, "P-256", 65, &KeyPolicy::allow_ec_p256},
    {PublicKeyKind::kEcP384, oids::kCurveP384, "P-384", 97, &KeyPolicy::allow_ec_p384},
};

absl::StatusOr<const Curve*> ReadCurve(absl::string_view parameters, const KeyPolicy& policy) {
  if (der::ReadOnly(parameters, der::kSequence).has_value()) {
    return Refused(ErrorReason::kKeyUnsupported,
                   "the curve must be named, not described by explicit parameters");
  }
  const std::optional<absl::string_view> oid = der::ReadOnly(parameters, der::kOid);
  if (!oid.has_value()) return Malformed();
  for (const Curve& curve : kCurves) {
    if (curve.oid != *oid) continue;
    if (policy.*curve.allowed) return &curve;
    return Refused(ErrorReason::kKeySizeRefused,
                   absl::StrCat("keys on ", curve.name, " are not accepted"));
  }
  return Refused(ErrorReason::kKeyUnsupported, "the curve must be P-256 or P-384");
}

absl::StatusOr<PublicKey> ReadEcKey(absl::string_view parameters, absl::string_view point,
                                    const KeyPolicy& policy) {
  const absl::StatusOr<const Curve*> curve = ReadCurve(parameters, policy);
  if (!curve.ok()) return curve.status();
  if (point.size() != (*curve)->point_size || point[0] != kUncompressed) {
    return Refused(ErrorReason::kKeyInvalid,
                   absl::StrCat("the public point must be uncompressed, ", (*curve)->point_size,
                                " octets that begin with 04"));
  }
  return PublicKey{(*curve)->kind, point, {}, {}};
}

// A positive, minimal INTEGER without its sign octet.
std::optional<absl::string_view> ReadMagnitude(der::Reader* reader) {
  std::optional<absl::string_view> content = reader->Read(der::kInteger);
  if (!content.has_value() || !der::IsMinimalInteger(*content) || ((*content)[0] & 0x80) != 0) {
    return std::nullopt;
  }
  if ((*content)[0] == 0) content->remove_prefix(1);
  return content;
}

int BitLength(absl::string_view magnitude) {
  if (magnitude.empty()) return 0;
  int bits = static_cast<int>(magnitude.size()) * 8;
  for (unsigned top = static_cast<std::uint8_t>(magnitude[0]); (top & 0x80) == 0; top <<= 1) --bits;
  return bits;
}

bool IsOdd(absl::string_view magnitude) {
  return !magnitude.empty() && (magnitude.back() & 1) != 0;
}

bool IsAcceptedExponent(absl::string_view exponent) {
  if (!IsOdd(exponent) || BitLength(exponent) > kMaxExponentBits) return false;
  if (exponent.size() > sizeof(std::uint32_t)) return true;
  std::uint32_t value = 0;
  for (const char c : exponent) value = value << 8 | static_cast<std::uint8_t>(c);
  return value >= kMinExponent;
}

absl::Status CheckRsaNumbers(absl::string_view modulus, absl::string_view exponent,
                             const KeyPolicy& policy) {
  const int min_bits = std::max(policy.min_rsa_bits, kMinRsaBits);
  const int max_bits = std::min(policy.max_rsa_bits, kMaxRsaBits);
  const int bits = BitLength(modulus);
  if (bits < min_bits || bits > max_bits) {
    return Refused(
        ErrorReason::kKeySizeRefused,
        absl::StrCat("RSA key of ", bits, " bits; accepted are ", min_bits, " to ", max_bits));
  }
  if (!IsOdd(modulus)) return Refused(ErrorReason::kKeyInvalid, "the RSA modulus is even");
  if (!IsAcceptedExponent(exponent)) {
    return Refused(ErrorReason::kKeyInvalid,
                   "the RSA exponent must be odd, at least 65537 and below 2^64");
  }
  return absl::OkStatus();
}

absl::StatusOr<PublicKey> ReadRsaKey(absl::string_view parameters, absl::string_view bits,
                                     const KeyPolicy& policy) {
  if (der::ReadOnly(parameters, der::kNull) != absl::string_view()) return Malformed();
  if (!policy.allow_rsa) {
    return Refused(ErrorReason::kKeySizeRefused, "RSA keys are not accepted");
  }
  const std::optional<absl::string_view> numbers = der::ReadOnly(bits, der::kSequence);
  if (!numbers.has_value()) return Malformed();
  der::Reader reader(*numbers);
  const std::optional<absl::string_view> modulus = ReadMagnitude(&reader);
  const std::optional<absl::string_view> exponent = ReadMagnitude(&reader);
  if (!modulus.has_value() || !exponent.has_value() || !reader.empty()) return Malformed();
  const absl::Status checked = CheckRsaNumbers(*modulus, *exponent, policy);
  if (!checked.ok()) return checked;
  return PublicKey{PublicKeyKind::kRsa, bits, *modulus, *exponent};
}

}  // namespace

absl::StatusOr<PublicKey> ReadPublicKey(absl::string_view subject_public_key_info,
                                        const KeyPolicy& policy) {
  const std::optional<absl::string_view> info =
      der::ReadOnly(subject_public_key_info, der::kSequence);
  if (!info.has_value()) return Malformed();
  der::Reader reader(*info);
  const std::optional<absl::string_view> algorithm = reader.Read(der::kSequence);
  const std::optional<absl::string_view> bits = reader.ReadOctetAlignedBits();
  if (!algorithm.has_value() || !bits.has_value() || !reader.empty()) return Malformed();
  der::Reader algorithm_reader(*algorithm);
  const std::optional<absl::string_view> oid = algorithm_reader.Read(der::kOid);
  if (!oid.has_value()) return Malformed();
  if (*oid == oids::kEcPublicKey) return ReadEcKey(algorithm_reader.rest(), *bits, policy);
  if (*oid == oids::kRsaEncryption) return ReadRsaKey(algorithm_reader.rest(), *bits, policy);
  return Refused(ErrorReason::kKeyUnsupported, "the key must be EC P-256, EC P-384 or RSA");
}

}  // namespace hourglass::ca
