#include "tests/chaos/seeded_fault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hourglass::chaos {
namespace {

TEST(SeededFaultTest, HasANameThatMeansIt) {
  for (const SeededFault fault : {SeededFault::kNone, SeededFault::kNoFence, SeededFault::kNoLock,
                                  SeededFault::kNoIdempotency}) {
    EXPECT_EQ(SeededFaultOfName(SeededFaultName(fault)), fault);
  }
  EXPECT_EQ(SeededFaultOfName("no-mercy"), std::nullopt);
  EXPECT_EQ(SeededFaultOfName(""), std::nullopt);
}

TEST(SeededFaultTest, ChangesTheStatementsOfTheFence) {
  EXPECT_EQ(WithFault(SeededFault::kNoFence, "SELECT pg_advisory_xact_lock_shared($1)"),
            "SELECT abs($1)");
  EXPECT_EQ(WithFault(SeededFault::kNoFence, "SELECT 1"), "SELECT 1");
  EXPECT_EQ(WithFault(SeededFault::kNone, "SELECT pg_advisory_xact_lock_shared($1)"),
            "SELECT pg_advisory_xact_lock_shared($1)");
}

// What is not noticed here ends the service.
TEST(SeededFaultTest, NoticesThatItHasNoPlace) {
  EXPECT_EQ(WithFault(SeededFault::kNoFence, "INSERT INTO releases SELECT 1"), "");
  EXPECT_EQ(WithFault(SeededFault::kNoLock, "INSERT INTO releases SELECT 1"), "");
  EXPECT_EQ(WithFault(SeededFault::kNoIdempotency, "INSERT INTO releases SELECT 1"),
            "INSERT INTO releases SELECT 1");
}

}  // namespace
}  // namespace hourglass::chaos
