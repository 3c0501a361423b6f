#include "issuance/decisions/event_cursor.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "hsm/base/error.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

TEST(EventCursorTest, IsOfOneEventThatIsKept) {
  const TemporaryDirectory directory;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store,
                       OpenSqliteStore(directory.File("store.sqlite")));
  ASSERT_OK(AddSamplePrimary(*store));
  ASSERT_OK(AddSamplePrimary(*store, "fabrikam"));
  for (const char* device : {"laptop-1", "laptop-2"}) {
    ASSERT_OK(store->KeepRefusals({}, {{SampleEvent(device), SampleTime(1)}}));
  }
  DecisionEvent second = store->FindEvent(kSampleTenant, 2)->value();
  const std::string cursor = CursorOf(second);
  EXPECT_EQ(SequenceAt(*store, kSampleTenant, cursor).value(), 2u);
  const auto unknown = FailsWith(ErrorReason::kCursorUnknown, "cursor");
  EXPECT_THAT(SequenceAt(*store, "fabrikam", cursor), unknown);
  // As of another history, that came to as many.
  second.device_id = "laptop-3";
  EXPECT_THAT(SequenceAt(*store, kSampleTenant, CursorOf(second)), unknown);
  second.sequence = 3;
  EXPECT_THAT(SequenceAt(*store, kSampleTenant, CursorOf(second)), unknown);
  for (const std::string& forged : {std::string("2"), std::string("x"), "0" + cursor, " " + cursor,
                                    cursor + "0", std::string(9999, '2')}) {
    EXPECT_THAT(SequenceAt(*store, kSampleTenant, forged), unknown) << forged;
  }
}

}  // namespace
}  // namespace hourglass::issuance
