// Promise 3: what was acknowledged is there, whenever the process is killed.
#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

constexpr char kWriter[] = "issuance/store/testing/journal_writer";

// How many lines of the log, each an acknowledged request id, are released in the store. The last
// line may be cut short.
int CountReleased(Store& store, const std::string& log) {
  int released = 0;
  std::istringstream lines(log.substr(0, log.rfind('\n') + 1));
  for (std::string request_id; std::getline(lines, request_id);) {
    const auto found = store.FindByRequestId(kSampleTenant, request_id);
    EXPECT_OK(found) << request_id;
    if (!found.ok()) continue;
    EXPECT_EQ(found->certificate, ReleaseOf(SampleIntent(request_id)).certificate);
    ++released;
  }
  return released;
}

void ExpectSound(const std::string& path) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<sqlite::Connection> connection,
                       sqlite::Connection::Open(path, std::chrono::milliseconds(1000)));
  ASSERT_OK_AND_ASSIGN(sqlite::Rows rows, connection->Query("PRAGMA integrity_check"));
  ASSERT_OK(rows.Next());
  EXPECT_EQ(rows.TakeOctets(), "ok") << path;
}

// Kills a writer again and again, at any instant, and returns how many releases it had
// acknowledged.
int KillAndLook(const std::string& task, const TemporaryDirectory& directory, int runs) {
  const std::string path = directory.File("hourglass.db");
  std::mt19937 random(2026);
  std::uniform_int_distribution<std::uintmax_t> log_size(0, 4000);
  int acknowledged = 0;
  for (int run = 0; run < runs; ++run) {
    const std::uintmax_t enough = log_size(random);
    const std::string log = directory.Write(absl::StrCat("log-", run), "");
    BackgroundProcess writer({kWriter, task, path, absl::StrCat("run", run)}, log);
    while (std::filesystem::file_size(log) < enough && writer.Running()) {
      std::this_thread::yield();
    }
    EXPECT_EQ(writer.Stop(SIGKILL), 128 + SIGKILL) << writer.Log();

    SqliteStoreOptions options;
    options.segment_intents = 50;
    const absl::StatusOr<std::unique_ptr<Store>> store = OpenSqliteStore(path, options);
    EXPECT_OK(store);
    if (!store.ok()) return acknowledged;
    acknowledged += CountReleased(**store, writer.Log());
    ExpectSound(path);
    EXPECT_OK(Append(**store, SampleIntent(absl::StrCat("after ", run))));
    EXPECT_OK(Append(**store, ReleaseOf(SampleIntent(absl::StrCat("after ", run)))));
  }
  for (const auto& file : std::filesystem::directory_iterator(path + ".journal")) {
    if (file.path().extension() == ".sqlite") ExpectSound(file.path());
  }
  return acknowledged;
}

TEST(SqliteKillTest, EveryAcknowledgedWriteIsThere) {
  const TemporaryDirectory directory;
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store,
                         OpenSqliteStore(directory.File("hourglass.db")));
    ASSERT_OK(AddSamplePrimary(*store));
  }
  EXPECT_GT(KillAndLook("load", directory, 12), 100);
}

TEST(SqliteKillTest, EveryAcknowledgedWriteIsThereWhileFilesAreSealedAndIndexed) {
  const TemporaryDirectory directory;
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store,
                         OpenSqliteStore(directory.File("hourglass.db")));
    ASSERT_OK(AddSamplePrimary(*store));
  }
  EXPECT_GT(KillAndLook("roll", directory, 25), 100);
  EXPECT_TRUE(std::filesystem::exists(directory.File("hourglass.db.journal/00000005.sqlite")));
}

}  // namespace
}  // namespace hourglass::issuance
