#include "tests/house/rooms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::house {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

// What everything may stand on, and the table need not say.
constexpr char kGround[] = "hsm/base";

Arrows OfThePrograms() { return ArrowsOf(ReadFileOrDie("tests/house/programs_graph")); }

std::vector<TableRow> OfTheTable() { return TableOf(ReadFileOrDie("docs/architecture.md")); }

std::set<std::string> WithoutGround(std::set<std::string> rooms) {
  rooms.erase(kGround);
  return rooms;
}

TEST(RoomsTest, TheTableHasEveryRoomAndEveryArrow) {
  const Arrows arrows = OfThePrograms();
  std::cout << Describe(arrows);
  ASSERT_GT(arrows.size(), 20U);
  std::set<std::string> in_table;
  for (const TableRow& row : OfTheTable()) {
    EXPECT_TRUE(in_table.insert(row.room).second) << row.room << " has two lines";
    const auto real = arrows.find(row.room);
    if (real == arrows.end()) {
      ADD_FAILURE() << row.room << " is in the table, and in no program";
      continue;
    }
    EXPECT_EQ(row.stands_on, WithoutGround(real->second)) << "the line of " << row.room;
  }
  for (const auto& [room, below] : arrows) {
    EXPECT_EQ(in_table.count(room), 1U) << room << " is not in the table";
  }
}

TEST(RoomsTest, NoArrowGoesUp) {
  const std::vector<TableRow> table = OfTheTable();
  const auto place = [&table](const std::string& room) {
    return std::find_if(table.begin(), table.end(),
                        [&room](const TableRow& row) { return row.room == room; }) -
           table.begin();
  };
  int arrows_down = 0;
  for (const auto& [room, below] : OfThePrograms()) {
    for (const std::string& other : below) {
      EXPECT_LT(place(room), place(other)) << room << " stands on " << other;
      ++arrows_down;
    }
  }
  EXPECT_GT(arrows_down, 50);
  EXPECT_THAT(Circles(OfThePrograms()), IsEmpty());
}

TEST(RoomsTest, ReadsAGraph) {
  const Arrows arrows = ArrowsOf(R"(digraph mygraph {
  node [shape=box];
  "//tools/hourglass:hourglass" -> "//ca:authority"
  "//ca:authority" -> "//ca:specimens"
  "//ca:authority" -> "//ca/lint:lint"
  "//ca/lint:lint" -> "@system//:absl"
  "//ca:authority" -> "//ca/testing:test_ca"
  "//hsm/key:key_uri"
})");
  EXPECT_THAT(arrows, UnorderedElementsAre(Pair("ca", UnorderedElementsAre("ca/lint")),
                                           Pair("ca/lint", IsEmpty()), Pair("hsm/key", IsEmpty())));
  EXPECT_THAT(Circles(arrows), IsEmpty());
  EXPECT_EQ(Floors(arrows), 2);
}

TEST(RoomsTest, FindsCircles) {
  const Arrows arrows = {{"a", {"b"}}, {"b", {"c"}}, {"c", {"a", "d"}}, {"d", {}}, {"e", {"d"}}};
  EXPECT_THAT(Circles(arrows), ElementsAre(UnorderedElementsAre("a", "b", "c")));
  EXPECT_EQ(Floors(arrows), 2);
  EXPECT_EQ(Describe(arrows),
            "a -> b\nb -> c\nc -> a d\nd -> \ne -> d\na circle: a b c\n"
            "5 rooms, 2 floors, 5 arrows, 1 circles\n");
}

TEST(RoomsTest, ReadsATable) {
  const std::vector<TableRow> table = TableOf(
      "# A\n\n| other | b |\n|---|---|\n| `no` | |\n\n| room | what | stands on |\n|---|---|---|\n"
      "| `ca` | `x` | `ca/lint`, `hsm/key` |\n| `hsm/key` | y | |\n\n| `z` | | |\n");
  ASSERT_EQ(table.size(), 2U);
  EXPECT_EQ(table[0].room, "ca");
  EXPECT_THAT(table[0].stands_on, UnorderedElementsAre("ca/lint", "hsm/key"));
  EXPECT_EQ(table[1].room, "hsm/key");
  EXPECT_THAT(table[1].stands_on, IsEmpty());
}

}  // namespace
}  // namespace hourglass::house
