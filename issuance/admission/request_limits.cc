#include "issuance/admission/request_limits.h"

#include <cstddef>

#include "absl/hash/hash.h"
#include "hsm/base/error.h"
#include "hsm/key/custodian.h"

namespace hourglass::issuance {
namespace {

// Who has asked lately. At the usual allowance a device is remembered for 30 s after one request,
// and for 5 min after many: enough for 30 000 devices a second.
constexpr std::size_t kDevices = 1 << 20;
// Callers are those of the configuration; tenants, those of the store.
constexpr std::size_t kCallers = 1 << 12;
constexpr std::size_t kTenants = 1 << 16;

constexpr std::chrono::seconds kReportInterval(1);

std::optional<BucketShape> ShapeOf(const std::optional<Allowance>& allowance) {
  return allowance.has_value() ? std::make_optional<BucketShape>(*allowance) : std::nullopt;
}

absl::Status UsedUp(RequestLimit limit) {
  switch (limit) {
    case RequestLimit::kDevice:
      return Error(ErrorReason::kRequestsTooFrequent, "device_id",
                   "this device asks for certificates more often than it may");
    case RequestLimit::kCaller:
      return Error(ErrorReason::kRequestsTooFrequent, "",
                   "this caller asks for certificates more often than it may");
    case RequestLimit::kTenant:
      return Error(ErrorReason::kRequestsTooFrequent, "tenant_id",
                   "certificates of this tenant are asked for more often than they may be");
  }
  return Error(ErrorReason::kInternalError, "", "a limit that there is not");
}

const BucketShape* OrNull(const std::optional<BucketShape>& shape) {
  return shape.has_value() ? &*shape : nullptr;
}

}  // namespace

absl::string_view RequestLimitName(RequestLimit limit) {
  switch (limit) {
    case RequestLimit::kDevice:
      return "device";
    case RequestLimit::kCaller:
      return "caller";
    case RequestLimit::kTenant:
      return "tenant";
  }
  return "";
}

RequestLimits::TenantShapes RequestLimits::ShapesOf(const TenantRequestLimits& limits) {
  return {ShapeOf(limits.device), ShapeOf(limits.tenant)};
}

RequestLimits::RequestLimits(const RequestLimitsConfig& config, std::uint64_t seed,
                             RequestLimitCounts* counts)
    : seed_(seed),
      counts_(counts),
      caller_(ShapeOf(config.caller)),
      usual_(ShapesOf(config.usual)),
      devices_(kDevices),
      callers_(kCallers),
      tenants_(kTenants) {
  for (const auto& [tenant_id, limits] : config.by_tenant) {
    by_tenant_.emplace(tenant_id, ShapesOf(limits));
  }
}

// The device first: it is the one that refuses most.
std::array<RequestLimits::Charge, 3> RequestLimits::ChargesOf(const Asker& asker) {
  const auto own = by_tenant_.find(asker.tenant_id);
  const TenantShapes& of_tenant = own == by_tenant_.end() ? usual_ : own->second;
  std::array<Charge, 3> charges = {{
      {RequestLimit::kDevice, asker.device_id.empty() ? nullptr : OrNull(of_tenant.device),
       &devices_, 0},
      {RequestLimit::kCaller, asker.caller.empty() ? nullptr : OrNull(caller_), &callers_, 0},
      // Of a device that is asked for alone, its caller was charged, and so was its tenant.
      {RequestLimit::kTenant, asker.caller.empty() ? nullptr : OrNull(of_tenant.tenant), &tenants_,
       0},
  }};
  if (charges[0].shape != nullptr) {
    charges[0].bucket = absl::HashOf(seed_, asker.tenant_id, asker.caller, asker.device_id);
  }
  if (charges[1].shape != nullptr) charges[1].bucket = absl::HashOf(seed_, asker.caller);
  if (charges[2].shape != nullptr) charges[2].bucket = absl::HashOf(seed_, asker.tenant_id);
  return charges;
}

std::optional<RequestLimits::Refusal> RequestLimits::Admit(const Asker& asker, Timestamp now) {
  const std::array<Charge, 3> charges = ChargesOf(asker);
  for (std::size_t i = 0; i < charges.size(); ++i) {
    const Charge& charge = charges[i];
    if (charge.shape == nullptr) continue;
    const std::optional<std::chrono::microseconds> delay =
        charge.table->Take(charge.bucket, *charge.shape, now);
    if (!delay.has_value()) continue;
    for (std::size_t taken = 0; taken < i; ++taken) {
      if (charges[taken].shape == nullptr) continue;
      charges[taken].table->GiveBack(charges[taken].bucket, *charges[taken].shape);
    }
    return Refuse(charge.limit, *delay);
  }
  return std::nullopt;
}

absl::Status RequestLimits::TakeOne(absl::string_view tenant_id, absl::string_view device_id,
                                    Timestamp now) {
  const std::optional<Refusal> refusal = Admit({"", tenant_id, device_id}, now);
  return refusal.has_value() ? TooFrequent(*refusal) : absl::OkStatus();
}

RequestLimits::Refusal RequestLimits::Refuse(RequestLimit limit, std::chrono::microseconds delay) {
  counts_->refused[static_cast<std::size_t>(limit)].fetch_add(1, std::memory_order_relaxed);
  unreported_.fetch_add(1, std::memory_order_relaxed);
  std::chrono::milliseconds told = std::chrono::ceil<std::chrono::milliseconds>(delay);
  if (limit != RequestLimit::kDevice) {
    // Steps that fill the second evenly, however many there are (the golden ratio).
    const std::uint32_t step = spread_.fetch_add(2'654'435'769U, std::memory_order_relaxed);
    told += std::chrono::milliseconds((std::uint64_t{step} * 1000) >> 32);
  }
  return {limit, told};
}

absl::Status TooFrequent(const RequestLimits::Refusal& refusal) {
  return hsm::WithRetryDelay(UsedUp(refusal.limit), refusal.retry_delay);
}

std::optional<std::uint64_t> RequestLimits::Unreported(Timestamp now) {
  Timestamp last = reported_at_.load(std::memory_order_relaxed);
  // Earlier than it: the clock went back.
  if (now >= last && now < last + kReportInterval) return std::nullopt;
  if (!reported_at_.compare_exchange_strong(last, now, std::memory_order_relaxed)) {
    return std::nullopt;
  }
  const std::uint64_t count = unreported_.exchange(0, std::memory_order_relaxed);
  return count > 0 ? std::make_optional(count) : std::nullopt;
}

}  // namespace hourglass::issuance
