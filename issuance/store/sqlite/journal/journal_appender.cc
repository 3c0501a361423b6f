#include "issuance/store/sqlite/journal/journal_appender.h"

#include <utility>
#include <variant>

#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"
#include "issuance/store/sqlite/journal/segment_roll.h"
#include "issuance/store/sqlite/tables/sqlite_tenants.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::sqlite {

absl::StatusOr<std::vector<absl::Status>> JournalAppender::Append(
    Connection& main, absl::Span<const JournalWrite> writes, bool& sealed) {
  for (;;) {
    ASSIGN_OR_RETURN(Transaction lock, Transaction::Begin(main));
    RETURN_IF_ERROR(LookAround(main));
    if (!IsFull(writes)) {
      ASSIGN_OR_RETURN(std::vector<absl::Status> statuses, AppendAll(main, writes));
      // Late releases are the only thing that this commits; without any it writes nothing.
      RETURN_IF_ERROR(lock.Commit());
      return statuses;
    }
    // On its own, so that no record is ever in a segment that is in no catalog.
    RETURN_IF_ERROR(StartNextSegment(main, files_.folder(), view_->active_keys()));
    RETURN_IF_ERROR(lock.Commit());
    sealed = true;
  }
}

absl::Status JournalAppender::LookAround(Connection& main) {
  RETURN_IF_ERROR(fence_.Renew(main));
  ASSIGN_OR_RETURN(view_, files_.Newest(main));
  const std::int64_t active = view_->active().number;
  if (segment_ == nullptr || open_segment_ != active) {
    ASSIGN_OR_RETURN(segment_, files_.folder().OpenSegment(active));
    RETURN_IF_ERROR(AddIdentityColumns(*segment_));
    open_segment_ = active;
  }
  return view_->active_keys().CatchUp(*segment_);
}

bool JournalAppender::IsFull(absl::Span<const JournalWrite> writes) const {
  const Segment segment = view_->active_keys().Summary();
  const std::int64_t intents = view_->active_keys().last_sequence() - segment.first_sequence + 1;
  if (intents == 0) return false;
  for (const JournalWrite& write : writes) {
    const auto* intent = std::get_if<Intent>(&write);
    if (intent == nullptr) continue;
    return intents >= limits_.intents ||
           intent->intended_at - segment.first_intended_at > limits_.span;
  }
  return false;
}

absl::StatusOr<std::vector<absl::Status>> JournalAppender::AppendAll(
    Connection& main, absl::Span<const JournalWrite> writes) {
  SegmentKeys& keys = view_->active_keys();
  next_sequence_ = keys.last_sequence() + 1;
  new_keys_ = KeyTable();
  new_intents_.clear();
  std::vector<absl::Status> statuses;
  statuses.reserve(writes.size());
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*segment_));
  for (const JournalWrite& write : writes) {
    ASSIGN_OR_RETURN(
        Answer answer,
        std::visit([&](const auto& record) { return AppendOne(main, record); }, write));
    statuses.push_back(std::move(answer.status));
  }
  RETURN_IF_ERROR(transaction.Commit());
  for (const IntentKeys& intent : new_intents_) keys.Take(intent);
  return statuses;
}

absl::StatusOr<JournalAppender::Answer> JournalAppender::CheckFence(Connection& main,
                                                                    const Intent& intent) {
  ASSIGN_OR_RETURN(const FencedTenant* const tenant, fence_.Find(main, intent.tenant_id));
  return Answer{CheckIntent(tenant, intent)};
}

absl::StatusOr<JournalAppender::Answer> JournalAppender::AppendOne(Connection& main,
                                                                   const Intent& intent) {
  ASSIGN_OR_RETURN(Answer fenced, CheckFence(main, intent));
  if (!fenced.status.ok()) return fenced;
  const IntentKeys keys = KeysOf(files_.key(), next_sequence_, intent);
  ASSIGN_OR_RETURN(
      const std::optional<Found> same_id, Find(keys.request_hash, [&](const RecordedIntent& other) {
        return other.tenant_id == intent.tenant_id && other.request_id == intent.request_id;
      }));
  if (same_id.has_value()) return Answer{RequestIdUsedBefore()};
  bool is_released = false;
  if (!intent.intermediate_serial_number.empty()) {
    ASSIGN_OR_RETURN(is_released, fence_.IsReleased(main, intent.tenant_id, intent.root_id,
                                                    intent.intermediate_serial_number));
  }
  absl::Status refusal = CheckIntermediateOf(intent, is_released);
  if (!refusal.ok()) return Answer{std::move(refusal)};
  ASSIGN_OR_RETURN(const std::optional<Found> same_serial,
                   Find(keys.serial_hash, [&](const RecordedIntent& other) {
                     return other.tenant_id == intent.tenant_id &&
                            other.root_id == intent.root_id &&
                            other.serial_number == intent.serial_number;
                   }));
  if (same_serial.has_value()) return Answer{SerialNumberCollides()};
  RETURN_IF_ERROR(InsertIntent(*segment_, next_sequence_, intent));
  new_keys_.Add({keys.request_hash, next_sequence_});
  new_keys_.Add({keys.serial_hash, next_sequence_});
  new_intents_.push_back(keys);
  ++next_sequence_;
  return Answer{absl::OkStatus()};
}

absl::StatusOr<JournalAppender::Answer> JournalAppender::AppendOne(Connection& main,
                                                                   const Release& release) {
  const std::uint64_t hash = HashOfRequestId(files_.key(), release.tenant_id, release.request_id);
  ASSIGN_OR_RETURN(const std::optional<Found> found, Find(hash, [&](const RecordedIntent& intent) {
                     return intent.tenant_id == release.tenant_id &&
                            intent.request_id == release.request_id;
                   }));
  if (!found.has_value()) return Answer{IntentUnknown()};
  ASSIGN_OR_RETURN(const FencedTenant* const tenant, fence_.Find(main, release.tenant_id));
  absl::Status refusal = CheckRelease(tenant, found->intent.epoch, release);
  if (!refusal.ok()) return Answer{std::move(refusal)};
  bool inserted = false;
  if (found->segment == open_segment_) {
    ASSIGN_OR_RETURN(inserted, InsertRelease(*segment_, found->sequence, release.certificate,
                                             found->intent.tbs_certificate, release.released_at));
  } else {
    ASSIGN_OR_RETURN(inserted, InsertLate(main, *found, release));
  }
  return Answer{inserted ? absl::OkStatus() : ReleasedBefore()};
}

// A sealed segment is never written again, so that it can be indexed meanwhile.
absl::StatusOr<bool> JournalAppender::InsertLate(Connection& main, const Found& found,
                                                 const Release& release) {
  ASSIGN_OR_RETURN(const bool released, files_.Read(found.segment, [&](Connection& file) {
    return HasRelease(file, found.sequence);
  }));
  if (released) return false;
  ASSIGN_OR_RETURN(
      const std::int64_t inserted,
      main.Change("INSERT INTO late_releases VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                  {found.sequence, Blob{release.certificate}, ValueOf(release.released_at)}));
  return inserted == 1;
}

absl::StatusOr<std::optional<JournalAppender::Found>> JournalAppender::Find(std::uint64_t hash,
                                                                            Matches matches) {
  Candidates candidates;
  new_keys_.Find(hash, candidates);
  RETURN_IF_ERROR(view_->Find(hash, candidates));
  for (const std::int64_t sequence : candidates) {
    const Segment* const segment = view_->catalog.HolderOf(sequence);
    // Dropped, but still in a run.
    if (segment == nullptr) continue;
    ASSIGN_OR_RETURN(std::optional<RecordedIntent> intent,
                     segment->number == open_segment_
                         ? ReadIntent(*segment_, sequence)
                         : files_.Read(segment->number, [&](Connection& file) {
                             return ReadIntent(file, sequence);
                           }));
    if (intent.has_value() && matches(*intent)) {
      return Found{sequence, segment->number, *std::move(intent)};
    }
  }
  return std::optional<Found>();
}

}  // namespace hourglass::issuance::sqlite
