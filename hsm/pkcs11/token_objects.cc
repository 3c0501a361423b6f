#include "hsm/pkcs11/token_objects.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key_type.h"
#include "hsm/pkcs11/return_code.h"

namespace hourglass::hsm {
namespace {

using ParamBldPtr = OpensslPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using ParamPtr = OpensslPtr<OSSL_PARAM, OSSL_PARAM_free>;

// CKA_EC_PARAMS: the curve's OBJECT IDENTIFIER, DER (RFC 5480 section 2.1.1.1).
constexpr absl::string_view kP256("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10);
constexpr absl::string_view kP384("\x06\x05\x2b\x81\x04\x00\x22", 7);

// Far more than any attribute of a key takes.
constexpr CK_ULONG kLargestAttribute = 65536;

CK_ATTRIBUTE Octets(CK_ATTRIBUTE_TYPE type, absl::string_view value) {
  // Templates are only read, though their type does not say so.
  return {type, const_cast<char*>(value.data()), value.size()};
}

template <typename T>
CK_ATTRIBUTE Value(CK_ATTRIBUTE_TYPE type, const T& value) {
  return {type, const_cast<T*>(&value), sizeof(value)};
}

// Nothing where the object has no such attribute, or does not show it.
absl::StatusOr<std::optional<std::string>> ReadAttribute(Session& session, CK_OBJECT_HANDLE object,
                                                         CK_ATTRIBUTE_TYPE type) {
  CK_ATTRIBUTE attribute = {type, nullptr, 0};
  std::string value;
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

absl::StatusOr<std::string> RequireAttribute(Session& session, CK_OBJECT_HANDLE object,
                                             CK_ATTRIBUTE_TYPE type, absl::string_view name) {
  ASSIGN_OR_RETURN(std::optional<std::string> value, ReadAttribute(session, object, type));
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
  ASSIGN_OR_RETURN(const std::string curve,
                   RequireAttribute(session, object, CKA_EC_PARAMS, "CKA_EC_PARAMS"));
  ASSIGN_OR_RETURN(const std::string wrapped,
                   RequireAttribute(session, object, CKA_EC_POINT, "CKA_EC_POINT"));
  if (curve != kP256 && curve != kP384) {
    return Error(ErrorReason::kKeyUnsupported, session.field, "the curve is not P-256 or P-384");
  }
  ASSIGN_OR_RETURN(const std::string point,
                   UnwrapPoint(session, wrapped, curve == kP256 ? 65 : 97));
  const ParamBldPtr builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                      curve == kP256 ? "P-256" : "P-384", 0) != 1 ||
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
  ASSIGN_OR_RETURN(const std::string modulus,
                   RequireAttribute(session, object, CKA_MODULUS, "CKA_MODULUS"));
  ASSIGN_OR_RETURN(const std::string exponent,
                   RequireAttribute(session, object, CKA_PUBLIC_EXPONENT, "CKA_PUBLIC_EXPONENT"));
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

absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> Search(Session& session,
                                                     std::vector<CK_ATTRIBUTE> wanted) {
  CK_RV code = session.api.C_FindObjectsInit(session.handle, wanted.data(), wanted.size());
  if (code != CKR_OK) return Pkcs11Error(session.field, "C_FindObjectsInit", code);
  std::vector<CK_OBJECT_HANDLE> found;
  for (;;) {
    CK_OBJECT_HANDLE batch[16];
    CK_ULONG count = 0;
    code = session.api.C_FindObjects(session.handle, batch, std::size(batch), &count);
    if (code != CKR_OK) return Pkcs11Error(session.field, "C_FindObjects", code);
    if (count == 0) break;
    found.insert(found.end(), batch, batch + count);
  }
  code = session.api.C_FindObjectsFinal(session.handle);
  if (code != CKR_OK) return Pkcs11Error(session.field, "C_FindObjectsFinal", code);
  return found;
}

absl::Status CheckLogin(Session& session) {
  CK_SESSION_INFO info;
  const CK_RV code = session.api.C_GetSessionInfo(session.handle, &info);
  if (code != CKR_OK) return Pkcs11Error(session.field, "C_GetSessionInfo", code);
  if (info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS) {
    return absl::OkStatus();
  }
  return Pkcs11Error(session.field, "C_GetSessionInfo", CKR_USER_NOT_LOGGED_IN);
}

}  // namespace

absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> FindObjects(Session& session, CK_OBJECT_CLASS kind,
                                                          const KeySelector& key) {
  std::vector<CK_ATTRIBUTE> wanted = {Value(CKA_CLASS, kind), Octets(CKA_LABEL, key.label)};
  if (!key.id.empty()) wanted.push_back(Octets(CKA_ID, key.id));
  ASSIGN_OR_RETURN(std::vector<CK_OBJECT_HANDLE> found, Search(session, std::move(wanted)));
  if (found.empty()) RETURN_IF_ERROR(CheckLogin(session));
  return found;
}

absl::StatusOr<CK_OBJECT_HANDLE> FindPrivateKey(Session& session, const KeySelector& key) {
  ASSIGN_OR_RETURN(const std::vector<CK_OBJECT_HANDLE> found,
                   FindObjects(session, CKO_PRIVATE_KEY, key));
  if (found.size() == 1) return found[0];
  if (found.empty()) {
    return Error(ErrorReason::kKeyNotFound, session.field,
                 absl::StrCat("holds no private key ", key.label));
  }
  return Error(
      ErrorReason::kKeyExists, session.field,
      absl::StrCat("holds ", found.size(), " private keys ", key.label, ": name one by its id"));
}

absl::StatusOr<std::string> ReadId(Session& session, CK_OBJECT_HANDLE object) {
  ASSIGN_OR_RETURN(const std::optional<std::string> id, ReadAttribute(session, object, CKA_ID));
  return id.value_or("");
}

absl::Status CheckFitness(Session& session, CK_OBJECT_HANDLE private_key) {
  constexpr char kTrue[] = {CK_TRUE};
  constexpr char kFalse[] = {CK_FALSE};
  struct Rule {
    CK_ATTRIBUTE_TYPE type;
    absl::string_view name;
    absl::string_view wanted;
    bool may_be_absent;
  };
  const Rule rules[] = {
      {CKA_SENSITIVE, "CKA_SENSITIVE", {kTrue, 1}, false},
      {CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE", {kTrue, 1}, false},
      {CKA_EXTRACTABLE, "CKA_EXTRACTABLE", {kFalse, 1}, false},
      {CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE", {kTrue, 1}, false},
      {CKA_LOCAL, "CKA_LOCAL", {kTrue, 1}, false},
      {CKA_SIGN, "CKA_SIGN", {kTrue, 1}, false},
      {CKA_ALWAYS_AUTHENTICATE, "CKA_ALWAYS_AUTHENTICATE", {kFalse, 1}, true},
  };
  for (const Rule& rule : rules) {
    ASSIGN_OR_RETURN(const std::optional<std::string> value,
                     ReadAttribute(session, private_key, rule.type));
    if (!value.has_value() && rule.may_be_absent) continue;
    if (!value.has_value() || *value != rule.wanted) {
      return Error(ErrorReason::kKeyUnfit, session.field,
                   absl::StrCat(rule.name, " must be ", rule.wanted[0] ? "true" : "false"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadPublicKey(Session& session, const KeySelector& key) {
  ASSIGN_OR_RETURN(const std::vector<CK_OBJECT_HANDLE> found,
                   FindObjects(session, CKO_PUBLIC_KEY, key));
  if (found.empty()) {
    return Error(ErrorReason::kKeyUnfit, session.field,
                 absl::StrCat("holds no public key beside ", key.label));
  }
  if (found.size() > 1) {
    return Error(ErrorReason::kKeyExists, session.field,
                 absl::StrCat("holds ", found.size(), " public keys beside ", key.label));
  }
  ASSIGN_OR_RETURN(const std::string type,
                   RequireAttribute(session, found[0], CKA_KEY_TYPE, "CKA_KEY_TYPE"));
  const auto is = [&](const CK_KEY_TYPE& wanted) {
    return type == absl::string_view(reinterpret_cast<const char*>(&wanted), sizeof(wanted));
  };
  if (is(CKK_EC)) return ReadEcKey(session, found[0]);
  if (is(CKK_RSA)) return ReadRsaKey(session, found[0]);
  return Error(ErrorReason::kKeyUnsupported, session.field, "neither an EC nor an RSA key");
}

absl::Status GenerateKeyPair(Session& session, KeyType type, const KeySelector& key) {
  constexpr CK_BBOOL kTrue = CK_TRUE;
  constexpr CK_BBOOL kFalse = CK_FALSE;
  constexpr absl::string_view kExponent("\x01\x00\x01", 3);
  const CK_ULONG bits = static_cast<CK_ULONG>(KeyBits(type));
  std::vector<CK_ATTRIBUTE> public_half = {
      Value(CKA_TOKEN, kTrue), Value(CKA_PRIVATE, kFalse),   Value(CKA_VERIFY, kTrue),
      Octets(CKA_ID, key.id),  Octets(CKA_LABEL, key.label),
  };
  if (IsEc(type)) {
    public_half.push_back(Octets(CKA_EC_PARAMS, type == KeyType::kEcP256 ? kP256 : kP384));
  } else {
    public_half.push_back(Value(CKA_MODULUS_BITS, bits));
    public_half.push_back(Octets(CKA_PUBLIC_EXPONENT, kExponent));
  }
  std::vector<CK_ATTRIBUTE> private_half = {
      Value(CKA_TOKEN, kTrue),        Value(CKA_PRIVATE, kTrue), Value(CKA_SENSITIVE, kTrue),
      Value(CKA_EXTRACTABLE, kFalse), Value(CKA_SIGN, kTrue),    Value(CKA_DECRYPT, kFalse),
      Value(CKA_UNWRAP, kFalse),      Value(CKA_DERIVE, kFalse), Octets(CKA_ID, key.id),
      Octets(CKA_LABEL, key.label),
  };
  CK_MECHANISM mechanism = {IsEc(type) ? CKM_EC_KEY_PAIR_GEN : CKM_RSA_PKCS_KEY_PAIR_GEN, nullptr,
                            0};
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE private_key = CK_INVALID_HANDLE;
  const CK_RV code = session.api.C_GenerateKeyPair(session.handle, &mechanism, public_half.data(),
                                                   public_half.size(), private_half.data(),
                                                   private_half.size(), &public_key, &private_key);
  if (code != CKR_OK) return Pkcs11Error(session.field, "C_GenerateKeyPair", code);
  return absl::OkStatus();
}

absl::Status DestroyObject(Session& session, CK_OBJECT_HANDLE object) {
  const CK_RV code = session.api.C_DestroyObject(session.handle, object);
  if (code != CKR_OK) return Pkcs11Error(session.field, "C_DestroyObject", code);
  return absl::OkStatus();
}

}  // namespace hourglass::hsm
