// How fast a key signs.
#ifndef HOURGLASS_TOOLS_HOURGLASS_KEYS_SIGNING_RATE_H_
#define HOURGLASS_TOOLS_HOURGLASS_KEYS_SIGNING_RATE_H_

#include <chrono>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hsm/key/signing_key.h"

namespace hourglass::cli {

struct SigningRate {
  int threads = 0;
  std::uint64_t signatures = 0;
  std::uint64_t verified = 0;  // of these and each thread's first
  double per_second = 0;
  // Of one signature as a caller waits for it: the time that so many of 1000 do not exceed.
  std::chrono::nanoseconds p500{0};
  std::chrono::nanoseconds p900{0};
  std::chrono::nanoseconds p990{0};
  std::chrono::nanoseconds p999{0};
};

// Signs in `threads` threads at once for `length`, every time another message. Each thread's first
// signature is made before the others and is not counted. It must verify, as must one in 64 of the
// others, which are looked at when the time is over. Errors: those of
// SigningKey::Sign; KEY_MISMATCH where a signature does not verify.
absl::StatusOr<SigningRate> MeasureSigningRate(hsm::SigningKey& key, int threads,
                                               std::chrono::milliseconds length);

// The least number of threads that signs within 5 % of the best. `rates` must not be empty.
const SigningRate& Knee(absl::Span<const SigningRate> rates);

// Devices that a key of this rate serves at one certificate an hour, when a fifth of its time is to
// stay free: per_second * 3600 * 0.8, rounded down.
std::uint64_t DevicesServed(double per_second);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_KEYS_SIGNING_RATE_H_
