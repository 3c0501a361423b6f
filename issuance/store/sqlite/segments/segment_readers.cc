#include "issuance/store/sqlite/segments/segment_readers.h"

#include <algorithm>

namespace hourglass::issuance::sqlite {

absl::StatusOr<std::unique_ptr<Connection>> SegmentReaders::Take(std::int64_t segment) {
  {
    const MutexLock lock(mutex_);
    const auto found = std::find_if(idle_.begin(), idle_.end(),
                                    [&](const Idle& idle) { return idle.segment == segment; });
    if (found != idle_.end()) {
      std::unique_ptr<Connection> reader = std::move(found->connection);
      idle_.erase(found);
      return reader;
    }
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> reader, folder_.OpenSegment(segment));
  // A quarter of a megabyte of pages each: there may be many.
  RETURN_IF_ERROR(reader->Execute("PRAGMA query_only = ON; PRAGMA cache_size = -256"));
  return reader;
}

void SegmentReaders::Put(std::int64_t segment, std::unique_ptr<Connection> reader) {
  // Closing takes time, so it is done without the lock.
  Idle oldest{};
  const MutexLock lock(mutex_);
  idle_.push_front({segment, std::move(reader)});
  if (idle_.size() <= kIdle) return;
  oldest = std::move(idle_.back());
  idle_.pop_back();
}

void SegmentReaders::CloseAllBut(const std::vector<std::int64_t>& segments) {
  std::list<Idle> closed;
  const MutexLock lock(mutex_);
  for (auto idle = idle_.begin(); idle != idle_.end();) {
    const auto next = std::next(idle);
    if (std::find(segments.begin(), segments.end(), idle->segment) == segments.end()) {
      closed.splice(closed.end(), idle_, idle);
    }
    idle = next;
  }
}

}  // namespace hourglass::issuance::sqlite
