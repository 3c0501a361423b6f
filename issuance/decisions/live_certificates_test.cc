#include "issuance/decisions/live_certificates.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class LiveCertificatesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, OpenSqliteStore(directory_.File("store.sqlite")));
    ASSERT_OK(AddSamplePrimary(*store_));
  }

  void Issue(const std::string& request_id, int at, const std::string& user = "user",
             bool is_released = true) {
    Intent intent = SampleIntent(request_id);
    intent.intended_at = SampleTime(at);
    intent.verdict_evaluated_at = SampleTime(at);
    intent.user_upn = user + "@contoso.example";
    intent.user_id = user;
    ASSERT_OK(Append(*store_, intent));
    if (!is_released) return;
    ASSERT_OK(Append(*store_, ReleaseOf(intent)));
  }

  std::vector<std::string> Concerned(const DecisionEvent& event, Timestamp now = SampleTime(99)) {
    const auto concerned = CertificatesConcerned(*store_, event, now);
    EXPECT_OK(concerned);
    std::vector<std::string> ids;
    for (const JournalRecord& record : concerned->records) ids.push_back(record.intent.request_id);
    EXPECT_TRUE(concerned->is_complete);
    return ids;
  }

  const TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
};

TEST_F(LiveCertificatesTest, AnEventConcernsWhatWasAllowedBeforeIt) {
  Issue("before", -10);
  Issue("never released", -9, "user", false);
  Issue("of another", -8, "other");
  Issue("under way", 30);
  Issue("after", 31);
  DecisionEvent event = SampleEvent("laptop-1");
  EXPECT_THAT(Concerned(event), ElementsAre("before")) << "by the verdict's own time";
  event.kind = DecisionEvent::Kind::kDeviceBlocked;
  EXPECT_THAT(Concerned(event), ElementsAre("under way", "before"));
  event.user_id.clear();
  event.user_upn.clear();
  EXPECT_THAT(Concerned(event), ElementsAre("under way", "of another", "before"));
  event.device_id = "laptop-2";
  EXPECT_THAT(Concerned(event), IsEmpty());
  event.device_id.clear();
  event.user_id = "other";
  EXPECT_THAT(Concerned(event), ElementsAre("of another")) << "by the id alone";
  event.user_upn = "OTHER@contoso.example";
  EXPECT_THAT(Concerned(event), ElementsAre("of another"));
  EXPECT_THAT(Concerned(event, SampleTime(3700)), IsEmpty()) << "it has expired";
}

TEST_F(LiveCertificatesTest, TheNewestOfADeviceComeFirst) {
  for (int i = 1; i <= 3; ++i) Issue(std::string(1, static_cast<char>('0' + i)), i);
  ASSERT_OK_AND_ASSIGN(
      const std::vector<JournalRecord> two,
      LiveCertificatesOf(*store_, kSampleTenant, "laptop-1", "", SampleTime(9), 2));
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[0].intent.request_id, "3");
  EXPECT_EQ(two[1].intent.request_id, "2");
}

}  // namespace
}  // namespace hourglass::issuance
