#include "issuance/store/sqlite/journal/journal_query.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "ca/names/name_rules.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/page_token.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"
#include "issuance/store/sqlite/journal/user_spellings.h"
#include "issuance/store/sqlite/segments/segment_records.h"
#include "issuance/store/sqlite/segments/sqlite_selection.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::sqlite {
namespace {

using Records = std::vector<NumberedRecord>;

bool IsNewer(const NumberedRecord& a, const NumberedRecord& b) {
  return std::pair(a.record.intent.intended_at, a.sequence) >
         std::pair(b.record.intent.intended_at, b.sequence);
}

bool IsWithin(const Intent& intent, const JournalFilter& filter) {
  return (filter.user_upn.empty() || ca::FoldedUpn(intent.user_upn) == filter.user_upn) &&
         (filter.device_id.empty() || intent.device_id == filter.device_id) &&
         (filter.serial_number.empty() || intent.serial_number == filter.serial_number) &&
         (!filter.intended_from.has_value() || intent.intended_at >= *filter.intended_from) &&
         (!filter.intended_before.has_value() || intent.intended_at < *filter.intended_before) &&
         (!filter.live_at.has_value() || intent.not_after >= EarliestLiveEnd(*filter.live_at));
}

// Reads a segment, or gives `gone` if it was dropped in the meantime.
template <typename Result, typename Statement>
absl::StatusOr<Result> ReadUnlessDropped(Connection& main, JournalFiles& files,
                                         std::int64_t segment, Statement statement) {
  absl::StatusOr<Result> result = files.Read(segment, statement);
  if (result.ok()) return result;
  ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(main));
  if (catalog.Find(segment) == nullptr) return Result();
  return result.status();
}

// A release that came after its segment was sealed is in the main file.
absl::Status AddLateRelease(Connection& main, NumberedRecord& numbered) {
  if (numbered.record.released_at.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(Rows rows, main.Query("SELECT certificate, released_at FROM late_releases "
                                         "WHERE sequence = ?",
                                         {numbered.sequence}));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  if (!found) return absl::OkStatus();
  numbered.record.certificate = rows.TakeOctets();
  numbered.record.released_at = TakeTimestamp(rows);
  return absl::OkStatus();
}

// The records that `hash` stands for and `matches` takes, newest first.
absl::StatusOr<Records> FindAll(Connection& main, JournalFiles& files, std::uint64_t hash,
                                const std::function<bool(const Intent&)>& matches) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const JournalView> view, files.Current(main));
  Candidates candidates;
  RETURN_IF_ERROR(view->Find(hash, candidates));
  Records records;
  for (const std::int64_t sequence : candidates) {
    const Segment* const segment = view->catalog.HolderOf(sequence);
    if (segment == nullptr) continue;
    ASSIGN_OR_RETURN(std::optional<NumberedRecord> record,
                     ReadUnlessDropped<std::optional<NumberedRecord>>(
                         main, files, segment->number,
                         [&](Connection& file) { return ReadRecord(file, sequence); }));
    if (!record.has_value() || !matches(record->record.intent)) continue;
    RETURN_IF_ERROR(AddLateRelease(main, *record));
    records.push_back(*std::move(record));
  }
  std::sort(records.begin(), records.end(), IsNewer);
  return records;
}

absl::StatusOr<JournalRecord> First(absl::StatusOr<Records> records) {
  RETURN_IF_ERROR(records.status());
  if (!records->empty()) return std::move(records->front().record);
  return CertificateUnknown();
}

// A page of a journal of several segments.
struct Question {
  absl::string_view tenant_id;
  const JournalFilter& filter;
  std::optional<JournalPosition> after;
  std::size_t limit;
};

constexpr Timestamp kEndOfTime{std::chrono::microseconds(std::numeric_limits<std::int64_t>::max())};

// The last time at which a record of the segment may have been intended.
Timestamp EndOf(const Segment& segment) {
  return segment.state == SegmentState::kActive ? kEndOfTime : segment.last_intended_at;
}

bool MayHoldAny(const Segment& segment, const Question& question) {
  if (question.filter.intended_from.has_value() &&
      EndOf(segment) < *question.filter.intended_from) {
    return false;
  }
  if (segment.state == SegmentState::kActive) return true;
  if (question.filter.intended_before.has_value() &&
      segment.first_intended_at >= *question.filter.intended_before) {
    return false;
  }
  return !question.after.has_value() || segment.first_intended_at <= question.after->intended_at;
}

// Keeps the newest `limit` of both.
void Merge(Records& records, Records more, std::size_t limit) {
  records.insert(records.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
  std::sort(records.begin(), records.end(), IsNewer);
  if (records.size() > limit) records.resize(limit);
}

// What `question` asks for of one segment.
absl::StatusOr<Records> ReadSegment(Connection& segment, const Question& question) {
  const JournalFilter& filter = question.filter;
  UserRows user;
  ASSIGN_OR_RETURN(user.indexed, HasIndices(segment));
  ASSIGN_OR_RETURN(user.has_identity, HasIdentity(segment));
  std::vector<std::string> spellings;
  if (user.indexed && !filter.user_upn.empty() && filter.device_id.empty()) {
    ASSIGN_OR_RETURN(spellings, FindUserSpellings(segment, question.tenant_id, filter.user_upn));
    if (spellings.empty()) return Records();
    if (spellings.size() <= kMaxSpellings) user.spellings = spellings;
  }
  return ReadRecords(segment, SelectJournal(question.tenant_id, filter, question.after,
                                            static_cast<std::int64_t>(question.limit), user));
}

absl::StatusOr<Records> ReadPage(Connection& main, JournalFiles& files, const Question& question) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const JournalView> view, files.Newest(main));
  std::vector<Segment> segments = view->catalog.segments;
  std::stable_sort(segments.begin(), segments.end(),
                   [](const Segment& a, const Segment& b) { return EndOf(a) > EndOf(b); });
  Records records;
  for (const Segment& segment : segments) {
    // Times of segments may overlap a little; where they do not, the page is full.
    if (records.size() == question.limit &&
        records.back().record.intent.intended_at > EndOf(segment)) {
      break;
    }
    if (!MayHoldAny(segment, question)) continue;
    const auto read = [&](Connection& file) { return ReadSegment(file, question); };
    ASSIGN_OR_RETURN(Records more, ReadUnlessDropped<Records>(main, files, segment.number, read));
    Merge(records, std::move(more), question.limit);
  }
  return records;
}

absl::StatusOr<Records> ReadPageBySerialNumber(Connection& main, JournalFiles& files,
                                               const Question& question) {
  const absl::string_view serial_number = question.filter.serial_number;
  ASSIGN_OR_RETURN(
      Records records,
      FindAll(main, files, HashOfSerialNumber(files.key(), question.tenant_id, serial_number),
              [&](const Intent& intent) {
                return intent.tenant_id == question.tenant_id && IsWithin(intent, question.filter);
              }));
  const auto& after = question.after;
  const auto is_before_page = [&after](const NumberedRecord& record) {
    return after.has_value() && std::pair(record.record.intent.intended_at, record.sequence) >=
                                    std::pair(after->intended_at, after->sequence);
  };
  records.erase(std::remove_if(records.begin(), records.end(), is_before_page), records.end());
  if (records.size() > question.limit) records.resize(question.limit);
  return records;
}

}  // namespace

absl::StatusOr<JournalRecord> FindByRequestId(Connection& main, JournalFiles& files,
                                              absl::string_view tenant_id,
                                              absl::string_view request_id) {
  return First(FindAll(main, files, HashOfRequestId(files.key(), tenant_id, request_id),
                       [&](const Intent& intent) {
                         return intent.tenant_id == tenant_id && intent.request_id == request_id;
                       }));
}

absl::StatusOr<JournalRecord> FindBySerialNumber(Connection& main, JournalFiles& files,
                                                 absl::string_view tenant_id,
                                                 absl::string_view serial_number) {
  return First(FindAll(main, files, HashOfSerialNumber(files.key(), tenant_id, serial_number),
                       [&](const Intent& intent) {
                         return intent.tenant_id == tenant_id &&
                                intent.serial_number == serial_number;
                       }));
}

absl::StatusOr<Page<JournalRecord>> ListJournal(Connection& main, JournalFiles& files,
                                                absl::string_view tenant_id,
                                                const JournalFilter& asked, int page_size,
                                                absl::string_view page_token) {
  RETURN_IF_ERROR(CheckPageSize(page_size));
  JournalFilter filter = asked;
  filter.user_upn = ca::FoldedUpn(asked.user_upn);
  const bool is_of_nobody = filter.user_upn.empty() && !asked.user_upn.empty();
  // One more than asked for tells whether there is another page.
  Question question{tenant_id, filter, std::nullopt, static_cast<std::size_t>(page_size) + 1};
  if (!page_token.empty()) {
    ASSIGN_OR_RETURN(question.after, ParseJournalPosition(page_token));
  }
  if (is_of_nobody) return Page<JournalRecord>();
  ASSIGN_OR_RETURN(Records records, filter.serial_number.empty()
                                        ? ReadPage(main, files, question)
                                        : ReadPageBySerialNumber(main, files, question));
  Page<JournalRecord> page;
  if (records.size() == question.limit) {
    records.pop_back();
    page.next_page_token =
        JournalPageToken({records.back().record.intent.intended_at, records.back().sequence});
  }
  for (NumberedRecord& record : records) {
    RETURN_IF_ERROR(AddLateRelease(main, record));
    if (filter.live_at.has_value() && !IsLive(record.record, *filter.live_at)) continue;
    page.records.push_back(std::move(record.record));
  }
  return page;
}

void RaiseLastLeaves(const JournalView& view, absl::Span<RootRecord> roots) {
  for (RootRecord& root : roots) {
    // What sealed segments know is in the main file.
    const std::optional<ca::Time> last =
        view.active_keys().LastLeafOf(root.tenant_id, root.root_id);
    // An empty one is less than any time.
    root.last_leaf_not_after = std::max(root.last_leaf_not_after, last);
  }
}

}  // namespace hourglass::issuance::sqlite
