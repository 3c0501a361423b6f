// Connections that read segments, the latest used of them kept open.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SEGMENT_READERS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SEGMENT_READERS_H_

#include <cstdint>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "hsm/base/mutex.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/segments/segment_file.h"

namespace hourglass::issuance::sqlite {

// Safe to call from several threads.
class SegmentReaders {
 public:
  // `folder` must outlive this object.
  explicit SegmentReaders(const JournalFolder* folder) : folder_(*folder) {}

  // Calls `statement(Connection&)`, which returns a Status or StatusOr, with a connection to the
  // segment that sees all that was committed before.
  template <typename Statement>
  auto Read(std::int64_t segment, Statement statement)
      -> decltype(statement(std::declval<Connection&>())) {
    ASSIGN_OR_RETURN(std::unique_ptr<Connection> reader, Take(segment));
    auto result = statement(*reader);
    Put(segment, std::move(reader));
    return result;
  }

  // Closes the idle ones of other segments than these.
  void CloseAllBut(const std::vector<std::int64_t>& segments);

 private:
  static constexpr std::size_t kIdle = 16;

  struct Idle {
    std::int64_t segment;
    std::unique_ptr<Connection> connection;
  };

  absl::StatusOr<std::unique_ptr<Connection>> Take(std::int64_t segment);
  void Put(std::int64_t segment, std::unique_ptr<Connection> reader);

  const JournalFolder& folder_;
  Mutex mutex_;
  std::list<Idle> idle_ ABSL_GUARDED_BY(mutex_);  // the latest used first
};

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SEGMENT_READERS_H_
