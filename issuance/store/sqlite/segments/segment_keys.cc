#include "issuance/store/sqlite/segments/segment_keys.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::issuance::sqlite {

absl::Status SegmentKeys::CatchUp(Connection& file) {
  return ReadKeysAfter(file, key_, last_sequence(),
                       [this](const IntentKeys& intent) { Take(intent); });
}

void SegmentKeys::Take(const IntentKeys& intent) {
  const MutexLock lock(mutex_);
  // Another thread was faster.
  if (intent.sequence <= last_sequence_) return;
  table_.Add({intent.request_hash, intent.sequence});
  table_.Add({intent.serial_hash, intent.sequence});
  const bool first = last_sequence_ < segment_.first_sequence;
  last_sequence_ = intent.sequence;
  segment_.last_sequence = intent.sequence;
  segment_.first_intended_at =
      first ? intent.intended_at : std::min(segment_.first_intended_at, intent.intended_at);
  segment_.last_intended_at =
      first ? intent.intended_at : std::max(segment_.last_intended_at, intent.intended_at);
  segment_.last_not_after =
      first ? intent.not_after : std::max(segment_.last_not_after, intent.not_after);
  const auto [leaf, added] = last_leaves_.try_emplace(
      {std::string(intent.tenant_id), std::string(intent.root_id)}, intent.not_after);
  if (!added) leaf->second = std::max(leaf->second, intent.not_after);
}

absl::Status SegmentKeys::CheckWhole(const Segment& segment) const {
  if (last_sequence() == segment.last_sequence) return absl::OkStatus();
  return Error(ErrorReason::kJournalUnavailable, "",
               absl::StrCat("database: segment ", segment.number,
                            " of the journal is older than the main file and lacks records"));
}

void SegmentKeys::Find(std::uint64_t hash, Candidates& candidates) const {
  const MutexLock lock(mutex_);
  table_.Find(hash, candidates);
}

std::int64_t SegmentKeys::last_sequence() const {
  const MutexLock lock(mutex_);
  return last_sequence_;
}

Segment SegmentKeys::Summary() const {
  const MutexLock lock(mutex_);
  return segment_;
}

std::optional<ca::Time> SegmentKeys::LastLeafOf(absl::string_view tenant_id,
                                                absl::string_view root_id) const {
  const MutexLock lock(mutex_);
  const auto found = last_leaves_.find({std::string(tenant_id), std::string(root_id)});
  if (found == last_leaves_.end()) return std::nullopt;
  return found->second;
}

LastLeaves SegmentKeys::AllLastLeaves() const {
  const MutexLock lock(mutex_);
  return last_leaves_;
}

std::vector<KeyEntry> SegmentKeys::SortedEntries() const {
  const MutexLock lock(mutex_);
  return table_.Sorted();
}

}  // namespace hourglass::issuance::sqlite
