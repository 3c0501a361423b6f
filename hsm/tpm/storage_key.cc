#include "hsm/tpm/storage_key.h"

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/tpm/key_description.h"
#include "hsm/tpm/response_code.h"

namespace hourglass::hsm {
namespace {

absl::StatusOr<std::string> NameOf(const EsysConnection& connection, ESYS_TR object) {
  TPM2B_NAME* name = nullptr;
  RETURN_IF_ERROR(connection.Run("Esys_TR_GetName", [&](ESYS_CONTEXT* context) {
    return Esys_TR_GetName(context, object, &name);
  }));
  const EsysPtr<TPM2B_NAME> owned(name);
  return std::string(reinterpret_cast<const char*>(name->name), name->size);
}

absl::StatusOr<bool> IsStorageKeyAt(const EsysConnection& connection, ESYS_TR object) {
  TPM2B_PUBLIC* area = nullptr;
  RETURN_IF_ERROR(connection.Run("TPM2_ReadPublic", [&](ESYS_CONTEXT* context) {
    return Esys_ReadPublic(context, object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area,
                           nullptr, nullptr);
  }));
  const EsysPtr<TPM2B_PUBLIC> owned(area);
  return IsStorageKey(*area);
}

absl::StatusOr<EsysTransient> MakePrimary(const EsysConnection& connection) {
  const TPM2B_PUBLIC key = StorageKeyTemplate();
  const TPM2B_SENSITIVE_CREATE no_authorization = {};
  const TPM2B_DATA no_data = {};
  const TPML_PCR_SELECTION no_registers = {};
  ESYS_TR object = ESYS_TR_NONE;
  RETURN_IF_ERROR(WithoutPin(connection.Run("TPM2_CreatePrimary", [&](ESYS_CONTEXT* context) {
    return Esys_CreatePrimary(context, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                              ESYS_TR_NONE, &no_authorization, &key, &no_data, &no_registers,
                              &object, nullptr, nullptr, nullptr, nullptr);
  })));
  return EsysTransient(connection.get(), object);
}

}  // namespace

absl::Status WithoutPin(const absl::Status& status) {
  const std::optional<TSS2_RC> code = TpmCodeOf(status);
  if (!code.has_value() || !IsWrongPin(*code)) return status;
  return Error(ErrorReason::kKeyUnavailable, kTpmField,
               "the TPM's owner hierarchy or its storage root key has a password: take it away, or "
               "make keys with tpm2-tools");
}

absl::StatusOr<StorageKey> StorageKey::Find(const EsysConnection& connection,
                                            absl::string_view name) {
  StorageKey key;
  ESYS_TR persistent = ESYS_TR_NONE;
  const absl::Status found = connection.Run("TPM2_ReadPublic", [&](ESYS_CONTEXT* context) {
    return Esys_TR_FromTPMPublic(context, kStorageRootKey, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                 &persistent);
  });
  if (found.ok()) {
    key.persistent_ = EsysPersistent(connection.get(), persistent);
    ASSIGN_OR_RETURN(const bool usable, IsStorageKeyAt(connection, persistent));
    ASSIGN_OR_RETURN(key.name_, NameOf(connection, persistent));
    if (usable && (name.empty() || key.name_ == name)) return key;
  } else if (!IsMissingHandle(TpmCodeOf(found).value_or(0))) {
    return found;
  }
  ASSIGN_OR_RETURN(key.primary_, MakePrimary(connection));
  ASSIGN_OR_RETURN(key.name_, NameOf(connection, key.get()));
  if (name.empty() || key.name_ == name) return key;
  return Error(ErrorReason::kKeyUnfit, kTpmField,
               "was sealed by another TPM, or before this one was cleared, or was changed");
}

absl::StatusOr<EsysTransient> StorageKey::StartSession(const EsysConnection& connection,
                                                       TPM2_SE kind) const {
  TPMT_SYM_DEF cipher = {};
  cipher.algorithm = TPM2_ALG_AES;
  cipher.keyBits.aes = 128;
  cipher.mode.aes = TPM2_ALG_CFB;
  ESYS_TR session = ESYS_TR_NONE;
  RETURN_IF_ERROR(connection.Run("TPM2_StartAuthSession", [&](ESYS_CONTEXT* context) {
    return Esys_StartAuthSession(context, get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                 ESYS_TR_NONE, nullptr, kind, &cipher, TPM2_ALG_SHA256, &session);
  }));
  EsysTransient handle(connection.get(), session);
  constexpr TPMA_SESSION kAttributes =
      TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;
  RETURN_IF_ERROR(connection.Run("Esys_TRSess_SetAttributes", [&](ESYS_CONTEXT* context) {
    return Esys_TRSess_SetAttributes(context, session, kAttributes, 0xff);
  }));
  return handle;
}

}  // namespace hourglass::hsm
