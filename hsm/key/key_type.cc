#include "hsm/key/key_type.h"

#include <openssl/core_names.h>
#include <openssl/x509.h>

#include <array>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::hsm {
namespace {

struct TypeRow {
  KeyType type;
  absl::string_view name;
  int bits;
};

constexpr TypeRow kTypes[] = {
    {KeyType::kEcP256, "ec-p256", 256},    {KeyType::kEcP384, "ec-p384", 384},
    {KeyType::kRsa2048, "rsa-2048", 2048}, {KeyType::kRsa3072, "rsa-3072", 3072},
    {KeyType::kRsa4096, "rsa-4096", 4096},
};

constexpr auto kNames = [] {
  std::array<absl::string_view, std::size(kTypes)> names;
  for (size_t i = 0; i < names.size(); ++i) names[i] = kTypes[i].name;
  return names;
}();

const TypeRow& RowOf(KeyType type) {
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return row;
  }
  return kTypes[0];
}

absl::StatusOr<KeyType> EcTypeOf(const EVP_PKEY& key) {
  char group[64];
  size_t size = 0;
  if (EVP_PKEY_get_group_name(&key, group, sizeof(group), &size) != 1) {
    DrainOpensslErrors();
    return Error(ErrorReason::kKeyUnsupported, "key", "an EC key must be on a named curve");
  }
  const absl::string_view name(group, size);
  if (name == "prime256v1") return KeyType::kEcP256;
  if (name == "secp384r1") return KeyType::kEcP384;
  return Error(ErrorReason::kKeyUnsupported, "key", absl::StrCat("curve ", name));
}

absl::StatusOr<BignumPtr> RsaNumber(const EVP_PKEY& key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(&key, name, &number) != 1) {
    return Error(ErrorReason::kKeyInvalid, "key", DrainOpensslErrors());
  }
  return BignumPtr(number);
}

absl::StatusOr<KeyType> RsaTypeOf(const EVP_PKEY& key) {
  ASSIGN_OR_RETURN(const BignumPtr modulus, RsaNumber(key, OSSL_PKEY_PARAM_RSA_N));
  ASSIGN_OR_RETURN(const BignumPtr exponent, RsaNumber(key, OSSL_PKEY_PARAM_RSA_E));
  if (!BN_is_odd(modulus.get())) {
    return Error(ErrorReason::kKeyInvalid, "key", "RSA modulus is even");
  }
  // An exponent below 2^16 + 1 has at most 16 bits, or is 2^16 itself, which is even.
  if (!BN_is_odd(exponent.get()) || BN_num_bits(exponent.get()) < 17) {
    return Error(ErrorReason::kKeyInvalid, "key", "RSA exponent is even or below 65537");
  }
  const int bits = EVP_PKEY_get_bits(&key);
  for (const TypeRow& row : kTypes) {
    if (!IsEc(row.type) && row.bits == bits) return row.type;
  }
  return Error(ErrorReason::kKeyUnsupported, "key", absl::StrCat("RSA key of ", bits, " bits"));
}

}  // namespace

int KeyBits(KeyType type) { return RowOf(type).bits; }

absl::string_view KeyTypeName(KeyType type) { return RowOf(type).name; }

absl::Span<const absl::string_view> KeyTypeNames() { return kNames; }

absl::StatusOr<KeyType> ParseKeyType(absl::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return Error(
      ErrorReason::kFieldInvalid, "key_type",
      absl::StrCat("must be ", absl::StrJoin(KeyTypeNames().first(kNames.size() - 1), ", "), " or ",
                   kNames.back()));
}

absl::StatusOr<KeyType> KeyTypeOf(const EVP_PKEY& key) {
  switch (EVP_PKEY_get_base_id(&key)) {
    case EVP_PKEY_EC:
      return EcTypeOf(key);
    case EVP_PKEY_RSA:
      return RsaTypeOf(key);
    default:
      return Error(ErrorReason::kKeyUnsupported, "key", "neither an EC nor an RSA key");
  }
}

absl::StatusOr<EvpPkeyPtr> ParsePublicKey(absl::string_view spki) {
  const auto* cursor = reinterpret_cast<const unsigned char*>(spki.data());
  EvpPkeyPtr key(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(spki.size())));
  if (key == nullptr) {
    return Error(ErrorReason::kKeyInvalid, "public_key", DrainOpensslErrors());
  }
  ASSIGN_OR_RETURN(const KeyType type, KeyTypeOf(*key));
  // The curve by its name and an uncompressed or hybrid point have one length only; RFC 5480
  // section 2.2 forbids the hybrid form, which does not begin with 4.
  const size_t size = type == KeyType::kEcP256 ? 91 : 120;
  const size_t point_size = type == KeyType::kEcP256 ? 65 : 97;
  if (IsEc(type) && (spki.size() != size || spki[size - point_size] != '\x04')) {
    return Error(ErrorReason::kKeyUnsupported, "public_key",
                 "must name its curve and hold an uncompressed point");
  }
  ASSIGN_OR_RETURN(const std::string canonical, EncodePublicKey(*key));
  if (canonical != spki) {
    return Error(ErrorReason::kKeyInvalid, "public_key", "not in its one DER encoding");
  }
  return key;
}

absl::StatusOr<std::string> EncodePublicKey(const EVP_PKEY& key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(&key, &der);
  if (size <= 0) return Error(ErrorReason::kInternalError, "public_key", DrainOpensslErrors());
  std::string encoded(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return encoded;
}

const EVP_MD* DigestOf(KeyType type) {
  // Fetched once: EVP_sha256() would be looked up in the provider again at each use.
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  static const EVP_MD* const sha384 = EVP_MD_fetch(nullptr, "SHA2-384", nullptr);
  return type == KeyType::kEcP384 ? sha384 : sha256;
}

absl::StatusOr<std::string> Digest(KeyType type, absl::string_view message) {
  const EVP_MD* const hash = DigestOf(type);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (hash == nullptr ||
      EVP_Digest(message.data(), message.size(), digest, &size, hash, nullptr) != 1) {
    return Error(ErrorReason::kInternalError, "digest", DrainOpensslErrors());
  }
  return std::string(reinterpret_cast<const char*>(digest), size);
}

}  // namespace hourglass::hsm
