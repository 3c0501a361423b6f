// Noticing that a PIN was changed without reading it.
#ifndef HOURGLASS_HSM_KEYHOLDER_QUEUE_PIN_STAMP_H_
#define HOURGLASS_HSM_KEYHOLDER_QUEUE_PIN_STAMP_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "hsm/key/key_uri.h"

namespace hourglass::hsm {

// Which file the PIN is in, and when it was written; all zeros where there is none, or where the
// PIN is in the environment, which never changes.
struct PinStamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t modified_ns = 0;
  bool operator==(const PinStamp&) const = default;
};

PinStamp StampOf(const std::optional<PinSource>& source);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_QUEUE_PIN_STAMP_H_
