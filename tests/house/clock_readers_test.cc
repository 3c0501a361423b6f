#include "tests/house/clock_readers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>

#include "tests/support/temporary_directory.h"

namespace hourglass::house {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ClockReadersTest, OnlyThoseOfTheTableReadAClockByThemselves) {
  std::size_t sources = 0;
  std::set<std::string> readers;
  for (const char* top : {"ca", "hsm", "issuance"}) {
    for (const auto& file : std::filesystem::recursive_directory_iterator(top)) {
      const std::filesystem::path& path = file.path();
      if (path.extension() != ".cc" && path.extension() != ".h") continue;
      ++sources;
      if (ReadsAClock(ReadFileOrDie(path.string()))) readers.insert(path.string());
    }
  }
  // Else this has seen a part only.
  ASSERT_GT(sources, 300U);
  const std::set<std::string> permitted = PermittedReaders(ReadFileOrDie("docs/architecture.md"));
  for (const std::string& reader : readers) {
    EXPECT_EQ(permitted.count(reader), 1U)
        << reader << " reads a clock: what decides is given one (issuance/base/clock.h); what "
        << "waits or measures has a line in docs/architecture.md, under Time";
  }
  for (const std::string& reader : permitted) {
    EXPECT_EQ(readers.count(reader), 1U) << reader << " is in the table, and reads no clock";
  }
}

TEST(ClockReadersTest, SeesAReadingWhereverItStands) {
  for (const char* reading :
       {"const auto now = std::chrono::system_clock::now();", "x = Steady::now() - begun;",
        "std::function<Time()> now = std::chrono::steady_clock::now);", "return absl::Now();",
        "const SystemClock clock;", "  clock_gettime(CLOCK_REALTIME, &now);  // why",
        "int main() {\n  std::time(nullptr);\n}"}) {
    EXPECT_TRUE(ReadsAClock(reading)) << reading;
  }
  for (const char* other :
       {"const Timestamp now = clock_->Now();", "// clock_gettime(2), or steady_clock::now()",
        "std::chrono::steady_clock::time_point due;", "wait_for(lock, time(seconds))", ""}) {
    EXPECT_FALSE(ReadsAClock(other)) << other;
  }
}

TEST(ClockReadersTest, ReadsTheTable) {
  EXPECT_THAT(PermittedReaders("text `no`\n\n| reads a clock | what for |\n|---|---|\n"
                               "| `b/x.cc` | waits for `y` |\n| `a.h` | |\n\n| `other` | |\n"),
              ElementsAre("a.h", "b/x.cc"));
  EXPECT_THAT(PermittedReaders("| room |\n| `ca` |\n"), IsEmpty());
}

}  // namespace
}  // namespace hourglass::house
