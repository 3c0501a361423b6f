#include "hsm/tpm/key_description.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/tpm/esys_connection.h"

namespace hourglass::hsm {
namespace {

using ParamBuilderPtr = OpensslPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using ParamsPtr = OpensslPtr<OSSL_PARAM, OSSL_PARAM_free>;

// TPM 2.0 Library Specification part 2 section 11.2.4: zero stands for this one.
constexpr UINT32 kDefaultExponent = 65537;
constexpr TPMA_OBJECT kNeverLeaves =
    TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN;

TPMI_ALG_HASH HashOf(KeyType type) {
  return type == KeyType::kEcP384 ? TPM2_ALG_SHA384 : TPM2_ALG_SHA256;
}

absl::StatusOr<std::string> SpkiFromParameters(const char* algorithm, OSSL_PARAM_BLD* builder) {
  const ParamsPtr parameters(OSSL_PARAM_BLD_to_param(builder));
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return Error(ErrorReason::kKeyInvalid, kTpmField, DrainOpensslErrors());
  }
  const EvpPkeyPtr owned(key);
  return EncodePublicKey(*owned);
}

// The coordinate at the curve's full width: a TPM may leave leading zeros out.
std::string Widened(const TPM2B_ECC_PARAMETER& number, std::size_t width) {
  const std::size_t size = number.size < width ? number.size : width;
  return std::string(width - size, '\0') +
         std::string(reinterpret_cast<const char*>(number.buffer), size);
}

absl::StatusOr<std::string> EcPublicKey(KeyType type, const TPMS_ECC_POINT& point) {
  const std::size_t width = static_cast<std::size_t>(KeyBits(type)) / 8;
  const std::string octets =
      absl::StrCat(std::string(1, '\x04'), Widened(point.x, width), Widened(point.y, width));
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  const char* group = type == KeyType::kEcP256 ? "P-256" : "P-384";
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, octets.data(),
                                       octets.size()) != 1) {
    return Error(ErrorReason::kInternalError, kTpmField, DrainOpensslErrors());
  }
  return SpkiFromParameters("EC", builder.get());
}

absl::StatusOr<std::string> RsaPublicKey(const TPM2B_PUBLIC_KEY_RSA& modulus) {
  const BignumPtr number(BN_bin2bn(modulus.buffer, modulus.size, nullptr));
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr || number == nullptr ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, number.get()) != 1 ||
      OSSL_PARAM_BLD_push_uint32(builder.get(), OSSL_PKEY_PARAM_RSA_E, kDefaultExponent) != 1) {
    return Error(ErrorReason::kInternalError, kTpmField, DrainOpensslErrors());
  }
  return SpkiFromParameters("RSA", builder.get());
}

std::optional<KeyType> TypeOf(const TPMT_PUBLIC& area) {
  if (area.type == TPM2_ALG_ECC) {
    if (area.parameters.eccDetail.curveID == TPM2_ECC_NIST_P256) return KeyType::kEcP256;
    if (area.parameters.eccDetail.curveID == TPM2_ECC_NIST_P384) return KeyType::kEcP384;
    return std::nullopt;
  }
  const TPMS_RSA_PARMS& rsa = area.parameters.rsaDetail;
  if (area.type != TPM2_ALG_RSA || (rsa.exponent != 0 && rsa.exponent != kDefaultExponent)) {
    return std::nullopt;
  }
  for (const KeyType type : kAllKeyTypes) {
    if (!IsEc(type) && KeyBits(type) == rsa.keyBits) return type;
  }
  return std::nullopt;
}

bool SchemeFits(const TPMT_PUBLIC& area, KeyType type) {
  const TPMT_SIG_SCHEME wanted = SignatureSchemeOf(type);
  // The two schemes of a key have one layout (part 2 sections 11.2.3.5 and 11.2.3.6).
  const TPMI_ALG_ASYM_SCHEME scheme = IsEc(type) ? area.parameters.eccDetail.scheme.scheme
                                                 : area.parameters.rsaDetail.scheme.scheme;
  const TPMI_ALG_HASH hash = IsEc(type) ? area.parameters.eccDetail.scheme.details.ecdsa.hashAlg
                                        : area.parameters.rsaDetail.scheme.details.rsassa.hashAlg;
  return scheme == TPM2_ALG_NULL || (scheme == wanted.scheme && hash == HashOf(type));
}

std::string UnfitBecause(const TPMT_PUBLIC& area, const std::optional<KeyType>& type) {
  const auto has = [&](TPMA_OBJECT attribute) {
    return (area.objectAttributes & attribute) == attribute;
  };
  if (!has(TPMA_OBJECT_SIGN_ENCRYPT)) return "is not a signing key";
  if (!type.has_value()) return "is of a type that no root may have";
  if (has(TPMA_OBJECT_RESTRICTED)) return "is restricted to what the TPM says itself";
  if (has(TPMA_OBJECT_DECRYPT)) return "may decrypt as well as sign";
  if (!has(TPMA_OBJECT_SENSITIVEDATAORIGIN)) return "was not made in the TPM (sensitivedataorigin)";
  if (!has(kNeverLeaves) || has(TPMA_OBJECT_ENCRYPTEDDUPLICATION)) {
    return "may leave the TPM (fixedtpm and fixedparent must be set)";
  }
  if (!has(TPMA_OBJECT_USERWITHAUTH))
    return "is used under a policy only (userwithauth is not set)";
  if (!SchemeFits(area, *type)) return "is bound to another signature scheme";
  return "";
}

}  // namespace

TPM2B_PUBLIC SigningKeyTemplate(KeyType type, bool with_pin) {
  TPM2B_PUBLIC key = {};
  TPMT_PUBLIC& area = key.publicArea;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = kNeverLeaves | TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_USERWITHAUTH |
                          (with_pin ? 0 : TPMA_OBJECT_NODA);
  if (IsEc(type)) {
    area.type = TPM2_ALG_ECC;
    TPMS_ECC_PARMS& ec = area.parameters.eccDetail;
    ec.symmetric.algorithm = TPM2_ALG_NULL;
    ec.scheme.scheme = TPM2_ALG_ECDSA;
    ec.scheme.details.ecdsa.hashAlg = HashOf(type);
    ec.curveID = type == KeyType::kEcP256 ? TPM2_ECC_NIST_P256 : TPM2_ECC_NIST_P384;
    ec.kdf.scheme = TPM2_ALG_NULL;
  } else {
    area.type = TPM2_ALG_RSA;
    TPMS_RSA_PARMS& rsa = area.parameters.rsaDetail;
    rsa.symmetric.algorithm = TPM2_ALG_NULL;
    rsa.scheme.scheme = TPM2_ALG_RSASSA;
    rsa.scheme.details.rsassa.hashAlg = HashOf(type);
    rsa.keyBits = static_cast<TPMI_RSA_KEY_BITS>(KeyBits(type));
  }
  return key;
}

TPM2B_PUBLIC StorageKeyTemplate() {
  TPM2B_PUBLIC key = {};
  TPMT_PUBLIC& area = key.publicArea;
  area.type = TPM2_ALG_ECC;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = kNeverLeaves | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
                          TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
  TPMS_ECC_PARMS& ec = area.parameters.eccDetail;
  ec.symmetric.algorithm = TPM2_ALG_AES;
  ec.symmetric.keyBits.aes = 128;
  ec.symmetric.mode.aes = TPM2_ALG_CFB;
  ec.scheme.scheme = TPM2_ALG_NULL;
  ec.curveID = TPM2_ECC_NIST_P256;
  ec.kdf.scheme = TPM2_ALG_NULL;
  // Zeros, but of the coordinates' full size.
  area.unique.ecc.x.size = 32;
  area.unique.ecc.y.size = 32;
  return key;
}

KeyListing DescribeObject(const KeySelector& selector, const TPM2B_PUBLIC& object) {
  const TPMT_PUBLIC& area = object.publicArea;
  KeyListing listing{.selector = selector,
                     .type = TypeOf(area),
                     .public_key = "",
                     .unfit_because = UnfitBecause(area, TypeOf(area))};
  if (!listing.type.has_value()) return listing;
  const absl::StatusOr<std::string> public_key = IsEc(*listing.type)
                                                     ? EcPublicKey(*listing.type, area.unique.ecc)
                                                     : RsaPublicKey(area.unique.rsa);
  if (public_key.ok()) {
    listing.public_key = *public_key;
  } else if (listing.unfit_because.empty()) {
    listing.unfit_because =
        absl::StrCat("has no valid public key: ", public_key.status().message());
  }
  return listing;
}

bool IsSomebodysSigningKey(const TPM2B_PUBLIC& object) {
  const TPMT_PUBLIC& area = object.publicArea;
  return (area.type == TPM2_ALG_ECC || area.type == TPM2_ALG_RSA) &&
         (area.objectAttributes & TPMA_OBJECT_SIGN_ENCRYPT) != 0 &&
         (area.objectAttributes & TPMA_OBJECT_RESTRICTED) == 0;
}

bool IsStorageKey(const TPM2B_PUBLIC& object) {
  constexpr TPMA_OBJECT kHas =
      kNeverLeaves | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
  constexpr TPMA_OBJECT kHasNot = TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_ENCRYPTEDDUPLICATION;
  const TPMT_PUBLIC& area = object.publicArea;
  return (area.type == TPM2_ALG_ECC || area.type == TPM2_ALG_RSA) &&
         (area.objectAttributes & (kHas | kHasNot)) == kHas;
}

TPMT_SIG_SCHEME SignatureSchemeOf(KeyType type) {
  TPMT_SIG_SCHEME scheme = {};
  scheme.scheme = IsEc(type) ? TPM2_ALG_ECDSA : TPM2_ALG_RSASSA;
  scheme.details.any.hashAlg = HashOf(type);
  return scheme;
}

absl::StatusOr<std::string> EncodeSignature(KeyType type, const TPMT_SIGNATURE& signature) {
  const auto mismatch = [] {
    return Error(ErrorReason::kKeyMismatch, kTpmField,
                 "TPM2_Sign: the answer is no signature by a key of this type");
  };
  const std::size_t width = static_cast<std::size_t>(KeyBits(type)) / 8;
  if (signature.sigAlg != SignatureSchemeOf(type).scheme) return mismatch();
  if (!IsEc(type)) {
    const TPM2B_PUBLIC_KEY_RSA& rsa = signature.signature.rsassa.sig;
    if (rsa.size != width) return mismatch();
    return std::string(reinterpret_cast<const char*>(rsa.buffer), rsa.size);
  }
  const TPMS_SIGNATURE_ECDSA& ecdsa = signature.signature.ecdsa;
  if (ecdsa.signatureR.size > width || ecdsa.signatureS.size > width) return mismatch();
  BignumPtr r(BN_bin2bn(ecdsa.signatureR.buffer, ecdsa.signatureR.size, nullptr));
  BignumPtr s(BN_bin2bn(ecdsa.signatureS.buffer, ecdsa.signatureS.size, nullptr));
  const EcdsaSigPtr pair(ECDSA_SIG_new());
  if (r == nullptr || s == nullptr || pair == nullptr) {
    return Error(ErrorReason::kInternalError, kTpmField, DrainOpensslErrors());
  }
  ECDSA_SIG_set0(pair.get(), r.release(), s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return Error(ErrorReason::kInternalError, kTpmField, DrainOpensslErrors());
  std::string encoded(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return encoded;
}

}  // namespace hourglass::hsm
