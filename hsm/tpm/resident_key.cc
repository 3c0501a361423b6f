#include "hsm/tpm/resident_key.h"

#include <openssl/crypto.h>

#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/key/key_uri.h"
#include "hsm/tpm/key_description.h"
#include "hsm/tpm/response_code.h"
#include "hsm/tpm/storage_key.h"

namespace hourglass::hsm {
namespace {

constexpr std::size_t kLongestAuthorization = TPM2_SHA256_DIGEST_SIZE;

// Our templates are sound: what a TPM finds wrong in one is what it does not have.
absl::Status CannotMake(const absl::Status& status, KeyType type) {
  const TSS2_RC code = TpmCodeOf(status).value_or(0);
  if ((code & TPM2_RC_FMT1) == 0 || (code & TPM2_RC_P) == 0) return WithoutPin(status);
  return Error(ErrorReason::kKeyUnsupported, kTpmField,
               absl::StrCat("the TPM makes no keys of type ", KeyTypeName(type), " (",
                            TpmCodeName(code), ")"));
}

}  // namespace

std::optional<std::uint32_t> ResidentHandleOf(const KeySelector& selector) {
  std::uint32_t handle = 0;
  if (!selector.id.empty() || !absl::SimpleHexAtoi(selector.label, &handle) ||
      FormatHandle(handle) != selector.label || handle < kFirstResident || handle > kLastResident) {
    return std::nullopt;
  }
  return handle;
}

absl::StatusOr<ResidentKey> FindResidentKey(const EsysConnection& connection,
                                            std::uint32_t handle) {
  ESYS_TR known = ESYS_TR_NONE;
  const absl::Status found = connection.Run("TPM2_ReadPublic", [&](ESYS_CONTEXT* context) {
    return Esys_TR_FromTPMPublic(context, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &known);
  });
  if (IsMissingHandle(TpmCodeOf(found).value_or(0))) {
    return Error(ErrorReason::kKeyNotFound, kTpmField,
                 absl::StrCat("no key at ", FormatHandle(handle)));
  }
  RETURN_IF_ERROR(found);
  EsysPersistent object(connection.get(), known);
  TPM2B_PUBLIC* area = nullptr;
  RETURN_IF_ERROR(connection.Run("TPM2_ReadPublic", [&](ESYS_CONTEXT* context) {
    return Esys_ReadPublic(context, known, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area, nullptr,
                           nullptr);
  }));
  const EsysPtr<TPM2B_PUBLIC> owned(area);
  return ResidentKey{std::move(object),
                     DescribeObject({.label = FormatHandle(handle), .id = ""}, *area),
                     IsSomebodysSigningKey(*area)};
}

absl::StatusOr<std::vector<KeyListing>> ListResidentKeys(const EsysConnection& connection) {
  ASSIGN_OR_RETURN(const std::vector<std::uint32_t> handles,
                   connection.Handles(kFirstResident, kLastResident));
  std::vector<KeyListing> listings;
  for (const std::uint32_t handle : handles) {
    absl::StatusOr<ResidentKey> key = FindResidentKey(connection, handle);
    // It may have gone since.
    if (ReasonOf(key.status()) == ErrorReason::kKeyNotFound) continue;
    RETURN_IF_ERROR(key.status());
    listings.push_back(std::move(key->listing));
  }
  return listings;
}

absl::StatusOr<TPM2B_AUTH> AuthorizationOf(absl::string_view pin) {
  TPM2B_AUTH authorization = {};
  if (pin.size() > kLongestAuthorization) {
    return Error(ErrorReason::kKeyUnavailable, kTpmField,
                 "the PIN is longer than 32 octets, the most that a TPM takes");
  }
  authorization.size = static_cast<UINT16>(pin.size());
  std::memcpy(authorization.buffer, pin.data(), pin.size());
  return authorization;
}

absl::StatusOr<ResidentDraft> MakeResidentKey(const EsysConnection& connection, KeyType type,
                                              absl::string_view pin) {
  TPM2B_SENSITIVE_CREATE sensitive = {};
  const absl::Cleanup wipe = [&] { OPENSSL_cleanse(&sensitive, sizeof(sensitive)); };
  ASSIGN_OR_RETURN(sensitive.sensitive.userAuth, AuthorizationOf(pin));
  ASSIGN_OR_RETURN(const StorageKey parent, StorageKey::Find(connection));
  ASSIGN_OR_RETURN(const EsysTransient session, parent.StartSession(connection, TPM2_SE_HMAC));
  const TPM2B_PUBLIC key = SigningKeyTemplate(type, !pin.empty());
  const TPM2B_DATA no_data = {};
  const TPML_PCR_SELECTION no_registers = {};
  TPM2B_PRIVATE* private_area = nullptr;
  TPM2B_PUBLIC* public_area = nullptr;
  const absl::Status made = connection.Run("TPM2_Create", [&](ESYS_CONTEXT* context) {
    return Esys_Create(context, parent.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                       &key, &no_data, &no_registers, &private_area, &public_area, nullptr, nullptr,
                       nullptr);
  });
  if (!made.ok()) return CannotMake(made, type);
  return ResidentDraft{EsysPtr<TPM2B_PUBLIC>(public_area), EsysPtr<TPM2B_PRIVATE>(private_area)};
}

absl::Status PersistResidentKey(const EsysConnection& connection, const ResidentDraft& draft,
                                std::uint32_t handle) {
  ASSIGN_OR_RETURN(const StorageKey parent, StorageKey::Find(connection));
  ESYS_TR loaded = ESYS_TR_NONE;
  RETURN_IF_ERROR(WithoutPin(connection.Run("TPM2_Load", [&](ESYS_CONTEXT* context) {
    return Esys_Load(context, parent.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                     draft.private_area.get(), draft.public_area.get(), &loaded);
  })));
  const EsysTransient object(connection.get(), loaded);
  ESYS_TR persistent = ESYS_TR_NONE;
  const absl::Status status =
      WithoutPin(connection.Run("TPM2_EvictControl", [&](ESYS_CONTEXT* context) {
        return Esys_EvictControl(context, ESYS_TR_RH_OWNER, loaded, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                 ESYS_TR_NONE, handle, &persistent);
      }));
  const EsysPersistent owned(connection.get(), persistent);
  return status;
}

absl::Status EvictResidentKey(const EsysConnection& connection, EsysPersistent object,
                              std::uint32_t handle) {
  ESYS_TR none = ESYS_TR_NONE;
  RETURN_IF_ERROR(WithoutPin(connection.Run("TPM2_EvictControl", [&](ESYS_CONTEXT* context) {
    return Esys_EvictControl(context, ESYS_TR_RH_OWNER, object.get(), ESYS_TR_PASSWORD,
                             ESYS_TR_NONE, ESYS_TR_NONE, handle, &none);
  })));
  // ESAPI forgets it by itself.
  object.release();
  return absl::OkStatus();
}

absl::StatusOr<std::string> SignWithResidentKey(const EsysConnection& connection, ESYS_TR object,
                                                KeyType type, absl::string_view digest) {
  TPM2B_DIGEST octets = {};
  octets.size = static_cast<UINT16>(digest.size());
  std::memcpy(octets.buffer, digest.data(), digest.size());
  const TPMT_SIG_SCHEME scheme = SignatureSchemeOf(type);
  // A key that is not restricted signs what the TPM did not hash itself (part 3 section 20.2).
  TPMT_TK_HASHCHECK no_ticket = {};
  no_ticket.tag = TPM2_ST_HASHCHECK;
  no_ticket.hierarchy = TPM2_RH_NULL;
  TPMT_SIGNATURE* answer = nullptr;
  RETURN_IF_ERROR(connection.Run("TPM2_Sign", [&](ESYS_CONTEXT* context) {
    return Esys_Sign(context, object, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &octets,
                     &scheme, &no_ticket, &answer);
  }));
  const EsysPtr<TPMT_SIGNATURE> owned(answer);
  return EncodeSignature(type, *answer);
}

}  // namespace hourglass::hsm
