#include "hsm/tpm/esys_connection.h"

#include <tss2/tss2_tctildr.h>

#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/tpm/response_code.h"

namespace hourglass::hsm {
namespace {

// ESAPI itself repeats a command five times at once.
constexpr int kMostRepeats = 20;
constexpr std::chrono::milliseconds kPause(50);

}  // namespace

absl::StatusOr<std::unique_ptr<EsysConnection>> EsysConnection::Open(const std::string& tcti) {
  std::unique_ptr<EsysConnection> connection(new EsysConnection());
  TSS2_RC code = Tss2_TctiLdr_Initialize(tcti.c_str(), &connection->transport_);
  if (code != TSS2_RC_SUCCESS) {
    return TpmError(kTpmField, absl::StrCat("connecting to ", tcti), code);
  }
  code = Esys_Initialize(&connection->context_, connection->transport_, nullptr);
  if (code != TSS2_RC_SUCCESS) return TpmError(kTpmField, "Esys_Initialize", code);
  return connection;
}

EsysConnection::~EsysConnection() {
  if (context_ != nullptr) Esys_Finalize(&context_);
  if (transport_ != nullptr) Tss2_TctiLdr_Finalize(&transport_);
}

absl::Status EsysConnection::Run(absl::string_view function,
                                 absl::FunctionRef<TSS2_RC(ESYS_CONTEXT*)> command) const {
  TSS2_RC code = command(context_);
  for (int i = 0; i < kMostRepeats && TpmRemedyOf(code) == TpmRemedy::kRepeat; ++i) {
    std::this_thread::sleep_for(kPause);
    code = command(context_);
  }
  return code == TSS2_RC_SUCCESS ? absl::OkStatus() : TpmError(kTpmField, function, code);
}

absl::StatusOr<std::vector<std::uint32_t>> EsysConnection::Handles(std::uint32_t first,
                                                                   std::uint32_t last) const {
  std::vector<std::uint32_t> handles;
  for (TPMI_YES_NO more = TPM2_YES; more == TPM2_YES;) {
    TPMS_CAPABILITY_DATA* answer = nullptr;
    RETURN_IF_ERROR(Run("TPM2_GetCapability", [&](ESYS_CONTEXT* context) {
      return Esys_GetCapability(context, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES,
                                first, TPM2_MAX_CAP_HANDLES, &more, &answer);
    }));
    const EsysPtr<TPMS_CAPABILITY_DATA> owned(answer);
    const TPML_HANDLE& page = answer->data.handles;
    for (UINT32 i = 0; i < page.count; ++i) {
      if (page.handle[i] > last) return handles;
      handles.push_back(page.handle[i]);
    }
    if (page.count == 0) break;
    first = page.handle[page.count - 1] + 1;
  }
  return handles;
}

absl::StatusOr<std::uint32_t> EsysConnection::Property(std::uint32_t property) const {
  TPMI_YES_NO more = TPM2_NO;
  TPMS_CAPABILITY_DATA* answer = nullptr;
  RETURN_IF_ERROR(Run("TPM2_GetCapability", [&](ESYS_CONTEXT* context) {
    return Esys_GetCapability(context, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                              TPM2_CAP_TPM_PROPERTIES, property, 1, &more, &answer);
  }));
  const EsysPtr<TPMS_CAPABILITY_DATA> owned(answer);
  const TPML_TAGGED_TPM_PROPERTY& page = answer->data.tpmProperties;
  if (page.count == 0 || page.tpmProperty[0].property != property) {
    return Error(ErrorReason::kKeyUnavailable, kTpmField,
                 absl::StrCat("the TPM has no property 0x", absl::Hex(property)));
  }
  return page.tpmProperty[0].value;
}

void EsysConnection::FlushLeftovers() const {
  // Loaded policy sessions are listed behind the loaded HMAC sessions.
  for (const auto& [first, last] :
       {std::pair(TPM2_TRANSIENT_FIRST, TPM2_TRANSIENT_LAST),
        std::pair(TPM2_LOADED_SESSION_FIRST, TPM2_POLICY_SESSION_LAST)}) {
    const absl::StatusOr<std::vector<std::uint32_t>> handles = Handles(first, last);
    if (!handles.ok()) return;
    for (const std::uint32_t handle : *handles) {
      ESYS_TR object = ESYS_TR_NONE;
      if (Esys_TR_FromTPMPublic(context_, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                &object) == TSS2_RC_SUCCESS) {
        Esys_FlushContext(context_, object);
      }
    }
  }
}

}  // namespace hourglass::hsm
