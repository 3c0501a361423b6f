#include "issuance/store/sqlite/key_index/key_table.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "issuance/store/sqlite/key_index/testing/random_entries.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(KeyTableTest, FindsAllOfAHash) {
  KeyTable table;
  for (const KeyEntry& entry : RandomEntries(1000)) table.Add(entry);
  table.Add({5, 2001});
  table.Add({5, 2002});
  table.Add({6, 2003});
  for (const KeyEntry& entry : RandomEntries(1000)) {
    Candidates candidates;
    table.Find(entry.hash, candidates);
    EXPECT_THAT(candidates, ElementsAre(entry.sequence));
  }
  Candidates candidates;
  table.Find(5, candidates);
  EXPECT_THAT(candidates, UnorderedElementsAre(2001, 2002));
  candidates.clear();
  table.Find(7, candidates);
  EXPECT_THAT(candidates, IsEmpty());
  const std::vector<KeyEntry> sorted = table.Sorted();
  EXPECT_EQ(sorted.size(), 1003u);
  EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end()));
}

TEST(KeyTableTest, GrowsWithWhatItHolds) {
  KeyTable table;
  std::vector<KeyEntry> expected;
  for (std::int64_t i = 1; i <= 300; ++i) {
    // All in the same place of the table at first.
    const KeyEntry entry{static_cast<std::uint64_t>(300 - i) << 20, i};
    table.Add(entry);
    expected.push_back(entry);
    for (const KeyEntry& there : {entry, expected.front(), expected[expected.size() / 2]}) {
      Candidates candidates;
      table.Find(there.hash, candidates);
      ASSERT_THAT(candidates, ElementsAre(there.sequence)) << i;
    }
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(table.Sorted(), expected);
}

TEST(KeyTableTest, TakesEveryHash) {
  KeyTable table;
  Candidates candidates;
  table.Find(0, candidates);
  EXPECT_THAT(candidates, IsEmpty()) << "a free place is no entry";
  EXPECT_THAT(table.Sorted(), IsEmpty());
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  table.Add({0, 1});
  table.Add({most, 2});
  table.Find(0, candidates);
  EXPECT_THAT(candidates, ElementsAre(1));
  table.Find(most, candidates);
  EXPECT_THAT(candidates, ElementsAre(1, 2)) << "it appends";
}

}  // namespace
}  // namespace hourglass::issuance
