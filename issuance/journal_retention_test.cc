#include "issuance/journal_retention.h"

#include <gmock/gmock.h>

#include <future>
#include <memory>
#include <optional>

#include "issuance/store/sqlite_store.h"
#include "issuance/store/testing/forwarding_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

// Tells when it has been asked to drop.
class WatchedStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::Status DropJournalBefore(Timestamp before) override {
    const absl::Status status = ForwardingStore::DropJournalBefore(before);
    dropped_.set_value(before);
    return status;
  }
  Timestamp WaitForDrop() { return dropped_.get_future().get(); }

 private:
  std::promise<Timestamp> dropped_;
};

TEST(JournalRetentionTest, DropsWhatIsOlderAsSoonAsItStarts) {
  const TemporaryDirectory directory;
  SqliteStoreOptions options;
  options.segment_intents = 1;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> sqlite,
                       OpenSqliteStore(directory.File("store.sqlite"), options));
  ASSERT_OK(AddSamplePrimary(*sqlite));
  const ManualClock clock;
  for (const int days : {11, 9}) {
    Intent intent = SampleIntent(days == 11 ? "old" : "young");
    intent.intended_at = clock.Now() - std::chrono::hours(24 * days);
    intent.not_after =
        std::chrono::floor<std::chrono::seconds>(intent.intended_at) + std::chrono::hours(1);
    ASSERT_OK(Append(*sqlite, intent));
  }
  WatchedStore store(sqlite.get());
  {
    const JournalRetention retention(std::chrono::hours(24 * 10), &store, &clock,
                                     EventLog::Silent());
    EXPECT_EQ(store.WaitForDrop(), clock.Now() - std::chrono::hours(24 * 10));
  }
  EXPECT_OK(sqlite->FindByRequestId(kSampleTenant, "young"));
  EXPECT_THAT(sqlite->FindByRequestId(kSampleTenant, "old"),
              FailsWith(ErrorReason::kCertificateUnknown));
}

}  // namespace
}  // namespace hourglass::issuance
