#include "hsm/pkcs11/object_reading.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/pkcs11/return_code.h"

namespace hourglass::hsm {
namespace {

using ParamBldPtr = OpensslPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using ParamPtr = OpensslPtr<OSSL_PARAM, OSSL_PARAM_free>;

// Far more than any attribute of a key takes.
constexpr CK_ULONG kLargestAttribute = 65536;

// Room for whatever a fit key has: the modulus of RSA-4096 takes 512 octets.
constexpr CK_ULONG kUsualRoom = 1024;

// Handles asked for at once.
constexpr size_t kMostAtOnce = 1024;

absl::StatusOr<std::string> Require(const Session& session, std::optional<std::string> value,
                                    absl::string_view name) {
  if (value.has_value()) return *std::move(value);
  return Error(ErrorReason::kKeyUnsupported, session.field,
               absl::StrCat("the public key has no ", name));
}

// The point of CKA_EC_POINT: an OCTET STRING, DER, but some tokens leave the wrapping out.
absl::StatusOr<std::string> UnwrapPoint(const Session& session, absl::string_view value,
                                        size_t size) {
  if (value.size() == size + 2 && value[0] == '\x04' &&
      static_cast<unsigned char>(value[1]) == size) {
    value.remove_prefix(2);
  }
  if (value.size() == size && value[0] == '\x04') return std::string(value);
  return Error(ErrorReason::kKeyInvalid, session.field, "CKA_EC_POINT is no uncompressed point");
}

absl::StatusOr<std::string> BuildPublicKey(const Session& session, const char* algorithm,
                                           OSSL_PARAM_BLD* builder) {
  const ParamPtr parameters(OSSL_PARAM_BLD_to_param(builder));
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
  EVP_PKEY* raw = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return Error(ErrorReason::kKeyInvalid, session.field, DrainOpensslErrors());
  }
  const EvpPkeyPtr key(raw);
  ASSIGN_OR_RETURN(std::string spki, EncodePublicKey(*key));
  RETURN_IF_ERROR(ParsePublicKey(spki).status());
  return spki;
}

absl::StatusOr<std::string> ReadEcKey(Session& session, CK_OBJECT_HANDLE object) {
  ASSIGN_OR_RETURN(auto values, ReadAttributes(session, object, {CKA_EC_PARAMS, CKA_EC_POINT}));
  ASSIGN_OR_RETURN(const std::string curve,
                   Require(session, std::move(values[0]), "CKA_EC_PARAMS"));
  ASSIGN_OR_RETURN(const std::string wrapped,
                   Require(session, std::move(values[1]), "CKA_EC_POINT"));
  if (curve != kP256Curve && curve != kP384Curve) {
    return Error(ErrorReason::kKeyUnsupported, session.field, "the curve is not P-256 or P-384");
  }
  ASSIGN_OR_RETURN(const std::string point,
                   UnwrapPoint(session, wrapped, curve == kP256Curve ? 65 : 97));
  const ParamBldPtr builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                      curve == kP256Curve ? "P-256" : "P-384", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return Error(ErrorReason::kInternalError, session.field, DrainOpensslErrors());
  }
  return BuildPublicKey(session, "EC", builder.get());
}

BignumPtr Number(absl::string_view big_endian) {
  return BignumPtr(BN_bin2bn(reinterpret_cast<const unsigned char*>(big_endian.data()),
                             static_cast<int>(big_endian.size()), nullptr));
}

absl::StatusOr<std::string> ReadRsaKey(Session& session, CK_OBJECT_HANDLE object) {
  ASSIGN_OR_RETURN(auto values,
                   ReadAttributes(session, object, {CKA_MODULUS, CKA_PUBLIC_EXPONENT}));
  ASSIGN_OR_RETURN(const std::string modulus,
                   Require(session, std::move(values[0]), "CKA_MODULUS"));
  ASSIGN_OR_RETURN(const std::string exponent,
                   Require(session, std::move(values[1]), "CKA_PUBLIC_EXPONENT"));
  const BignumPtr n = Number(modulus);
  const BignumPtr e = Number(exponent);
  const ParamBldPtr builder(OSSL_PARAM_BLD_new());
  if (n == nullptr || e == nullptr || builder == nullptr ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return Error(ErrorReason::kInternalError, session.field, DrainOpensslErrors());
  }
  return BuildPublicKey(session, "RSA", builder.get());
}

}  // namespace

absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> SearchObjects(Session& session,
                                                            std::vector<CK_ATTRIBUTE> wanted,
                                                            size_t most) {
  CK_RV code = session.api.C_FindObjectsInit(session.handle, wanted.data(), wanted.size());
  if (code != CKR_OK) return Pkcs11Error(session.field, "C_FindObjectsInit", code);
  std::vector<CK_OBJECT_HANDLE> found;
  std::vector<CK_OBJECT_HANDLE> batch(std::min(most, kMostAtOnce));
  while (found.size() < most) {
    CK_ULONG count = 0;
    code = session.api.C_FindObjects(session.handle, batch.data(), batch.size(), &count);
    if (code != CKR_OK) return Pkcs11Error(session.field, "C_FindObjects", code);
    if (count == 0) break;
    if (count > batch.size() || found.size() + count >= kMostObjects) {
      return Error(ErrorReason::kKeyUnavailable, session.field, "finds impossibly many objects");
    }
    found.insert(found.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(count));
  }
  code = session.api.C_FindObjectsFinal(session.handle);
  if (code != CKR_OK) return Pkcs11Error(session.field, "C_FindObjectsFinal", code);
  return found;
}

absl::StatusOr<std::optional<std::string>> ReadAttribute(Session& session, CK_OBJECT_HANDLE object,
                                                         CK_ATTRIBUTE_TYPE type) {
  CK_ATTRIBUTE attribute = {type, nullptr, 0};
  std::string value;
  // First how long it is.
  for (int call = 0; call < 2; ++call) {
    const CK_RV code = session.api.C_GetAttributeValue(session.handle, object, &attribute, 1);
    if (code == CKR_ATTRIBUTE_TYPE_INVALID || code == CKR_ATTRIBUTE_SENSITIVE ||
        attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION) {
      return std::optional<std::string>();
    }
    if (code != CKR_OK) return Pkcs11Error(session.field, "C_GetAttributeValue", code);
    if (attribute.ulValueLen > kLargestAttribute) {
      return Error(ErrorReason::kKeyUnavailable, session.field, "an attribute is impossibly large");
    }
    value.resize(attribute.ulValueLen);
    attribute.pValue = value.data();
  }
  return std::optional<std::string>(std::move(value));
}

// Some modules stop at the first attribute that they do not have. Then what they left as it was, or
// said nothing of, is asked for by itself.
absl::StatusOr<std::vector<std::optional<std::string>>> ReadAttributes(
    Session& session, CK_OBJECT_HANDLE object, absl::Span<const CK_ATTRIBUTE_TYPE> types) {
  std::vector<std::string> octets(types.size(), std::string(kUsualRoom, '\0'));
  std::vector<CK_ATTRIBUTE> attributes;
  for (size_t i = 0; i < types.size(); ++i) {
    attributes.push_back({types[i], octets[i].data(), kUsualRoom});
  }
  const CK_RV code =
      session.api.C_GetAttributeValue(session.handle, object, attributes.data(), attributes.size());
  if (code != CKR_OK && code != CKR_ATTRIBUTE_TYPE_INVALID && code != CKR_ATTRIBUTE_SENSITIVE &&
      code != CKR_BUFFER_TOO_SMALL) {
    return Pkcs11Error(session.field, "C_GetAttributeValue", code);
  }
  std::vector<std::optional<std::string>> values(types.size());
  for (size_t i = 0; i < types.size(); ++i) {
    if (attributes[i].ulValueLen < kUsualRoom) {
      octets[i].resize(attributes[i].ulValueLen);
      values[i] = std::move(octets[i]);
    } else {
      ASSIGN_OR_RETURN(values[i], ReadAttribute(session, object, types[i]));
    }
  }
  return values;
}

absl::StatusOr<std::string> ReadPublicKeyObject(Session& session, CK_OBJECT_HANDLE object) {
  ASSIGN_OR_RETURN(auto values, ReadAttributes(session, object, {CKA_KEY_TYPE}));
  ASSIGN_OR_RETURN(const std::string type, Require(session, std::move(values[0]), "CKA_KEY_TYPE"));
  const auto is = [&](const CK_KEY_TYPE& wanted) {
    return type == absl::string_view(reinterpret_cast<const char*>(&wanted), sizeof(wanted));
  };
  if (is(CKK_EC)) return ReadEcKey(session, object);
  if (is(CKK_RSA)) return ReadRsaKey(session, object);
  return Error(ErrorReason::kKeyUnsupported, session.field, "neither an EC nor an RSA key");
}

}  // namespace hourglass::hsm
