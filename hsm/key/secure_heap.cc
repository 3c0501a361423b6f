#include "hsm/key/secure_heap.h"

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::hsm {
namespace {

// A P-256 private key's size.
constexpr std::size_t kSmallestPiece = 32;

}  // namespace

absl::Status InitializeSecureHeap(std::size_t size) {
  if (CRYPTO_secure_malloc_initialized() == 1) return absl::OkStatus();
  // 2: the heap is there, but not locked.
  if (CRYPTO_secure_malloc_init(size, kSmallestPiece) == 1) return absl::OkStatus();
  CRYPTO_secure_malloc_done();
  return Error(ErrorReason::kConfigurationInvalid, "LimitMEMLOCK",
               absl::StrCat("cannot lock ", size,
                            " octets of memory for keys: raise LimitMEMLOCK= of the service's unit "
                            "(ulimit -l) to at least twice as much"));
}

}  // namespace hourglass::hsm
