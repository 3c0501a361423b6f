#include "tools/hourglass/move_progress.h"

#include <gtest/gtest.h>

#include <sstream>

namespace hourglass::cli {
namespace {

using Step = issuance::MoveProgress::Step;

TEST(MoveProgressLineTest, WithoutATerminalEachTenthOfAStepIsALine) {
  std::ostringstream out;
  MoveProgressLine line(&out, false, [] { return absl::UnixEpoch(); });
  line.Show({Step::kReading, 500, 0});
  for (int done = 1; done <= 20; ++done) line.Show({Step::kWriting, done * 50, 1000});
  line.Show({Step::kComparing, 1000, 1000});
  line.End();
  EXPECT_EQ(out.str().find("Writing: 100 of 1000 records, 10 %\nWriting: 200 of"), 0u) << out.str();
  std::istringstream lines(out.str());
  int count = 0;
  for (std::string one; std::getline(lines, one);) ++count;
  EXPECT_EQ(count, 11);
  EXPECT_NE(out.str().find("Comparing: 1000 of 1000 records, 100 %\n"), std::string::npos);
}

TEST(MoveProgressLineTest, OnATerminalOneLineIsWrittenAnewEachSecond) {
  std::ostringstream out;
  absl::Time now = absl::UnixEpoch();
  MoveProgressLine line(&out, true, [&] { return now; });
  line.Show({Step::kReading, 500, 0});
  now += absl::Milliseconds(999);
  line.Show({Step::kReading, 1000, 0});
  now += absl::Milliseconds(1);
  line.Show({Step::kReading, 1500, 0});
  line.Show({Step::kWriting, 500, 1500});
  line.Show({Step::kWriting, 1500, 1500});
  line.End();
  line.End();
  EXPECT_EQ(out.str(),
            "\rReading: 500 records\x1b[K\rReading: 1500 records\x1b[K"
            "\rWriting: 500 of 1500 records, 33 %\x1b[K"
            "\rWriting: 1500 of 1500 records, 100 %\x1b[K\n");
}

}  // namespace
}  // namespace hourglass::cli
