#include "tools/hourglass/keys/signing_rate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "hsm/key/software_key.h"
#include "tests/support/status_matchers.h"

namespace hourglass::cli {
namespace {

using std::chrono::milliseconds;

SigningRate Rate(int threads, double per_second) {
  SigningRate rate;
  rate.threads = threads;
  rate.per_second = per_second;
  return rate;
}

// A real key, that counts and may go wrong.
class WatchedKey : public hsm::SigningKey {
 public:
  explicit WatchedKey(std::unique_ptr<hsm::SigningKey> key) : key_(std::move(key)) {}

  hsm::KeyType type() const override { return key_->type(); }
  const std::string& public_key() const override { return key_->public_key(); }
  absl::StatusOr<std::string> Sign(absl::string_view message) override {
    const int number = ++signatures;
    if (number > fails_after) return Error(ErrorReason::kKeyUnavailable, "", "gone");
    return key_->Sign(number > wrong_after ? "something else" : message);
  }
  void TakeOutOfService() override { key_->TakeOutOfService(); }

  std::atomic<int> signatures = 0;
  int wrong_after = 1 << 30;
  int fails_after = 1 << 30;

 private:
  const std::unique_ptr<hsm::SigningKey> key_;
};

class SigningRateTest : public testing::Test {
 protected:
  WatchedKey key_{hsm::GenerateSoftwareKey(hsm::KeyType::kEcP256).value()};
};

TEST_F(SigningRateTest, CountsWhatWasSigned) {
  ASSERT_OK_AND_ASSIGN(const SigningRate rate, MeasureSigningRate(key_, 3, milliseconds(100)));
  EXPECT_EQ(rate.threads, 3);
  EXPECT_EQ(rate.signatures + 3, static_cast<std::uint64_t>(key_.signatures));
  EXPECT_GE(rate.verified, 3u);
  EXPECT_LE(rate.verified, rate.signatures / 64 + 3);
  EXPECT_GT(rate.per_second, 100);
  EXPECT_LE(rate.per_second, static_cast<double>(rate.signatures) / 0.1);
  EXPECT_GT(rate.p500.count(), 0);
  EXPECT_LE(rate.p500, rate.p900);
  EXPECT_LE(rate.p900, rate.p990);
  EXPECT_LE(rate.p990, rate.p999);
}

TEST_F(SigningRateTest, AWrongSignatureIsNoRate) {
  ASSERT_OK(MeasureSigningRate(key_, 1, milliseconds(20)));
  key_.wrong_after = key_.signatures + 50;
  EXPECT_THAT(MeasureSigningRate(key_, 2, milliseconds(100)), FailsWith(ErrorReason::kKeyMismatch));
}

TEST_F(SigningRateTest, AKeyThatFailsEndsIt) {
  key_.fails_after = 100;
  EXPECT_THAT(MeasureSigningRate(key_, 2, std::chrono::seconds(30)),
              FailsWith(ErrorReason::kKeyUnavailable));
  key_.fails_after = 0;
  EXPECT_THAT(MeasureSigningRate(key_, 2, std::chrono::seconds(30)),
              FailsWith(ErrorReason::kKeyUnavailable));
}

TEST(Knee, IsTheFewestThreadsWithinFivePercentOfTheBest) {
  EXPECT_EQ(Knee({Rate(1, 1000)}).threads, 1);
  EXPECT_EQ(Knee({Rate(1, 1000), Rate(2, 1900), Rate(4, 2000)}).threads, 2);
  EXPECT_EQ(Knee({Rate(1, 1000), Rate(2, 1899), Rate(4, 2000)}).threads, 4);
  EXPECT_EQ(Knee({Rate(4, 1000), Rate(1, 990)}).threads, 1);
}

TEST(DevicesServed, KeepsAFifthOfTheTimeFree) {
  EXPECT_EQ(DevicesServed(5), 14400u);
  EXPECT_EQ(DevicesServed(0), 0u);
}

}  // namespace
}  // namespace hourglass::cli
