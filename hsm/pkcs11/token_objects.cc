#include "hsm/pkcs11/token_objects.h"

#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/pkcs11/object_reading.h"
#include "hsm/pkcs11/return_code.h"

namespace hourglass::hsm {
namespace {

CK_ATTRIBUTE Octets(CK_ATTRIBUTE_TYPE type, absl::string_view value) {
  // Templates are only read, though their type does not say so.
  return {type, const_cast<char*>(value.data()), value.size()};
}

template <typename T>
CK_ATTRIBUTE Value(CK_ATTRIBUTE_TYPE type, const T& value) {
  return {type, const_cast<T*>(&value), sizeof(value)};
}

// That the login stands, and the token with it: SoftHSM keeps sessions whose token has gone.
absl::Status CheckLogin(Session& session) {
  CK_SESSION_INFO info;
  CK_RV code = session.api.C_GetSessionInfo(session.handle, &info);
  if (code != CKR_OK) return Pkcs11Error(session.field, "C_GetSessionInfo", code);
  if (info.state != CKS_RO_USER_FUNCTIONS && info.state != CKS_RW_USER_FUNCTIONS) {
    return Pkcs11Error(session.field, "C_GetSessionInfo", CKR_USER_NOT_LOGGED_IN);
  }
  CK_TOKEN_INFO token;
  code = session.api.C_GetTokenInfo(info.slotID, &token);
  if (code != CKR_OK) return Pkcs11Error(session.field, "C_GetTokenInfo", code);
  return absl::OkStatus();
}

// Finding nothing is only believed while the login stands.
absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> FindOrDoubt(Session& session,
                                                          std::vector<CK_ATTRIBUTE> wanted,
                                                          size_t most = kMostObjects) {
  ASSIGN_OR_RETURN(std::vector<CK_OBJECT_HANDLE> found,
                   SearchObjects(session, std::move(wanted), most));
  if (found.empty()) RETURN_IF_ERROR(CheckLogin(session));
  return found;
}

}  // namespace

absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> FindObjects(Session& session, CK_OBJECT_CLASS kind,
                                                          const KeySelector& key) {
  std::vector<CK_ATTRIBUTE> wanted = {Value(CKA_CLASS, kind), Octets(CKA_LABEL, key.label)};
  if (!key.id.empty()) wanted.push_back(Octets(CKA_ID, key.id));
  return FindOrDoubt(session, std::move(wanted));
}

absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> FindAll(Session& session, CK_OBJECT_CLASS kind) {
  return FindOrDoubt(session, {Value(CKA_CLASS, kind)});
}

absl::StatusOr<bool> HoldsPrivateKeys(Session& session) {
  const CK_OBJECT_CLASS kind = CKO_PRIVATE_KEY;
  ASSIGN_OR_RETURN(const auto first, FindOrDoubt(session, {Value(CKA_CLASS, kind)}, 1));
  return !first.empty();
}

absl::StatusOr<bool> HoldsPrivateKeyOfId(Session& session, absl::string_view id) {
  const CK_OBJECT_CLASS kind = CKO_PRIVATE_KEY;
  ASSIGN_OR_RETURN(const auto found,
                   FindOrDoubt(session, {Value(CKA_CLASS, kind), Octets(CKA_ID, id)}, 1));
  return !found.empty();
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

absl::StatusOr<KeySelector> ReadSelector(Session& session, CK_OBJECT_HANDLE object) {
  ASSIGN_OR_RETURN(const auto name, ReadAttributes(session, object, {CKA_LABEL, CKA_ID}));
  return KeySelector{name[0].value_or(""), name[1].value_or("")};
}

absl::StatusOr<PrivateKeyReading> ReadPrivateKey(Session& session, CK_OBJECT_HANDLE private_key) {
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
  std::vector<CK_ATTRIBUTE_TYPE> types = {CKA_LABEL, CKA_ID};
  for (const Rule& rule : rules) types.push_back(rule.type);
  ASSIGN_OR_RETURN(const auto values, ReadAttributes(session, private_key, types));
  PrivateKeyReading reading{{values[0].value_or(""), values[1].value_or("")}, absl::OkStatus()};
  for (size_t i = 0; i < std::size(rules); ++i) {
    const std::optional<std::string>& value = values[2 + i];
    if (!value.has_value() && rules[i].may_be_absent) continue;
    if (value.has_value() && *value == rules[i].wanted) continue;
    reading.fitness =
        Error(ErrorReason::kKeyUnfit, session.field,
              absl::StrCat(rules[i].name, " must be ", rules[i].wanted[0] ? "true" : "false"));
    break;
  }
  return reading;
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
  return ReadPublicKeyObject(session, found[0]);
}

absl::StatusOr<NewPair> GenerateKeyPair(Session& session, KeyType type, const KeySelector& key) {
  constexpr CK_BBOOL kTrue = CK_TRUE;
  constexpr CK_BBOOL kFalse = CK_FALSE;
  constexpr absl::string_view kExponent("\x01\x00\x01", 3);
  const CK_ULONG bits = static_cast<CK_ULONG>(KeyBits(type));
  std::vector<CK_ATTRIBUTE> public_half = {
      Value(CKA_TOKEN, kTrue),
      Value(CKA_PRIVATE, kFalse),
      Octets(CKA_ID, key.id),
      Octets(CKA_LABEL, key.label),
  };
  if (IsEc(type)) {
    public_half.push_back(
        Octets(CKA_EC_PARAMS, type == KeyType::kEcP256 ? kP256Curve : kP384Curve));
  } else {
    public_half.push_back(Value(CKA_MODULUS_BITS, bits));
    public_half.push_back(Octets(CKA_PUBLIC_EXPONENT, kExponent));
  }
  std::vector<CK_ATTRIBUTE> private_half = {
      Value(CKA_TOKEN, kTrue),        Value(CKA_PRIVATE, kTrue), Value(CKA_SENSITIVE, kTrue),
      Value(CKA_EXTRACTABLE, kFalse), Value(CKA_SIGN, kTrue),    Value(CKA_UNWRAP, kFalse),
      Value(CKA_DERIVE, kFalse),      Octets(CKA_ID, key.id),    Octets(CKA_LABEL, key.label),
  };
  if (!session.module_chooses_uses) {
    public_half.push_back(Value(CKA_VERIFY, kTrue));
    private_half.push_back(Value(CKA_DECRYPT, kFalse));
  }
  CK_MECHANISM mechanism = {IsEc(type) ? CKM_EC_KEY_PAIR_GEN : CKM_RSA_PKCS_KEY_PAIR_GEN, nullptr,
                            0};
  NewPair made;
  const CK_RV code = session.api.C_GenerateKeyPair(
      session.handle, &mechanism, public_half.data(), public_half.size(), private_half.data(),
      private_half.size(), &made.public_key, &made.private_key);
  if (code != CKR_OK) return Pkcs11Error(session.field, "C_GenerateKeyPair", code);
  return made;
}

absl::Status DestroyObject(Session& session, CK_OBJECT_HANDLE object) {
  const CK_RV code = session.api.C_DestroyObject(session.handle, object);
  if (code != CKR_OK) return Pkcs11Error(session.field, "C_DestroyObject", code);
  return absl::OkStatus();
}

}  // namespace hourglass::hsm
