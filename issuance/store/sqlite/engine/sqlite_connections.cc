#include "issuance/store/sqlite/engine/sqlite_connections.h"

#include <errno.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "issuance/store/sqlite/engine/file_error.h"
#include "issuance/store/sqlite/engine/sqlite_schema.h"
#include "issuance/store/sqlite/engine/wal_tie.h"

namespace hourglass::issuance::sqlite {
namespace {

// A gigabyte or so, where the disk is as fast as most.
constexpr std::chrono::seconds kQuickCheck(1);

// Neither opens the file: closing it again would take away the locks that another store of this
// process holds on it (https://www.sqlite.org/howtocorrupt.html section 2.2).
absl::Status MakeFile(const std::string& path) {
  if (mknod(path.c_str(), S_IFREG | S_IRUSR | S_IWUSR, 0) != 0 && errno != EEXIST) {
    return FileError("the file cannot be made:", path, errno);
  }
  struct stat file;
  if (stat(path.c_str(), &file) != 0)
    return FileError("the file cannot be looked at:", path, errno);
  if (!S_ISREG(file.st_mode)) {
    return Error(ErrorReason::kJournalUnavailable, "",
                 absl::StrCat("database: ", path, " is not a regular file"));
  }
  return absl::OkStatus();
}

absl::Status KeepFromOthers(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const std::string file = absl::StrCat(path, suffix);
    if (chmod(file.c_str(), S_IRUSR | S_IWUSR) != 0 && errno != ENOENT) {
      return FileError("group and others cannot be kept from the file:", file, errno);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Connection>> OpenWriter(const std::string& path,
                                                       std::chrono::milliseconds busy_timeout) {
  RETURN_IF_ERROR(MakeFile(path));
  RETURN_IF_ERROR(CheckWriteAheadLog(path));
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> writer, Connection::Open(path, busy_timeout));
  RETURN_IF_ERROR(CheckSchema(*writer, Migrations()));
  RETURN_IF_ERROR(writer->QuickCheck(kQuickCheck));
  RETURN_IF_ERROR(KeepFromOthers(path));
  RETURN_IF_ERROR(UseWriteAheadLog(*writer));
  // FULL: a commit is on the disk when it returns (promise 3); NORMAL would leave it to the next
  // checkpoint.
  RETURN_IF_ERROR(writer->Execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON"));
  RETURN_IF_ERROR(Migrate(*writer, Migrations(), kVersionWithOldJournal));
  return writer;
}

}  // namespace

Connections::Connections(std::string path, std::chrono::milliseconds busy_timeout,
                         std::unique_ptr<Connection> writer)
    : path_(std::move(path)), busy_timeout_(busy_timeout), writer_(std::move(writer)) {}

absl::StatusOr<std::unique_ptr<Connections>> Connections::Open(
    const std::string& path, std::chrono::milliseconds busy_timeout) {
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> writer, OpenWriter(path, busy_timeout));
  return std::unique_ptr<Connections>(new Connections(path, busy_timeout, std::move(writer)));
}

absl::StatusOr<std::unique_ptr<Connection>> Connections::TakeReader(Readers& readers) {
  {
    MutexLock lock(readers.mutex);
    readers.one_is_free.wait(lock, [&readers]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(readers.mutex) {
      return readers.out < kReaders;
    });
    ++readers.out;
    if (!readers.idle.empty()) {
      std::unique_ptr<Connection> reader = std::move(readers.idle.back());
      readers.idle.pop_back();
      return reader;
    }
  }
  absl::StatusOr<std::unique_ptr<Connection>> reader = Connection::Open(path_, busy_timeout_);
  absl::Status status = reader.status();
  if (status.ok()) status = (*reader)->Execute("PRAGMA query_only = ON");
  if (status.ok()) return reader;
  PutReader(readers, nullptr);
  return status;
}

void Connections::PutReader(Readers& readers, std::unique_ptr<Connection> reader) {
  {
    const MutexLock lock(readers.mutex);
    --readers.out;
    if (reader != nullptr) readers.idle.push_back(std::move(reader));
  }
  readers.one_is_free.notify_one();
}

}  // namespace hourglass::issuance::sqlite
