#include "hsm/tpm/sealing.h"

#include <openssl/crypto.h>
#include <tss2/tss2_mu.h>

#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/tpm/resident_key.h"
#include "hsm/tpm/response_code.h"
#include "hsm/tpm/storage_key.h"

namespace hourglass::hsm {
namespace {

// A TPM gives at most eight values at once.
absl::StatusOr<std::string> ReadRegister(const EsysConnection& connection, int number) {
  const TPML_PCR_SELECTION selection = PcrSelectionOf({number});
  TPML_DIGEST* values = nullptr;
  RETURN_IF_ERROR(connection.Run("TPM2_PCR_Read", [&](ESYS_CONTEXT* context) {
    return Esys_PCR_Read(context, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &selection, nullptr,
                         nullptr, &values);
  }));
  const EsysPtr<TPML_DIGEST> owned(values);
  if (values->count != 1 || values->digests[0].size != TPM2_SHA256_DIGEST_SIZE) {
    return Error(ErrorReason::kKeyUnavailable, kTpmField,
                 "the TPM has no SHA-256 bank of platform configuration registers");
  }
  return std::string(reinterpret_cast<const char*>(values->digests[0].buffer),
                     values->digests[0].size);
}

// Which registers are to blame, where the policy was refused.
absl::Status RegistersHoldSomethingElse(const EsysConnection& connection, const SealBlob& blob) {
  std::vector<int> changed;
  for (const SealedRegister& sealed : blob.registers) {
    ASSIGN_OR_RETURN(const std::string value, ReadRegister(connection, sealed.number));
    if (value != sealed.value) changed.push_back(sealed.number);
  }
  return Error(
      ErrorReason::kKeyUnfit, kTpmField,
      absl::StrCat("the platform configuration registers ", absl::StrJoin(changed, ","),
                   " hold something else than when this was sealed: hourglass keys reseal"));
}

// Whatever a TPM refuses in a blob, its integrity check or a field that it does not take, means
// that the blob is not the one that it gave.
absl::Status NotOurs(const absl::Status& status) {
  const std::optional<TSS2_RC> code = TpmCodeOf(status);
  if (!code.has_value() || (*code & TSS2_RC_LAYER_MASK) != TSS2_TPM_RC_LAYER ||
      ((*code & TPM2_RC_FMT1) == 0 && *code != TPM2_RC_SENSITIVE) || IsWrongPin(*code)) {
    return WithoutPin(status);
  }
  return Error(
      ErrorReason::kKeyUnfit, kTpmField,
      absl::StrCat("the sealed blob was changed, or is another TPM's (", TpmCodeName(*code), ")"));
}

absl::StatusOr<EsysTransient> LoadSealed(const EsysConnection& connection, const StorageKey& parent,
                                         const SealBlob& blob) {
  ASSIGN_OR_RETURN(const TPM2B_PUBLIC public_area, SealedObjectOf(blob));
  TPM2B_PRIVATE private_area = {};
  if (blob.private_area.size() > sizeof(private_area.buffer)) {
    return Error(ErrorReason::kKeyUnfit, kTpmField, "the sealed blob is too large");
  }
  private_area.size = static_cast<UINT16>(blob.private_area.size());
  std::memcpy(private_area.buffer, blob.private_area.data(), blob.private_area.size());
  ESYS_TR object = ESYS_TR_NONE;
  RETURN_IF_ERROR(NotOurs(connection.Run("TPM2_Load", [&](ESYS_CONTEXT* context) {
    return Esys_Load(context, parent.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                     &private_area, &public_area, &object);
  })));
  return EsysTransient(connection.get(), object);
}

absl::Status SatisfyPolicy(const EsysConnection& connection, ESYS_TR session,
                           const SealBlob& blob) {
  if (!blob.registers.empty()) {
    PcrSelection numbers;
    for (const SealedRegister& sealed : blob.registers) numbers.push_back(sealed.number);
    const TPML_PCR_SELECTION selection = PcrSelectionOf(numbers);
    const TPM2B_DIGEST as_they_are = {};
    RETURN_IF_ERROR(connection.Run("TPM2_PolicyPCR", [&](ESYS_CONTEXT* context) {
      return Esys_PolicyPCR(context, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                            &as_they_are, &selection);
    }));
  }
  if (blob.authorization == SealAuthorization::kNone) return absl::OkStatus();
  return connection.Run("TPM2_PolicyAuthValue", [&](ESYS_CONTEXT* context) {
    return Esys_PolicyAuthValue(context, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE);
  });
}

absl::Status SetAuthorization(const EsysConnection& connection, ESYS_TR object,
                              absl::string_view value) {
  ASSIGN_OR_RETURN(TPM2B_AUTH authorization, AuthorizationOf(value));
  const absl::Cleanup wipe = [&] { OPENSSL_cleanse(&authorization, sizeof(authorization)); };
  return connection.Run("Esys_TR_SetAuth", [&](ESYS_CONTEXT* context) {
    return Esys_TR_SetAuth(context, object, &authorization);
  });
}

absl::StatusOr<std::string> Marshalled(const TPMT_PUBLIC& area) {
  BYTE octets[sizeof(TPMT_PUBLIC)];
  std::size_t size = 0;
  if (Tss2_MU_TPMT_PUBLIC_Marshal(&area, octets, sizeof(octets), &size) != TSS2_RC_SUCCESS) {
    return Error(ErrorReason::kInternalError, kTpmField, "cannot marshal a public area");
  }
  return std::string(reinterpret_cast<const char*>(octets), size);
}

}  // namespace

absl::StatusOr<SealBlob> SealSecret(const EsysConnection& connection, absl::string_view secret,
                                    const PcrSelection& registers, SealAuthorization authorization,
                                    absl::string_view value) {
  TPM2B_SENSITIVE_CREATE sensitive = {};
  const absl::Cleanup wipe = [&] { OPENSSL_cleanse(&sensitive, sizeof(sensitive)); };
  ASSIGN_OR_RETURN(sensitive.sensitive.userAuth, AuthorizationOf(value));
  sensitive.sensitive.data.size = static_cast<UINT16>(secret.size());
  std::memcpy(sensitive.sensitive.data.buffer, secret.data(), secret.size());

  SealBlob blob;
  blob.authorization = authorization;
  for (const int number : registers) {
    ASSIGN_OR_RETURN(std::string held, ReadRegister(connection, number));
    blob.registers.push_back({number, std::move(held)});
  }
  ASSIGN_OR_RETURN(const std::string policy, PolicyDigestOf(blob));
  ASSIGN_OR_RETURN(const StorageKey parent, StorageKey::Find(connection));
  blob.storage_key_name = parent.name();
  ASSIGN_OR_RETURN(const EsysTransient session, parent.StartSession(connection, TPM2_SE_HMAC));
  const TPM2B_PUBLIC object = SealedObjectTemplate(authorization, policy);
  const TPM2B_DATA no_data = {};
  const TPML_PCR_SELECTION no_registers = {};
  TPM2B_PRIVATE* private_area = nullptr;
  TPM2B_PUBLIC* public_area = nullptr;
  RETURN_IF_ERROR(WithoutPin(connection.Run("TPM2_Create", [&](ESYS_CONTEXT* context) {
    return Esys_Create(context, parent.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                       &object, &no_data, &no_registers, &private_area, &public_area, nullptr,
                       nullptr, nullptr);
  })));
  const EsysPtr<TPM2B_PRIVATE> owned_private(private_area);
  const EsysPtr<TPM2B_PUBLIC> owned_public(public_area);
  ASSIGN_OR_RETURN(blob.public_area, Marshalled(public_area->publicArea));
  blob.private_area.assign(reinterpret_cast<const char*>(private_area->buffer), private_area->size);
  return blob;
}

absl::StatusOr<std::string> UnsealSecret(const EsysConnection& connection, const SealBlob& blob,
                                         absl::string_view value) {
  ASSIGN_OR_RETURN(const StorageKey parent, StorageKey::Find(connection, blob.storage_key_name));
  ASSIGN_OR_RETURN(const EsysTransient object, LoadSealed(connection, parent, blob));
  RETURN_IF_ERROR(SetAuthorization(connection, object.get(), value));
  ASSIGN_OR_RETURN(const EsysTransient session, parent.StartSession(connection, TPM2_SE_POLICY));
  RETURN_IF_ERROR(SatisfyPolicy(connection, session.get(), blob));
  TPM2B_SENSITIVE_DATA* data = nullptr;
  const absl::Status status = connection.Run("TPM2_Unseal", [&](ESYS_CONTEXT* context) {
    return Esys_Unseal(context, object.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, &data);
  });
  if (IsPolicyRefusal(TpmCodeOf(status).value_or(0))) {
    return RegistersHoldSomethingElse(connection, blob);
  }
  RETURN_IF_ERROR(status);
  const EsysPtr<TPM2B_SENSITIVE_DATA> owned(data);
  std::string secret(reinterpret_cast<const char*>(data->buffer), data->size);
  OPENSSL_cleanse(data, sizeof(*data));
  return secret;
}

}  // namespace hourglass::hsm
