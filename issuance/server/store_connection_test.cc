#include "issuance/server/store_connection.h"

#include <gtest/gtest.h>

#include <chrono>

namespace hourglass::issuance {
namespace {

using std::chrono::hours;

constexpr hours kDay(24);

TEST(StoreConnectionTest, APartitionIsASmallPartOfWhatIsKept) {
  EXPECT_EQ(PartitionSpanFor(std::nullopt), 30 * kDay);
  EXPECT_EQ(PartitionSpanFor(kDay), kDay);
  EXPECT_EQ(PartitionSpanFor(32 * kDay - std::chrono::seconds(1)), kDay);
  EXPECT_EQ(PartitionSpanFor(32 * kDay), 2 * kDay);
  EXPECT_EQ(PartitionSpanFor(365 * kDay), 22 * kDay);
  EXPECT_EQ(PartitionSpanFor(36500 * kDay), 30 * kDay);
}

}  // namespace
}  // namespace hourglass::issuance
