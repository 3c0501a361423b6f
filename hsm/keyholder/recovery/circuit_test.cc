#include "hsm/keyholder/recovery/circuit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"

namespace hourglass::hsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using State = CustodianStatus::State;

constexpr SteadyTime kStart{std::chrono::hours(1)};

class CircuitTest : public ::testing::Test {
 protected:
  void ExpectAdmitted(int waiting, SteadyTime now) { EXPECT_OK(circuit_.Admit(waiting, now)); }
  void ExpectRefused(int waiting, SteadyTime now) {
    const absl::Status refused = circuit_.Admit(waiting, now);
    EXPECT_THAT(refused, FailsWith(ErrorReason::kKeyUnavailable, "pkcs11:token=t"));
    EXPECT_EQ(RetryDelayOf(refused), milliseconds(500));
  }

  Circuit circuit_{"pkcs11:token=t"};
};

TEST_F(CircuitTest, AllWaitForTheFirstStartButNotForEver) {
  EXPECT_EQ(circuit_.state(), State::kUnused);
  circuit_.Use(kStart);
  ExpectAdmitted(100, kStart + seconds(1));
  ExpectRefused(4, kStart + milliseconds(1001));
  ExpectAdmitted(3, kStart + milliseconds(1001));
}

TEST_F(CircuitTest, IsHealthyWhileAnyWorkerIs) {
  circuit_.Use(kStart);
  EXPECT_TRUE(circuit_.WorkerReady(0, kStart));
  EXPECT_FALSE(circuit_.WorkerReady(1, kStart));
  EXPECT_FALSE(circuit_.WorkerLost(0, "a crash", kStart + seconds(1)));
  EXPECT_EQ(circuit_.state(), State::kHealthy);
  ExpectAdmitted(1000, kStart + seconds(100));

  EXPECT_TRUE(circuit_.WorkerLost(1, "another crash", kStart + seconds(2)));
  EXPECT_EQ(circuit_.state(), State::kRecovering);
  EXPECT_EQ(circuit_.message(), "another crash");
  EXPECT_EQ(circuit_.since(), kStart + seconds(2));
}

TEST_F(CircuitTest, AtMostFourWaitForRecovery) {
  circuit_.Use(kStart);
  circuit_.WorkerReady(0, kStart);
  circuit_.WorkerLost(0, "a crash", kStart);
  // Most losses are mended by then.
  ExpectAdmitted(1000, kStart + milliseconds(250));
  const SteadyTime later = kStart + milliseconds(300);
  ExpectRefused(4, later);
  ExpectAdmitted(3, later);
  EXPECT_THAT(std::string(circuit_.Admit(4, later).message()),
              HasSubstr("recovering for 300 ms: a crash"));
  // A loss that follows is of the same trouble.
  EXPECT_TRUE(circuit_.WorkerLost(0, "a hang", later));
  EXPECT_EQ(circuit_.since(), kStart);
  ExpectRefused(4, later);

  circuit_.WorkerReady(0, later);
  EXPECT_EQ(circuit_.message(), "");
  ExpectAdmitted(4, later);
}

TEST_F(CircuitTest, NobodyJoinsThoseWhoseSignaturesAreOverdue) {
  circuit_.Use(kStart);
  circuit_.WorkerReady(0, kStart);
  circuit_.WorkerReady(1, kStart);
  circuit_.NoteOverdueAt(0, kStart + milliseconds(100));
  circuit_.NoteOverdueAt(0, kStart + milliseconds(200));
  ExpectAdmitted(4, kStart + milliseconds(100));  // by the other
  circuit_.NoteOverdueAt(1, kStart + milliseconds(150));
  ExpectAdmitted(4, kStart + milliseconds(149));
  ExpectRefused(4, kStart + milliseconds(150));
  ExpectAdmitted(3, kStart + milliseconds(150));
  circuit_.SetOverdueAt(0, SteadyTime::max());
  ExpectAdmitted(4, kStart + milliseconds(150));
}

class RefusedPinTest : public CircuitTest {
 protected:
  const absl::Status refused_ = Error(ErrorReason::kPinRefused, "pkcs11:token=t", "wrong");
};

TEST_F(RefusedPinTest, RefusesAllWhereNoWorkerIsLoggedIn) {
  circuit_.Use(kStart);
  EXPECT_TRUE(circuit_.PinRefused(refused_, kStart));
  EXPECT_EQ(circuit_.state(), State::kFailed);
  EXPECT_THAT(circuit_.message(), HasSubstr("wrong"));
  EXPECT_THAT(circuit_.Admit(0, kStart), FailsWith(ErrorReason::kPinRefused));
  EXPECT_FALSE(circuit_.WorkerLost(0, "a crash", kStart));
  EXPECT_THAT(circuit_.Admit(0, kStart), FailsWith(ErrorReason::kPinRefused));

  EXPECT_TRUE(circuit_.PinChanged(kStart + seconds(1)));
  EXPECT_EQ(circuit_.state(), State::kRecovering);
  ExpectAdmitted(3, kStart + seconds(1));
}

TEST_F(RefusedPinTest, EndsNobodyWhoIsLoggedIn) {
  circuit_.Use(kStart);
  circuit_.WorkerLoggedIn(0, kStart);
  circuit_.WorkerReady(0, kStart);
  circuit_.WorkerLoggedIn(1, kStart);
  EXPECT_TRUE(circuit_.PinRefused(refused_, kStart));
  EXPECT_EQ(circuit_.state(), State::kHealthy);
  EXPECT_THAT(circuit_.message(), HasSubstr("wrong"));
  ExpectAdmitted(1000, kStart);
  EXPECT_FALSE(circuit_.WorkerReady(1, kStart));
  EXPECT_FALSE(circuit_.WorkerLost(0, "a crash", kStart));
  ExpectAdmitted(1000, kStart);

  EXPECT_TRUE(circuit_.WorkerLost(1, "a crash", kStart));
  EXPECT_EQ(circuit_.state(), State::kFailed);
  EXPECT_THAT(circuit_.Admit(0, kStart), FailsWith(ErrorReason::kPinRefused));
}

TEST_F(RefusedPinTest, IsForgottenOnceItHasChanged) {
  circuit_.Use(kStart);
  circuit_.WorkerLoggedIn(0, kStart);
  circuit_.WorkerReady(0, kStart);
  circuit_.PinRefused(refused_, kStart);
  EXPECT_TRUE(circuit_.PinChanged(kStart));
  EXPECT_FALSE(circuit_.PinChanged(kStart));
  EXPECT_EQ(circuit_.state(), State::kHealthy);
  EXPECT_EQ(circuit_.message(), "");
  EXPECT_TRUE(circuit_.WorkerLost(0, "a crash", kStart));
  EXPECT_EQ(circuit_.state(), State::kRecovering);
}

}  // namespace
}  // namespace hourglass::hsm
