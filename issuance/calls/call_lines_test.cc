#include "issuance/calls/call_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;

class CallLinesTest : public testing::Test {
 protected:
  static bool Add(CallLines& lines, const std::string& caller, std::vector<std::string>& ran,
                  const std::string& name) {
    return lines.Add(caller, [&ran, name] { ran.push_back(name); });
  }

  // One after the other, until nothing can be taken.
  static void RunAll(CallLines& lines) {
    while (lines.HasOne()) {
      const CallLines::Taken taken = lines.Take();
      taken.call();
      lines.End(taken.caller);
    }
  }

  std::vector<std::string> ran_;
};

TEST_F(CallLinesTest, CallersTakeTurnsAndEachIsServedInItsOrder) {
  CallLines lines({100, 100, 4});
  for (const char* name : {"a1", "a2", "a3"}) ASSERT_TRUE(Add(lines, "a", ran_, name));
  for (const char* name : {"b1", "b2"}) ASSERT_TRUE(Add(lines, "b", ran_, name));
  ASSERT_TRUE(Add(lines, "c", ran_, "c1"));
  RunAll(lines);
  EXPECT_THAT(ran_, ElementsAre("a1", "b1", "c1", "a2", "b2", "a3"));
  EXPECT_EQ(lines.waiting(), 0U);
}

TEST_F(CallLinesTest, WhoFloodsIsRefusedAndWhoDoesNotIsAdmitted) {
  CallLines lines({10, 5, 4});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Add(lines, "flood", ran_, "f"));
  EXPECT_FALSE(Add(lines, "flood", ran_, "f")) << "has as many as may wait";
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Add(lines, "second", ran_, "s"));
  // Ten wait. A third caller has a share of three.
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Add(lines, "third", ran_, "t")) << i;
  EXPECT_FALSE(Add(lines, "third", ran_, "t"));
  EXPECT_TRUE(Add(lines, "fourth", ran_, "4"));
  EXPECT_FALSE(Add(lines, "flood", ran_, "f"));
}

TEST_F(CallLinesTest, NeverMoreThanTwiceTheBound) {
  CallLines lines({4, 4, 4});
  int admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += Add(lines, "caller" + std::to_string(i), ran_, "x");
  EXPECT_EQ(admitted, 8);
}

TEST_F(CallLinesTest, ACallerHasSoManyRunningAndNoMore) {
  CallLines lines({100, 100, 2});
  for (const char* name : {"a1", "a2", "a3"}) ASSERT_TRUE(Add(lines, "a", ran_, name));
  ASSERT_TRUE(Add(lines, "b", ran_, "b1"));
  std::vector<std::string> callers;
  while (lines.HasOne()) callers.push_back(lines.Take().caller);
  EXPECT_THAT(callers, ElementsAre("a", "b", "a"));
  EXPECT_EQ(lines.waiting(), 1U);
  lines.End("b");
  EXPECT_FALSE(lines.HasOne());
  lines.End("a");
  ASSERT_TRUE(lines.HasOne());
  lines.Take().call();
  EXPECT_THAT(ran_, ElementsAre("a3"));
}

}  // namespace
}  // namespace hourglass::issuance
