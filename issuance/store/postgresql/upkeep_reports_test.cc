#include "issuance/store/postgresql/upkeep_reports.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "hsm/base/error.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::ElementsAre;

absl::Status Failure(absl::string_view message) {
  return Error(ErrorReason::kJournalUnavailable, "", message);
}

class UpkeepReportsTest : public testing::Test {
 protected:
  std::vector<std::string> News() { return std::exchange(told_, {}); }

  std::vector<std::string> told_;
  UpkeepReports reports_{[this](const absl::Status& status) {
    told_.push_back(status.ok() ? "OK" : std::string(status.message()));
    EXPECT_TRUE(status.ok() || ReasonOf(status) == ErrorReason::kJournalUnavailable);
  }};
};

TEST_F(UpkeepReportsTest, TellsEachKindOfFailureOnce) {
  reports_.Report("a", absl::OkStatus());
  EXPECT_THAT(News(), ElementsAre()) << "what never failed is no news";
  reports_.Report("a", Failure("one"));
  reports_.Report("a", Failure("one"));
  reports_.Report("a", Failure("two"));
  reports_.Report("a", Failure("one"));
  reports_.Report("a", Failure("two"));
  EXPECT_THAT(News(), ElementsAre("a: one", "a: two"));
  reports_.Report("a", absl::OkStatus());
  reports_.Report("a", absl::OkStatus());
  EXPECT_THAT(News(), ElementsAre("OK"));
  reports_.Report("a", Failure("two"));
  EXPECT_THAT(News(), ElementsAre("a: two"));
}

TEST_F(UpkeepReportsTest, FallsSilentWhenEachMessageIsAnother) {
  for (int i = 0; i < 1000; ++i) reports_.Report("a", Failure(std::to_string(i)));
  EXPECT_EQ(News().size(), UpkeepReports::kMostMessages);
  reports_.Report("a", absl::OkStatus());
  reports_.Report("a", Failure("1000"));
  EXPECT_THAT(News(), ElementsAre("OK", "a: 1000"));
}

TEST_F(UpkeepReportsTest, IsWellOnceAllPartsAre) {
  reports_.Report("a", Failure("one"));
  reports_.Report("b", Failure("one"));
  EXPECT_THAT(News(), ElementsAre("a: one", "b: one"));
  reports_.Report("a", absl::OkStatus());
  EXPECT_THAT(News(), ElementsAre());
  reports_.Report("b", absl::OkStatus());
  EXPECT_THAT(News(), ElementsAre("OK"));
}

TEST_F(UpkeepReportsTest, NeedsNoObserver) {
  UpkeepReports silent(nullptr);
  silent.Report("a", Failure("one"));
  silent.Report("a", absl::OkStatus());
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
