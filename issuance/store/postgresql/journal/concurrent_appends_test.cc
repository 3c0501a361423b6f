// Appends beside promotions, and beside those of other processes: each waits for whom it must.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/postgresql/journal/testing/journal_test.h"

namespace hourglass::issuance::postgresql {
namespace {

class ConcurrentAppendsTest : public JournalTest {};

TEST_F(ConcurrentAppendsTest, AnAppendWaitsForAPromotionAndIsRefusedAfterIt) {
  ASSERT_OK(Append(SampleIntent("intended")));
  ASSERT_OK_AND_ASSIGN(Transaction promotion, Transaction::Begin(*owner_));
  ASSERT_OK(Promote(*owner_));
  absl::Status intent, release;
  std::thread appends([&] {
    intent = Append(SampleIntent("late"));
    release = Append(ReleaseOf(SampleIntent("intended")));
  });
  AwaitWaiting("advisory", "ShareLock");
  EXPECT_OK(promotion.Commit());
  appends.join();
  EXPECT_THAT(intent, FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_THAT(release, FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_EQ(Count("intents"), 1);
  EXPECT_EQ(Count("releases"), 0);
}

TEST_F(ConcurrentAppendsTest, AnAppendThatWaitedForAPromotionThatFailedIsWritten) {
  absl::Status intent;
  std::thread appends;
  {
    ASSERT_OK_AND_ASSIGN(const Transaction promotion, Transaction::Begin(*owner_));
    ASSERT_OK(Promote(*owner_));
    appends = std::thread([&] { intent = Append(SampleIntent("r-1")); });
    AwaitWaiting("advisory", "ShareLock");
  }
  appends.join();
  EXPECT_OK(intent);
}

// Somebody else has the key of a request, and has not decided.
class KeyHolder {
 public:
  KeyHolder(Connection* connection, absl::string_view request_id) : connection_(*connection) {
    EXPECT_OK(
        connection_.Execute(absl::StrCat("BEGIN; INSERT INTO journal_keys VALUES ('contoso', '",
                                         request_id, "', 'root-1', '\\x00', 1, 0, 0, 0)")));
  }
  void Leave() { EXPECT_OK(connection_.Execute("ROLLBACK")); }

 private:
  Connection& connection_;
};

TEST_F(ConcurrentAppendsTest, APromotionWaitsForAnAppendThatIsUnderWay) {
  ASSERT_OK(Append(SampleIntent("r-0")));
  const std::unique_ptr<Connection> elsewhere = ConnectOwner();
  KeyHolder holder(elsewhere.get(), "r-1");
  absl::Status appended, promoted;
  std::thread appends([&] { appended = Append(SampleIntent("r-1")); });
  AwaitWaiting("transactionid", "ShareLock");
  std::atomic<bool> is_promoted = false;
  std::thread promotes([&] {
    const std::unique_ptr<Connection> connection = ConnectOwner();
    promoted = [&]() -> absl::Status {
      ASSIGN_OR_RETURN(Transaction promotion, Transaction::Begin(*connection));
      RETURN_IF_ERROR(Promote(*connection));
      is_promoted = true;
      return promotion.Commit();
    }();
  });
  AwaitWaiting("advisory", "ExclusiveLock");
  EXPECT_FALSE(is_promoted);
  holder.Leave();
  appends.join();
  promotes.join();
  EXPECT_OK(appended);
  EXPECT_OK(promoted);
  EXPECT_EQ(Number("SELECT epoch FROM journal_keys WHERE request_id = 'r-1'"), 1);
}

// Two processes with the same requests wait for each other only where each has a key that the other
// one wants.
TEST_F(ConcurrentAppendsTest, TakesKeysInOneOrderWhateverTheOrderOfTheBatch) {
  ASSERT_OK(Append(SampleIntent("r-0")));
  const std::unique_ptr<Connection> elsewhere = ConnectOwner();
  KeyHolder holder(elsewhere.get(), "a");
  absl::StatusOr<std::vector<absl::Status>> appended;
  std::thread appends([&] {
    appended = journal_.AppendToJournal({SampleIntent("b"), SampleIntent("a"), SampleIntent("c")});
  });
  AwaitWaiting("transactionid", "ShareLock");
  EXPECT_OK(elsewhere->Execute(
      "SET LOCAL lock_timeout = 500; INSERT INTO journal_keys VALUES "
      "('contoso', 'b', 'root-1', '\\x01', 1, 0, 0, 0), ('contoso', 'c', 'root-1', '\\x02', 1, 0, "
      "0, 0)"))
      << "the append has them already";
  holder.Leave();
  appends.join();
  ASSERT_OK(appended);
  for (const absl::Status& status : *appended) EXPECT_OK(status);
}

TEST_F(ConcurrentAppendsTest, TwoProcessesWithTheSameRequestsWriteEachOnce) {
  constexpr int kRounds = 20, kRequests = 16;
  PostgresqlJournal other(pool_.get(), kSpan);
  std::atomic<int> written = 0, refused = 0, failed = 0;
  const auto append = [&](JournalStore& journal, bool reversed) {
    for (int round = 0; round < kRounds; ++round) {
      std::vector<JournalWrite> writes;
      for (int i = 0; i < kRequests; ++i) {
        const int number = reversed ? kRequests - 1 - i : i;
        writes.push_back(SampleIntent(absl::StrCat(round, "-", number)));
      }
      const auto statuses = journal.AppendToJournal(writes);
      if (!statuses.ok()) ++failed;
      for (const absl::Status& status : statuses.value_or(std::vector<absl::Status>())) {
        if (status.ok()) {
          ++written;
        } else if (ReasonOf(status) == ErrorReason::kRequestIdReused) {
          ++refused;
        }
      }
    }
  };
  std::thread one([&] { append(journal_, false); }), two([&] { append(other, true); });
  one.join();
  two.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(written, kRounds * kRequests);
  EXPECT_EQ(refused, kRounds * kRequests);
  EXPECT_EQ(Count("intents"), kRounds * kRequests);
}

TEST_F(ConcurrentAppendsTest, AConnectionThatEndsIsAJournalThatIsUnavailable) {
  ASSERT_OK(Append(SampleIntent("r-0")));
  const std::unique_ptr<Connection> elsewhere = ConnectOwner();
  KeyHolder holder(elsewhere.get(), "r-2");
  absl::StatusOr<std::vector<absl::Status>> appended;
  std::thread appends([&] {
    appended = journal_.AppendToJournal({SampleIntent("r-1"), SampleIntent("r-2")});
  });
  AwaitWaiting("transactionid", "ShareLock");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Connection> superuser,
                       Connection::Open(cluster_.SuperuserOf(database_)));
  ASSERT_OK(superuser->Execute(
      "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND locktype = "
      "'transactionid'"));
  appends.join();
  holder.Leave();
  EXPECT_THAT(appended, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_EQ(Count("intents"), 1);
  EXPECT_OK(Append(SampleIntent("r-1"))) << "by another connection";
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
