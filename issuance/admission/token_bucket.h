// A token bucket in one number.
#ifndef HOURGLASS_ISSUANCE_ADMISSION_TOKEN_BUCKET_H_
#define HOURGLASS_ISSUANCE_ADMISSION_TOKEN_BUCKET_H_

#include <algorithm>
#include <chrono>
#include <optional>

#include "issuance/base/clock.h"
#include "issuance/config/request_limits_config.h"

namespace hourglass::issuance {

// How fast a bucket fills, and how much it holds.
class BucketShape {
 public:
  explicit BucketShape(const Allowance& allowance)
      : interval_((std::chrono::microseconds(allowance.per) +
                   std::chrono::microseconds(allowance.requests - 1)) /
                  allowance.requests),
        to_fill_(interval_ * allowance.requests) {}

  // Until one more token is in it, rounded up: so never more come than were allowed.
  std::chrono::microseconds interval() const { return interval_; }
  // From empty to full.
  std::chrono::microseconds to_fill() const { return to_fill_; }

 private:
  std::chrono::microseconds interval_;
  std::chrono::microseconds to_fill_;
};

// A bucket is when it will be full (the generic cell rate algorithm, ITU-T I.371 annex A): it holds
// what it holds when full, less one token for each interval until then. One that is full again is
// like one that was never used, so that it need not be kept. Not safe to call from several threads.
class TokenBucket {
 public:
  explicit TokenBucket(Timestamp full_at = Timestamp()) : full_at_(full_at) {}

  // Takes a token: nullopt; or takes none, and this is how long until there will be one.
  // Where `now` is earlier than it was, the bucket is at most empty: a clock that goes back makes
  // nobody wait for longer than one interval.
  std::optional<std::chrono::microseconds> Take(const BucketShape& shape, Timestamp now) {
    // Also where it is refused: else it would be as empty again at the next time that is too early.
    full_at_ = std::clamp(full_at_, now, now + shape.to_fill());
    const Timestamp then = full_at_ + shape.interval();
    if (then > now + shape.to_fill()) return then - (now + shape.to_fill());
    full_at_ = then;
    return std::nullopt;
  }

  // Puts back the token that was just taken.
  void GiveBack(const BucketShape& shape) { full_at_ -= shape.interval(); }

  Timestamp full_at() const { return full_at_; }

 private:
  Timestamp full_at_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ADMISSION_TOKEN_BUCKET_H_
