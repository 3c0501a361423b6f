// The connections of one SQLite file: one that writes, a few that read for those who issue, a few
// for listings.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_CONNECTIONS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_CONNECTIONS_H_

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "hsm/base/mutex.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/reading.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/status_of_result.h"

namespace hourglass::issuance::sqlite {

// Safe to call from several threads.
class Connections {
 public:
  // Opens the file or makes it; see OpenSqliteStore. A schema of before kVersionWithOldJournal is
  // brought up to that version only.
  static absl::StatusOr<std::unique_ptr<Connections>> Open(const std::string& path,
                                                           std::chrono::milliseconds busy_timeout);

  // Calls `statements(Connection&)`, which returns a Status or StatusOr, in one transaction, and
  // commits it if the result is OK. Waits for other writers. Returns the result, or the error that
  // kept it from being durable.
  template <typename Statements>
  auto Write(Statements statements) -> decltype(statements(std::declval<Connection&>())) {
    const MutexLock lock(writing_);
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*writer_));
    auto result = statements(*writer_);
    RETURN_IF_ERROR(StatusOfResult(result));
    RETURN_IF_ERROR(transaction.Commit());
    return result;
  }

  // Calls `statements(Connection&)`, which returns a Status or StatusOr and makes its transactions
  // itself, with the connection that writes. Waits for other writers.
  template <typename Statements>
  auto WriteAlone(Statements statements) -> decltype(statements(std::declval<Connection&>())) {
    const MutexLock lock(writing_);
    return statements(*writer_);
  }

  // Calls `statement(Connection&)`, one query that returns a Status or StatusOr and sees all that
  // was committed before. Does not wait for writers, only for one of kReaders connections of those
  // that this thread reads with (ReadingOfThisThread).
  template <typename Statement>
  auto Read(Statement statement) -> decltype(statement(std::declval<Connection&>())) {
    Readers& readers =
        ReadingOfThisThread() == Reading::kListing ? listing_readers_ : issuing_readers_;
    ASSIGN_OR_RETURN(std::unique_ptr<Connection> reader, TakeReader(readers));
    auto result = statement(*reader);
    PutReader(readers, std::move(reader));
    return result;
  }

 private:
  static constexpr int kReaders = 4;

  struct Readers {
    Mutex mutex;
    ConditionVariable one_is_free;
    std::vector<std::unique_ptr<Connection>> idle ABSL_GUARDED_BY(mutex);
    int out ABSL_GUARDED_BY(mutex) = 0;
  };

  Connections(std::string path, std::chrono::milliseconds busy_timeout,
              std::unique_ptr<Connection> writer);
  absl::StatusOr<std::unique_ptr<Connection>> TakeReader(Readers& readers);
  static void PutReader(Readers& readers, std::unique_ptr<Connection> reader);

  const std::string path_;
  const std::chrono::milliseconds busy_timeout_;
  Mutex writing_;
  const std::unique_ptr<Connection> writer_ ABSL_PT_GUARDED_BY(writing_);
  Readers issuing_readers_;
  Readers listing_readers_;
};

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_CONNECTIONS_H_
