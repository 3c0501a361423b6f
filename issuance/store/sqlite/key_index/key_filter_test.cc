#include "issuance/store/sqlite/key_index/key_filter.h"

#include <gmock/gmock.h>

#include <vector>

#include "issuance/store/sqlite/key_index/key_table.h"
#include "issuance/store/sqlite/key_index/testing/random_entries.h"

namespace hourglass::issuance {
namespace {

TEST(KeyFilterTest, DeniesNoMemberAndMostStrangers) {
  constexpr int kCount = 100000;
  const std::vector<KeyEntry> members = RandomEntries(kCount);
  KeyFilter filter(members.size());
  for (const KeyEntry& member : members) filter.Add(member.hash);
  const KeyFilter read_back(filter.Octets());
  int strangers = 0;
  for (const KeyEntry& member : members) {
    EXPECT_TRUE(filter.MayHold(member.hash));
    EXPECT_TRUE(read_back.MayHold(member.hash));
  }
  for (const KeyEntry& stranger : RandomEntries(kCount, 777)) {
    strangers += filter.MayHold(stranger.hash) ? 1 : 0;
  }
  EXPECT_LT(strangers, kCount / 100);
  EXPECT_LT(filter.Octets().size(), std::size_t{kCount} * 13 / 8);
}

TEST(KeyFilterTest, AnEmptyOneHoldsNothing) {
  for (const std::size_t count : {0, 1, 1000}) {
    const KeyFilter filter(count);
    EXPECT_GE(filter.Octets().size(), KeyFilter::kBlockOctets) << count;
    EXPECT_EQ(filter.Octets().size() % KeyFilter::kBlockOctets, 0u) << count;
    for (const KeyEntry& stranger : RandomEntries(100)) EXPECT_FALSE(filter.MayHold(stranger.hash));
  }
}

TEST(KeyFilterTest, TakesTheLeastAndTheGreatestHash) {
  KeyFilter filter(std::size_t{2});
  filter.Add(0);
  filter.Add(~std::uint64_t{0});
  EXPECT_TRUE(filter.MayHold(0));
  EXPECT_TRUE(filter.MayHold(~std::uint64_t{0}));
  EXPECT_EQ(KeyFilter(filter.Octets()).Octets(), filter.Octets());
}

}  // namespace
}  // namespace hourglass::issuance
