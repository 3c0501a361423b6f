#include "hsm/pkcs11/token_inventory.h"

#include <p11-kit/pkcs11.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/key/pin.h"
#include "hsm/pkcs11/module.h"
#include "hsm/pkcs11/return_code.h"

namespace hourglass::hsm {
namespace {

// Fields are padded with spaces, and by some modules with NUL (PKCS #11 v2.40 section 3.2).
template <size_t kSize>
std::string Unpadded(const unsigned char (&field)[kSize]) {
  std::string text(reinterpret_cast<const char*>(field), kSize);
  text.erase(text.find_last_not_of(std::string(" \0", 2)) + 1);
  return text;
}

std::string VersionText(const CK_VERSION& version) {
  return absl::StrCat(version.major, ".", version.minor);
}

struct NamedFlag {
  CK_FLAGS flag;
  const char* name;
};

constexpr NamedFlag kWarnings[] = {
    {CKF_WRITE_PROTECTED, "CKF_WRITE_PROTECTED"},
    {CKF_USER_PIN_COUNT_LOW, "CKF_USER_PIN_COUNT_LOW"},
    {CKF_USER_PIN_FINAL_TRY, "CKF_USER_PIN_FINAL_TRY"},
    {CKF_USER_PIN_LOCKED, "CKF_USER_PIN_LOCKED"},
    {CKF_USER_PIN_TO_BE_CHANGED, "CKF_USER_PIN_TO_BE_CHANGED"},
    {CKF_PROTECTED_AUTHENTICATION_PATH, "CKF_PROTECTED_AUTHENTICATION_PATH"},
};

struct NamedMechanism {
  CK_MECHANISM_TYPE type;
  const char* name;
};

constexpr NamedMechanism kMechanisms[] = {
    {CKM_EC_KEY_PAIR_GEN, "CKM_EC_KEY_PAIR_GEN"},
    {CKM_ECDSA, "CKM_ECDSA"},
    {CKM_RSA_PKCS_KEY_PAIR_GEN, "CKM_RSA_PKCS_KEY_PAIR_GEN"},
    {CKM_RSA_PKCS, "CKM_RSA_PKCS"},
};

std::vector<MechanismFacts> ReadMechanisms(const CK_FUNCTION_LIST& api, CK_SLOT_ID slot) {
  std::vector<MechanismFacts> mechanisms;
  for (const NamedMechanism& mechanism : kMechanisms) {
    CK_MECHANISM_INFO info = {};
    if (api.C_GetMechanismInfo(slot, mechanism.type, &info) != CKR_OK) continue;
    mechanisms.push_back({mechanism.name, info.ulMinKeySize, info.ulMaxKeySize});
  }
  return mechanisms;
}

bool Allows(const std::vector<MechanismFacts>& mechanisms, absl::string_view name, int bits) {
  for (const MechanismFacts& mechanism : mechanisms) {
    if (mechanism.name != name) continue;
    const auto size = static_cast<std::uint64_t>(bits);
    // No RSA or EC key of ours has so few bits: these are octets.
    const std::uint64_t unit = mechanism.max_size != 0 && mechanism.max_size < 200 ? 8 : 1;
    return mechanism.max_size == 0 ||
           (mechanism.min_size * unit <= size && size <= mechanism.max_size * unit);
  }
  return false;
}

std::vector<KeyType> TypesMade(const std::vector<MechanismFacts>& mechanisms) {
  std::vector<KeyType> types;
  for (const KeyType type : kAllKeyTypes) {
    const bool ec = IsEc(type);
    if (Allows(mechanisms, ec ? "CKM_EC_KEY_PAIR_GEN" : "CKM_RSA_PKCS_KEY_PAIR_GEN",
               KeyBits(type)) &&
        Allows(mechanisms, ec ? "CKM_ECDSA" : "CKM_RSA_PKCS", KeyBits(type))) {
      types.push_back(type);
    }
  }
  return types;
}

std::optional<TokenFacts> ReadToken(const CK_FUNCTION_LIST& api, CK_SLOT_ID slot) {
  CK_TOKEN_INFO info = {};
  if (api.C_GetTokenInfo(slot, &info) != CKR_OK) return std::nullopt;
  TokenFacts token;
  token.initialized = (info.flags & CKF_TOKEN_INITIALIZED) != 0;
  token.label = Unpadded(info.label);
  token.serial = Unpadded(info.serialNumber);
  token.manufacturer = Unpadded(info.manufacturerID);
  token.model = Unpadded(info.model);
  token.shortest_pin = info.ulMinPinLen;
  token.longest_pin = info.ulMaxPinLen;
  for (const NamedFlag& warning : kWarnings) {
    if ((info.flags & warning.flag) != 0) token.warnings.push_back(warning.name);
  }
  // Said by the absence of a flag, which has no name of its own.
  if (token.initialized && (info.flags & CKF_USER_PIN_INITIALIZED) == 0) {
    token.warnings.push_back("not CKF_USER_PIN_INITIALIZED");
  }
  token.mechanisms = ReadMechanisms(api, slot);
  token.makes = TypesMade(token.mechanisms);
  return token;
}

absl::StatusOr<std::vector<CK_SLOT_ID>> ReadSlots(const CK_FUNCTION_LIST& api) {
  CK_ULONG count = 0;
  CK_RV code = api.C_GetSlotList(CK_FALSE, nullptr, &count);
  std::vector<CK_SLOT_ID> slots(code == CKR_OK ? count : 0);
  if (code == CKR_OK && count > 0) code = api.C_GetSlotList(CK_FALSE, slots.data(), &count);
  if (code != CKR_OK) return Pkcs11Error("", "C_GetSlotList", code);
  slots.resize(count);
  return slots;
}

constexpr struct {
  CK_ATTRIBUTE_TYPE type;
  const char* name;
} kAttributes[] = {
    {CKA_SENSITIVE, "CKA_SENSITIVE"},
    {CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE"},
    {CKA_EXTRACTABLE, "CKA_EXTRACTABLE"},
    {CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE"},
    {CKA_LOCAL, "CKA_LOCAL"},
    {CKA_SIGN, "CKA_SIGN"},
    {CKA_ALWAYS_AUTHENTICATE, "CKA_ALWAYS_AUTHENTICATE"},
};

// Octets of an attribute; empty where there are none. No name or id is longer.
std::string ReadOctets(const CK_FUNCTION_LIST& api, CK_SESSION_HANDLE session,
                       CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  std::string octets(1024, '\0');
  CK_ATTRIBUTE attribute = {type, octets.data(), octets.size()};
  const bool read = api.C_GetAttributeValue(session, object, &attribute, 1) == CKR_OK &&
                    attribute.ulValueLen <= octets.size();
  octets.resize(read ? attribute.ulValueLen : 0);
  return octets;
}

PrivateKeyFacts ReadPrivateKey(const CK_FUNCTION_LIST& api, CK_SESSION_HANDLE session,
                               CK_OBJECT_HANDLE object) {
  PrivateKeyFacts key;
  key.label = ReadOctets(api, session, object, CKA_LABEL);
  key.id = ReadOctets(api, session, object, CKA_ID);
  for (const auto& [type, name] : kAttributes) {
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE attribute = {type, &value, sizeof(value)};
    const bool read = api.C_GetAttributeValue(session, object, &attribute, 1) == CKR_OK &&
                      attribute.ulValueLen == sizeof(value);
    key.attributes.emplace_back(name, read ? std::optional<bool>(value != CK_FALSE) : std::nullopt);
  }
  return key;
}

absl::StatusOr<std::vector<PrivateKeyFacts>> FindPrivateKeys(const CK_FUNCTION_LIST& api,
                                                             const std::string& field,
                                                             CK_SESSION_HANDLE session) {
  CK_OBJECT_CLASS kind = CKO_PRIVATE_KEY;
  CK_ATTRIBUTE wanted = {CKA_CLASS, &kind, sizeof(kind)};
  CK_RV code = api.C_FindObjectsInit(session, &wanted, 1);
  if (code != CKR_OK) return Pkcs11Error(field, "C_FindObjectsInit", code);
  std::vector<CK_OBJECT_HANDLE> objects;
  CK_OBJECT_HANDLE batch[64];
  CK_ULONG found = 0;
  do {
    code = api.C_FindObjects(session, batch, std::size(batch), &found);
    if (code != CKR_OK) return Pkcs11Error(field, "C_FindObjects", code);
    if (found > std::size(batch)) break;
    objects.insert(objects.end(), batch, batch + found);
  } while (found > 0);
  api.C_FindObjectsFinal(session);
  std::vector<PrivateKeyFacts> keys;
  for (const CK_OBJECT_HANDLE object : objects) {
    keys.push_back(ReadPrivateKey(api, session, object));
  }
  return keys;
}

absl::StatusOr<Module*> Load(const std::string& module_path) {
  TokenUri any;
  any.module_path = module_path;
  absl::StatusOr<Module*> module = Module::Load(any);
  if (module.ok()) return module;
  absl::string_view message = module.status().message();
  absl::ConsumePrefix(&message, absl::StrCat(FieldOf(module.status()), ": "));
  return Error(ErrorReason::kKeyUnavailable, "module-path", message);
}

}  // namespace

absl::StatusOr<ModuleFacts> ReadModuleFacts(const std::string& module_path) {
  ASSIGN_OR_RETURN(Module* const module, Load(module_path));
  const CK_FUNCTION_LIST& api = module->api();
  CK_INFO info = {};
  if (const CK_RV code = api.C_GetInfo(&info); code != CKR_OK) {
    return Pkcs11Error("module-path", "C_GetInfo", code);
  }
  ModuleFacts facts;
  facts.library = Unpadded(info.libraryDescription);
  facts.manufacturer = Unpadded(info.manufacturerID);
  facts.version = VersionText(info.libraryVersion);
  facts.cryptoki_version = VersionText(info.cryptokiVersion);
  ASSIGN_OR_RETURN(const std::vector<CK_SLOT_ID> slots, ReadSlots(api));
  for (const CK_SLOT_ID slot : slots) {
    SlotFacts& shown = facts.slots.emplace_back();
    shown.id = slot;
    CK_SLOT_INFO slot_info = {};
    if (api.C_GetSlotInfo(slot, &slot_info) == CKR_OK) {
      shown.description = Unpadded(slot_info.slotDescription);
    }
    shown.token = ReadToken(api, slot);
  }
  return facts;
}

absl::StatusOr<std::vector<PrivateKeyFacts>> ReadPrivateKeys(const TokenUri& token) {
  const std::string field = FormatToken(token);
  ASSIGN_OR_RETURN(Module* const module, Load(token.module_path));
  ASSIGN_OR_RETURN(const CK_SLOT_ID slot, module->FindSlot(token));
  ASSIGN_OR_RETURN(const CK_SESSION_HANDLE session, module->OpenSession(token, slot, false));
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<Pin> pin, Pin::Read(token.pin_source));
    const absl::string_view octets = pin->value();
    const CK_RV code = module->api().C_Login(
        session, CKU_USER, reinterpret_cast<CK_UTF8CHAR_PTR>(const_cast<char*>(octets.data())),
        octets.size());
    if (code != CKR_OK) return Pkcs11Error(field, "C_Login", code);
  }
  absl::StatusOr<std::vector<PrivateKeyFacts>> keys =
      FindPrivateKeys(module->api(), field, session);
  module->CloseSession(session);
  return keys;
}

}  // namespace hourglass::hsm
