#include "issuance/store/change_news.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/error.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ChangeNewsTest : public testing::Test {
 protected:
  static absl::Status Refused(ErrorReason reason) { return Error(reason, "", "refused"); }

  const absl::Status fenced_ = Refused(ErrorReason::kPrimaryChanged);
  const absl::Status unknown_ = Refused(ErrorReason::kJournalUnavailable);
  const absl::Status other_ = Refused(ErrorReason::kRootMoveIllegal);
  TenantChanges changes_;
  std::vector<std::string> told_;
  const TenantChanges::Subscription subscription_ = changes_.Subscribe(
      [this](absl::string_view tenant_id) { told_.push_back(std::string(tenant_id)); });
};

TEST_F(ChangeNewsTest, OfAWriteOnlyTheFencesRefusalIsNews) {
  for (const absl::Status& status : {absl::OkStatus(), unknown_, other_}) {
    EXPECT_EQ(TellIfFenced(changes_, "contoso", status), status);
  }
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_EQ(TellIfFenced(changes_, "contoso", fenced_), fenced_);
  EXPECT_THAT(told_, ElementsAre("contoso"));
}

TEST_F(ChangeNewsTest, OfAChangeWhatMayHaveBeenMadeIsNewsToo) {
  EXPECT_EQ(TellOfChange(changes_, "a", absl::OkStatus()), absl::OkStatus());
  EXPECT_EQ(TellOfChange(changes_, "b", unknown_), unknown_);
  EXPECT_EQ(TellOfChange(changes_, "c", fenced_), fenced_);
  EXPECT_EQ(TellOfChange(changes_, "d", other_), other_);
  EXPECT_THAT(told_, ElementsAre("a", "b", "c"));
  EXPECT_EQ(TellOfChange(changes_, "e", absl::StatusOr<int>(7)).value(), 7);
  EXPECT_EQ(TellOfChange(changes_, "f", absl::StatusOr<int>(other_)).status(), other_);
  EXPECT_THAT(told_, ElementsAre("a", "b", "c", "e"));
}

TEST_F(ChangeNewsTest, EachTenantOfABatchThatWasFencedIsToldOfOnce) {
  Intent intent;
  Release release;
  std::vector<JournalWrite> writes;
  for (const char* tenant_id : {"b", "a", "b", "c"}) {
    intent.tenant_id = tenant_id;
    writes.push_back(intent);
  }
  release.tenant_id = "d";
  writes.push_back(release);
  TellOfFenced(changes_, writes, {fenced_, fenced_, fenced_, other_, absl::OkStatus()});
  EXPECT_THAT(told_, ElementsAre("a", "b"));
  TellOfFenced(changes_, writes, {other_, other_, other_, other_, fenced_});
  EXPECT_THAT(told_, ElementsAre("a", "b", "d"));
}

}  // namespace
}  // namespace hourglass::issuance
