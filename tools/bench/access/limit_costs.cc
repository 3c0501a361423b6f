#include "tools/bench/access/limit_costs.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/strings/str_format.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/admission/request_limits.h"
#include "issuance/admission/token_bucket.h"
#include "issuance/base/clock.h"
#include "issuance/config/request_limits_config.h"
#include "tools/bench/access/access_benchmark.h"
#include "tools/bench/cost/thread_cost.h"

namespace hourglass::bench {
namespace {

using issuance::Allowance;
using issuance::BucketShape;
using issuance::RequestLimits;
using issuance::Timestamp;
using issuance::TokenBucket;

constexpr Allowance kAmple = {1'000'000, std::chrono::seconds(1)};
// Each device comes again when it may: after 30 s by the clock that they are given.
constexpr int kDevices = 100'000;
constexpr std::chrono::microseconds kStep(400);

absl::Status Wrong(const char* what) { return Error(ErrorReason::kInternalError, "", what); }

// Requests of many devices, one after the other, on a clock that goes on with each.
class Fleet {
 public:
  explicit Fleet(int devices) {
    for (int i = 0; i < devices; ++i) {
      ids_.push_back(absl::StrFormat("e0000000-0000-4000-8000-%012d", i));
    }
  }

  std::size_t size() const { return ids_.size(); }
  void Step() {
    device_ = device_ + 1 == ids_.size() ? 0 : device_ + 1;
    now_ += kStep;
  }
  Timestamp now() const { return now_; }
  std::size_t number() const { return device_; }
  RequestLimits::Asker Asker() const { return {"broker", "contoso", ids_[device_]}; }

 private:
  std::vector<std::string> ids_;
  std::size_t device_ = 0;
  Timestamp now_{std::chrono::seconds(1'790'000'000)};
};

class Limits {
 public:
  Limits() : limits_(Config(), 0x5eed, &counts_) {}

  absl::Status Admit(Fleet& fleet) {
    fleet.Step();
    return limits_.Admit(fleet.Asker(), fleet.now()).has_value() ? Wrong("limits: refused")
                                                                 : absl::OkStatus();
  }

  // Of a device that has used up what it may.
  absl::Status Refuse(Timestamp now) {
    return limits_.Admit({"broker", "contoso", "loops"}, now).has_value()
               ? absl::OkStatus()
               : Wrong("limits: admitted");
  }
  void UseUp(Timestamp now) {
    for (int i = 0; i < issuance::kUsualDeviceAllowance.requests; ++i) {
      (void)limits_.Admit({"broker", "contoso", "loops"}, now);
    }
  }

 private:
  static issuance::RequestLimitsConfig Config() {
    issuance::RequestLimitsConfig config;
    config.caller = kAmple;
    config.usual.device = issuance::kUsualDeviceAllowance;
    config.usual.tenant = kAmple;
    return config;
  }

  issuance::RequestLimitCounts counts_;
  RequestLimits limits_;
};

// The same three buckets, each at its place: found without a table, though the names that it would
// be found by are hashed.
class BareBuckets {
 public:
  explicit BareBuckets(std::size_t devices) : devices_(devices) {}

  absl::Status Admit(Fleet& fleet) {
    fleet.Step();
    const RequestLimits::Asker asker = fleet.Asker();
    hashes_ = absl::HashOf(asker.tenant_id, asker.caller, asker.device_id) +
              absl::HashOf(asker.caller) + absl::HashOf(asker.tenant_id);
    const bool refused = devices_[fleet.number()].Take(device_, fleet.now()).has_value() ||
                         caller_.Take(ample_, fleet.now()).has_value() ||
                         tenant_.Take(ample_, fleet.now()).has_value();
    return refused ? Wrong("limits: the floor refuses") : absl::OkStatus();
  }

 private:
  const BucketShape device_{issuance::kUsualDeviceAllowance};
  const BucketShape ample_{kAmple};
  std::vector<TokenBucket> devices_;
  TokenBucket caller_, tenant_;
  // Written for every call, so that none is optimised away.
  volatile std::size_t hashes_ = 0;
};

}  // namespace

absl::Status MeasureLimits(bool quick, Report& report) {
  const CostEffort effort = quick ? CostEffort{1, std::chrono::milliseconds(5), 256}
                                  : CostEffort{11, std::chrono::milliseconds(60), 256};
  Fleet fleet(kDevices), same(kDevices);
  Limits limits;
  BareBuckets bare(fleet.size());
  ASSIGN_OR_RETURN(const CostBesideFloor admission, MeasureBesideFloor(
                                                        effort, [&] { return limits.Admit(fleet); },
                                                        [&] { return bare.Admit(same); }));
  report.Add({.section = kAccessSection,
              .name = "limits of requests: an admission",
              .value = admission.cost,
              .unit = "us",
              .floor = admission.floor,
              .floor_is = "three hashes and three buckets"});
  const Timestamp now = fleet.now();
  limits.UseUp(now);
  ASSIGN_OR_RETURN(const CostBesideFloor refusal, MeasureBesideFloor(
                                                      effort, [&] { return limits.Refuse(now); },
                                                      [&] { return limits.Admit(fleet); }));
  report.Add({.section = kAccessSection,
              .name = "limits of requests: a device that loops refused",
              .value = refusal.cost,
              .unit = "us",
              .floor = refusal.floor,
              .floor_is = "an admission"});
  return absl::OkStatus();
}

}  // namespace hourglass::bench
