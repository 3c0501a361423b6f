#include "issuance/rotation/tenant_turns.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace hourglass::issuance {
namespace {

TEST(TenantTurnsTest, TenantsDoNotWaitForEachOther) {
  TenantTurns turns;
  const TenantTurns::Turn contoso = turns.Take("contoso");
  const TenantTurns::Turn fabrikam = turns.Take("fabrikam");
}

TEST(TenantTurnsTest, OneAtATimeForATenant) {
  TenantTurns turns;
  constexpr int kTimes = 2000;
  std::atomic<int> inside = 0;
  std::atomic<int> together = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kTimes; ++j) {
        const TenantTurns::Turn turn = turns.Take("contoso");
        if (++inside != 1) ++together;
        std::this_thread::yield();
        --inside;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(together, 0);
}

}  // namespace
}  // namespace hourglass::issuance
