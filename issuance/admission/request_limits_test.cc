#include "issuance/admission/request_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "hsm/base/error.h"
#include "hsm/key/custodian.h"

namespace hourglass::issuance {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::Ge;
using testing::Le;

constexpr Timestamp kStart{std::chrono::hours(24 * 365 * 50)};
constexpr std::uint64_t kSeed = 4711;
constexpr RequestLimits::Asker kAsker = {"broker", "contoso", "laptop-1"};

class RequestLimitsTest : public testing::Test {
 protected:
  // What the limit said; fails where another did, or none.
  static milliseconds RefusedBy(RequestLimit limit,
                                const std::optional<RequestLimits::Refusal>& refusal) {
    if (!refusal.has_value()) {
      ADD_FAILURE() << "was admitted";
      return milliseconds(-1);
    }
    EXPECT_EQ(refusal->limit, limit) << RequestLimitName(refusal->limit);
    return refusal->retry_delay;
  }

  static int AdmittedOf(int asked, RequestLimits& limits, const RequestLimits::Asker& asker,
                        Timestamp now) {
    int admitted = 0;
    for (int i = 0; i < asked; ++i) {
      if (!limits.Admit(asker, now).has_value()) ++admitted;
    }
    return admitted;
  }

  RequestLimitCounts counts_;
};

TEST_F(RequestLimitsTest, WithoutAnyAllAreAdmitted) {
  RequestLimits limits({}, kSeed, &counts_);
  EXPECT_EQ(AdmittedOf(1000, limits, kAsker, kStart), 1000);
}

TEST_F(RequestLimitsTest, ADeviceThatLoopsIsRefusedAndOthersGoOn) {
  RequestLimitsConfig config;
  config.usual.device = kUsualDeviceAllowance;
  RequestLimits limits(config, kSeed, &counts_);
  EXPECT_EQ(AdmittedOf(1000, limits, kAsker, kStart), 10);
  EXPECT_EQ(RefusedBy(RequestLimit::kDevice, limits.Admit(kAsker, kStart)), seconds(30));
  EXPECT_EQ(limits.Admit({"broker", "contoso", "laptop-2"}, kStart), std::nullopt);
  // One of this name in another tenant, or that another caller names.
  EXPECT_EQ(limits.Admit({"broker", "fabrikam", "laptop-1"}, kStart), std::nullopt);
  EXPECT_EQ(limits.Admit({"other", "contoso", "laptop-1"}, kStart), std::nullopt);
  EXPECT_EQ(limits.Admit(kAsker, kStart + seconds(30)), std::nullopt);
  EXPECT_EQ(counts_.Of(RequestLimit::kDevice), 991U);
  EXPECT_EQ(counts_.Of(RequestLimit::kCaller), 0U);
}

// Nor by being refused does it use up what others need.
TEST_F(RequestLimitsTest, ADeviceThatLoopsTakesNothingFromItsCallerAndTenant) {
  RequestLimitsConfig config;
  config.usual.device = Allowance{10, minutes(5)};
  config.usual.tenant = Allowance{30, minutes(5)};
  config.caller = Allowance{20, minutes(5)};
  RequestLimits limits(config, kSeed, &counts_);
  EXPECT_EQ(AdmittedOf(1000, limits, kAsker, kStart), 10);
  EXPECT_EQ(AdmittedOf(1000, limits, {"broker", "contoso", "laptop-2"}, kStart), 10);
  // The caller has no more, and his tenant has.
  EXPECT_THAT(
      RefusedBy(RequestLimit::kCaller, limits.Admit({"broker", "contoso", "laptop-3"}, kStart)),
      AllOf(Ge(seconds(15)), Le(seconds(16))));
  EXPECT_EQ(AdmittedOf(1000, limits, {"other", "contoso", "laptop-3"}, kStart), 10);
  EXPECT_THAT(
      RefusedBy(RequestLimit::kTenant, limits.Admit({"other", "contoso", "laptop-4"}, kStart)),
      AllOf(Ge(seconds(10)), Le(seconds(11))));
  EXPECT_EQ(limits.Admit({"other", "fabrikam", "laptop-4"}, kStart), std::nullopt);
}

// Else a caller whose bucket is empty would find those of his devices empty, too.
TEST_F(RequestLimitsTest, WhatTheCallerMayNotCostsTheDeviceNothing) {
  RequestLimitsConfig config;
  config.usual.device = Allowance{2, minutes(5)};
  config.caller = Allowance{1, minutes(1)};
  RequestLimits limits(config, kSeed, &counts_);
  EXPECT_EQ(limits.Admit(kAsker, kStart), std::nullopt);
  for (int i = 0; i < 100; ++i) {
    RefusedBy(RequestLimit::kCaller, limits.Admit(kAsker, kStart));
  }
  EXPECT_EQ(limits.Admit(kAsker, kStart + minutes(1)), std::nullopt);
  RefusedBy(RequestLimit::kDevice, limits.Admit(kAsker, kStart + minutes(2)));
}

TEST_F(RequestLimitsTest, TenantsHaveTheirOwn) {
  RequestLimitsConfig config;
  config.usual.device = Allowance{10, minutes(5)};
  config.by_tenant["contoso"].device = Allowance{3, minutes(5)};
  config.by_tenant["fabrikam"];
  RequestLimits limits(config, kSeed, &counts_);
  EXPECT_EQ(AdmittedOf(20, limits, {"broker", "contoso", "laptop"}, kStart), 3);
  EXPECT_EQ(AdmittedOf(20, limits, {"broker", "fabrikam", "laptop"}, kStart), 20);
  EXPECT_EQ(AdmittedOf(20, limits, {"broker", "tailspin", "laptop"}, kStart), 10);
}

// As one whose token was verified: whoever brings it, and whatever callers say of it.
TEST_F(RequestLimitsTest, ADeviceThatIsKnownWithoutACallerHasABucketOfItsOwn) {
  RequestLimitsConfig config;
  config.usual.device = Allowance{2, minutes(5)};
  config.usual.tenant = config.caller = Allowance{4, minutes(5)};
  RequestLimits limits(config, kSeed, &counts_);
  EXPECT_EQ(AdmittedOf(10, limits, {"", "contoso", "laptop-1"}, kStart), 2);
  EXPECT_EQ(AdmittedOf(10, limits, kAsker, kStart), 2);
  // Nothing was taken from caller and tenant for the former.
  EXPECT_EQ(AdmittedOf(10, limits, {"broker", "contoso", ""}, kStart), 2);
  const absl::Status refused = limits.TakeOne("contoso", "laptop-1", kStart);
  EXPECT_EQ(ReasonOf(refused), ErrorReason::kRequestsTooFrequent);
  EXPECT_EQ(FieldOf(refused), "device_id");
  EXPECT_EQ(hsm::RetryDelayOf(refused), seconds(150));
  EXPECT_EQ(limits.TakeOne("contoso", "laptop-2", kStart), absl::OkStatus());
}

TEST_F(RequestLimitsTest, SaysHowManyWereRefusedOnceASecond) {
  RequestLimitsConfig config;
  config.usual.device = Allowance{1, minutes(5)};
  RequestLimits limits(config, kSeed, &counts_);
  EXPECT_EQ(limits.Unreported(kStart), std::nullopt);
  AdmittedOf(11, limits, kAsker, kStart);
  EXPECT_EQ(limits.Unreported(kStart + milliseconds(999)), std::nullopt);
  EXPECT_EQ(limits.Unreported(kStart + seconds(1)), 10U);
  EXPECT_EQ(limits.Unreported(kStart + seconds(2)), std::nullopt);
  AdmittedOf(5, limits, kAsker, kStart);
  // The clock went back.
  EXPECT_EQ(limits.Unreported(kStart), 5U);
}

}  // namespace
}  // namespace hourglass::issuance
