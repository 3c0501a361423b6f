// One connection to a TPM through tpm2-tss's ESAPI.
#ifndef HOURGLASS_HSM_TPM_ESYS_CONNECTION_H_
#define HOURGLASS_HSM_TPM_ESYS_CONNECTION_H_

#include <tss2/tss2_esys.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::hsm {

// The field of errors of a TPM.
inline constexpr char kTpmField[] = "tpm:";

struct EsysDeleter {
  void operator()(void* memory) const { Esys_Free(memory); }
};
// What ESAPI allocated for its caller.
template <typename T>
using EsysPtr = std::unique_ptr<T, EsysDeleter>;

inline void FlushFromTpm(ESYS_CONTEXT* context, ESYS_TR handle) {
  Esys_FlushContext(context, handle);
}
inline void ForgetHandle(ESYS_CONTEXT* context, ESYS_TR handle) { Esys_TR_Close(context, &handle); }

// Owns a handle of ESAPI, given up when this object goes. Must go before its connection.
template <void (*kGiveUp)(ESYS_CONTEXT*, ESYS_TR)>
class EsysOwner {
 public:
  EsysOwner() = default;
  EsysOwner(ESYS_CONTEXT* context, ESYS_TR handle) : context_(context), handle_(handle) {}
  ~EsysOwner() {
    if (handle_ != ESYS_TR_NONE) kGiveUp(context_, handle_);
  }
  EsysOwner(EsysOwner&& other) noexcept
      : context_(other.context_), handle_(std::exchange(other.handle_, ESYS_TR_NONE)) {}
  EsysOwner& operator=(EsysOwner&& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(handle_, other.handle_);
    return *this;
  }

  ESYS_TR get() const { return handle_; }
  ESYS_TR release() { return std::exchange(handle_, ESYS_TR_NONE); }

 private:
  ESYS_CONTEXT* context_ = nullptr;
  ESYS_TR handle_ = ESYS_TR_NONE;
};

// A transient object or a session, which takes room in the TPM.
using EsysTransient = EsysOwner<FlushFromTpm>;
// What ESAPI knows of a persistent object, which stays in the TPM.
using EsysPersistent = EsysOwner<ForgetHandle>;

// ESAPI's contexts serve one thread at a time, and so does this.
class EsysConnection {
 public:
  // Errors: KEY_UNAVAILABLE.
  static absl::StatusOr<std::unique_ptr<EsysConnection>> Open(const std::string& tcti);
  ~EsysConnection();
  EsysConnection(const EsysConnection&) = delete;
  EsysConnection& operator=(const EsysConnection&) = delete;

  ESYS_CONTEXT* get() const { return context_; }

  // Runs one command, again for at most a second where the TPM says that it is busy with itself.
  // Errors: TpmError with `function`.
  absl::Status Run(absl::string_view function,
                   absl::FunctionRef<TSS2_RC(ESYS_CONTEXT*)> command) const;

  // The handles that are in use from `first` to `last`. Errors: TpmError.
  absl::StatusOr<std::vector<std::uint32_t>> Handles(std::uint32_t first, std::uint32_t last) const;

  // A fixed or variable property (TPM 2.0 Library Specification part 2 section 6.13). Errors:
  // TpmError, KEY_UNAVAILABLE where the TPM does not have it.
  absl::StatusOr<std::uint32_t> Property(std::uint32_t property) const;

  // Flushes every transient object and loaded session that this connection sees. A resource manager
  // shows each connection its own alone, and a device without one takes one connection only: what
  // is seen was left behind by this process or by one that died. None of this process may be in
  // use.
  void FlushLeftovers() const;

 private:
  EsysConnection() = default;

  TSS2_TCTI_CONTEXT* transport_ = nullptr;
  ESYS_CONTEXT* context_ = nullptr;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_ESYS_CONNECTION_H_
