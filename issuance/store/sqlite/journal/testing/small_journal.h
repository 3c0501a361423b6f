// A journal for tests of its parts, without the thread that indexes.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_TESTING_SMALL_JOURNAL_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_TESTING_SMALL_JOURNAL_H_

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/engine/sqlite_schema.h"
#include "issuance/store/sqlite/journal/journal_appender.h"
#include "issuance/store/sqlite/journal/key_run_mending.h"
#include "issuance/store/sqlite/journal/segment_roll.h"
#include "issuance/store/sqlite/segments/journal_files.h"
#include "issuance/store/sqlite/segments/segment_catalog.h"
#include "issuance/store/sqlite/segments/segment_file.h"
#include "issuance/store/sqlite/tables/sqlite_roots.h"
#include "issuance/store/sqlite/tables/sqlite_tenants.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {

// For one thread. Ends the process where it cannot be made.
class SmallJournal {
 private:
  static void OrDie(const absl::Status& status) {
    if (status.ok()) return;
    std::cerr << "no journal for the test: " << status << "\n";
    std::abort();
  }

 public:
  // With the primary of kSampleTenant, as AddSamplePrimary makes it, and an empty segment 1.
  SmallJournal() {
    OrDie(Transact([this]() -> absl::Status {
      RETURN_IF_ERROR(CreateTenant(*main, SampleTenant()));
      RETURN_IF_ERROR(AddRoot(*main, SampleRoot(1)));
      return ChangeRootStates(
          *main, kSampleTenant, 1,
          {{std::string(kSampleRoot), ca::RootState::kStaged, ca::RootState::kPrimary}},
          {SampleTime()});
    }));
    OrDie(Transact([this] { return StartJournal(*main, folder); }));
  }

  std::unique_ptr<Connection> Connect() const {
    std::unique_ptr<Connection> connection =
        Connection::Open(path, std::chrono::milliseconds(100)).value();
    OrDie(UseWriteAheadLog(*connection));
    OrDie(Migrate(*connection, Migrations()));
    return connection;
  }

  // Calls it in one transaction on the main file, which is committed if it returns OK. Its status,
  // or why that could not be.
  template <typename Statements>
  auto Transact(Statements statements) -> decltype(statements()) {
    Transaction transaction = Transaction::Begin(*main).value();
    auto result = statements();
    if (!result.ok()) return result;
    const absl::Status committed = transaction.Commit();
    if (!committed.ok()) return committed;
    return result;
  }

  absl::StatusOr<std::vector<absl::Status>> AppendAll(const std::vector<JournalWrite>& writes,
                                                      std::int64_t segment_intents = 1000) {
    bool sealed = false;
    return JournalAppender(&files, {segment_intents}).Append(*main, writes, sealed);
  }
  // The status of the one write.
  absl::Status Append(const JournalWrite& write) {
    ASSIGN_OR_RETURN(const std::vector<absl::Status> statuses, AppendAll({write}));
    return statuses.size() == 1 ? statuses.front() : absl::InternalError("not one status");
  }
  // An intent of this id, `seconds` after SampleTime.
  static Intent IntentAt(const std::string& request_id, int seconds) {
    Intent intent = SampleIntent(request_id);
    intent.intended_at = SampleTime(seconds);
    return intent;
  }
  // The same with the id `tSECONDS`.
  static Intent At(int seconds) { return IntentAt(absl::StrCat("t", seconds), seconds); }

  // Seals the active segment and begins the next.
  absl::Status Seal() {
    ASSIGN_OR_RETURN(const auto view, files.Current(*main));
    return Transact([&] { return StartNextSegment(*main, folder, view->active_keys()); });
  }
  // As SegmentUpkeep does: indices, a key run, and the catalog says so.
  absl::Status Index(std::int64_t number) {
    RETURN_IF_ERROR(folder.IndexSegment(number));
    return Transact([&]() -> absl::Status {
      ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(*main));
      Segment segment = *catalog.Find(number);
      SegmentKeys keys(segment, files.key());
      ASSIGN_OR_RETURN(const std::unique_ptr<Connection> file, folder.OpenSegment(number));
      RETURN_IF_ERROR(keys.CatchUp(*file));
      segment.state = SegmentState::kIndexed;
      RETURN_IF_ERROR(PutSegment(*main, segment));
      return AddKeyRunOf(*main, folder, files.key(), keys);
    });
  }
  Catalog ReadItsCatalog() { return ReadCatalog(*main).value(); }

  const TemporaryDirectory directory;
  const std::string path = directory.Write("store", "");
  const std::unique_ptr<Connection> main = Connect();
  const JournalFolder folder = JournalFolder::Open(path, std::chrono::milliseconds(100)).value();
  JournalFiles files{folder, ReadHashKey(*main).value()};
};

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_TESTING_SMALL_JOURNAL_H_
