// How often a device, a caller and a tenant may ask for certificates.
#ifndef HOURGLASS_ISSUANCE_ADMISSION_REQUEST_LIMITS_H_
#define HOURGLASS_ISSUANCE_ADMISSION_REQUEST_LIMITS_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "issuance/admission/bucket_table.h"
#include "issuance/admission/token_bucket.h"
#include "issuance/base/clock.h"
#include "issuance/config/request_limits_config.h"
#include "issuance/pipeline/device_allowance.h"

namespace hourglass::issuance {

enum class RequestLimit { kDevice, kCaller, kTenant };

// `device`, `caller`, `tenant`.
absl::string_view RequestLimitName(RequestLimit limit);

// How many requests each limit has refused. Safe to use from several threads.
struct RequestLimitCounts {
  std::array<std::atomic<std::uint64_t>, 3> refused = {};  // by RequestLimit

  std::uint64_t Of(RequestLimit limit) const {
    return refused[static_cast<std::size_t>(limit)].load(std::memory_order_relaxed);
  }
};

// Token buckets in memory of this process, of bounded size (docs/decisions/0040-…). Safe to call
// from several threads.
class RequestLimits final : public DeviceAllowance {
 public:
  // Whose buckets a request is taken from; what is empty has none. A device's bucket is of a tenant
  // and of the caller who names the device: so nobody uses up that of a device of another caller.
  // Who knows the device by more than a caller's word asks for it alone, without a caller: then it
  // has one bucket, whoever asks.
  struct Asker {
    absl::string_view caller;
    absl::string_view tenant_id;
    absl::string_view device_id;
  };

  struct Refusal {
    RequestLimit limit;
    // How long until a request would be admitted, if nobody else came first; at a limit that others
    // share up to a second more, so that they do not all come back at once.
    std::chrono::milliseconds retry_delay;
  };

  // `seed` is random: whoever asks must not know who shares a place with whom. `counts` must
  // outlive this object.
  RequestLimits(const RequestLimitsConfig& config, std::uint64_t seed, RequestLimitCounts* counts);

  // Takes one token of each bucket: nullopt. Or one has none: then all are as they were. So a
  // device that loops takes nothing from its caller and tenant but what it is allowed.
  std::optional<Refusal> Admit(const Asker& asker, Timestamp now);

  // Of the device alone, by a token's word and no caller's.
  absl::Status TakeOne(absl::string_view tenant_id, absl::string_view device_id,
                       Timestamp now) override;

  // How many were refused since this last said so, at most once a second: for the log. Nothing
  // where none were.
  std::optional<std::uint64_t> Unreported(Timestamp now);

 private:
  struct TenantShapes {
    std::optional<BucketShape> device;
    std::optional<BucketShape> tenant;
  };
  struct Charge {
    RequestLimit limit;
    const BucketShape* shape;  // null: no such limit
    BucketTable* table;
    std::uint64_t bucket;
  };

  static TenantShapes ShapesOf(const TenantRequestLimits& limits);
  std::array<Charge, 3> ChargesOf(const Asker& asker);
  Refusal Refuse(RequestLimit limit, std::chrono::microseconds delay);

  const std::uint64_t seed_;
  RequestLimitCounts* const counts_;
  std::optional<BucketShape> caller_;
  const TenantShapes usual_;
  absl::flat_hash_map<std::string, TenantShapes> by_tenant_;
  BucketTable devices_;
  BucketTable callers_;
  BucketTable tenants_;
  std::atomic<std::uint32_t> spread_ = 0;
  std::atomic<std::uint64_t> unreported_ = 0;
  std::atomic<Timestamp> reported_at_ = Timestamp();
};

// REQUESTS_TOO_FREQUENT with the field that it is about, and the delay for hsm::RetryDelayOf.
absl::Status TooFrequent(const RequestLimits::Refusal& refusal);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ADMISSION_REQUEST_LIMITS_H_
