#include "issuance/server/service_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "issuance/base/entropy.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/manual_clock.h"
#include "tests/support/manual_kernel_time.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

class ServiceStateTest : public testing::Test {
 protected:
  ServiceStateTest() { config_.data_directory = directory_.path(); }

  absl::StatusOr<std::unique_ptr<ServiceState>> Start() {
    return ServiceState::Start(config_, {&clock_, &kernel_, &entropy_}, &log_);
  }

  TemporaryDirectory directory_;
  Config config_;
  ManualClock clock_;
  ManualKernelTime kernel_{&clock_};
  SystemEntropy entropy_;
  const EventLog log_ = EventLog::Silent();
};

TEST_F(ServiceStateTest, TellsTheTimeOfTheClockThatItWasGiven) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<ServiceState> state, Start());
  clock_.Advance(std::chrono::hours(1));
  EXPECT_EQ(state->clock()->Now(), clock_.Now());
  EXPECT_OK(state->clock()->TrustedNow());
}

TEST_F(ServiceStateTest, WhatWasKeptIsThereAfterTheNextStart) {
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<ServiceState> state, Start());
    ASSERT_OK(state->store()->CreateTenant(SampleTenant("contoso")));
    clock_.Advance(std::chrono::hours(1));
    state->guard()->Look();
  }
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<ServiceState> state, Start());
    EXPECT_OK(state->store()->GetTenant("contoso"));
    EXPECT_OK(state->clock()->TrustedNow());
  }
  // The time, too: the records lie beside the store.
  kernel_.Leap(-std::chrono::minutes(30));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<ServiceState> state, Start());
  EXPECT_THAT(state->clock()->TrustedNow(), FailsWith(ErrorReason::kClockUntrusted));
}

TEST_F(ServiceStateTest, DoesNotStartWithoutItsDirectory) {
  config_.data_directory = directory_.File("absent");
  EXPECT_THAT(Start(), FailsWith(ErrorReason::kJournalUnavailable));
}

}  // namespace
}  // namespace hourglass::issuance
