#include "issuance/store/transfer/store_move.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

absl::Status Refuse(absl::string_view why) {
  return Error(ErrorReason::kJournalUnavailable, "", absl::StrCat("database: ", why));
}

// The same error, which also says where.
absl::Status Where(const absl::Status& status, const MovableStore& store,
                   const std::string& place) {
  const ErrorReason reason = ReasonOf(status);
  return Error(reason == ErrorReason::kUnspecified ? ErrorReason::kInternalError : reason,
               FieldOf(status),
               absl::StrCat(status.message(), " (", store.name(), ", ", place, ")"));
}

// SHA-256 over rows.
class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    is_sound_ =
        context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1;
  }

  void Add(const Row& row) {
    const std::string octets = CanonicalOctets(row);
    is_sound_ = is_sound_ && EVP_DigestUpdate(context_.get(), octets.data(), octets.size()) == 1;
  }

  absl::StatusOr<std::string> InHexadecimal() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (!is_sound_ || EVP_DigestFinal_ex(context_.get(), digest, &size) != 1) {
      return Error(ErrorReason::kInternalError, "", "SHA-256 cannot be computed");
    }
    return absl::BytesToHexString(absl::string_view(reinterpret_cast<char*>(digest), size));
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
  bool is_sound_ = false;
};

// The rows of one part of a store after a key, one after another, read in portions.
class RowsOfPart {
 public:
  RowsOfPart(MovableStore* store, const Part* part, std::size_t portion,
             std::optional<Row> after = std::nullopt)
      : store_(*store), part_(*part), portion_(portion), last_(std::move(after)) {}

  // The next portion; empty at the end. Lives until the next call.
  absl::StatusOr<absl::Span<const Row>> NextPortion() {
    const Row* const after = last_.has_value() ? &*last_ : nullptr;
    absl::StatusOr<std::vector<Row>> rows = store_.Read(part_, after, portion_);
    if (!rows.ok()) {
      return Where(rows.status(), store_,
                   after == nullptr ? absl::StrCat("the first of ", part_.name)
                                    : absl::StrCat("after ", NameOf(part_, *after)));
    }
    rows_ = *std::move(rows);
    if (!rows_.empty()) last_ = rows_.back();
    return absl::Span<const Row>(rows_);
  }

  // Null at the end. Lives until the next call.
  absl::StatusOr<const Row*> Next() {
    if (next_ == rows_.size()) {
      RETURN_IF_ERROR(NextPortion().status());
      next_ = 0;
    }
    return next_ == rows_.size() ? nullptr : &rows_[next_++];
  }

 private:
  MovableStore& store_;
  const Part& part_;
  const std::size_t portion_;
  std::optional<Row> last_;
  std::vector<Row> rows_;
  std::size_t next_ = 0;
};

absl::Status Difference(const Part& part, const Row& row, absl::string_view what) {
  return Refuse(absl::StrCat("the move is not complete: ", NameOf(part, row), " ", what,
                             "; the target stays half moved"));
}

// Of two rows that follow the same ones in their stores; null where a store has no more.
absl::Status CompareRows(const Part& part, const Row* from, const Row* to) {
  if (from == nullptr) return Difference(part, *to, "is in the target and not in the source");
  if (to == nullptr) return Difference(part, *from, "is in the source and not in the target");
  if (!std::equal(from->begin(), from->begin() + static_cast<std::ptrdiff_t>(part.key_size),
                  to->begin())) {
    return Difference(part, *from, absl::StrCat("stands where the target has ", NameOf(part, *to)));
  }
  for (std::size_t i = part.key_size; i < part.columns.size(); ++i) {
    if ((*from)[i] != (*to)[i]) {
      return Difference(part, *from, absl::StrCat("has another ", part.columns[i].name));
    }
  }
  return absl::OkStatus();
}

class Move {
 public:
  Move(MovableStore* from, MovableStore* to, const MoveOptions* options)
      : from_(*from), to_(*to), options_(*options) {}

  // Whether the comparison was done by an earlier run, which marked the source and no more.
  absl::StatusOr<bool> CheckMarks() {
    ASSIGN_OR_RETURN(const std::optional<MoveMark> of_target, to_.Mark());
    ASSIGN_OR_RETURN(const std::optional<MoveMark> of_source, from_.Mark());
    const bool is_ours = of_target.has_value() && of_target->kind == MoveMark::Kind::kInto &&
                         of_target->other_id == from_.id();
    if (of_source.has_value()) {
      const bool was_compared =
          is_ours && of_source->kind == MoveMark::Kind::kAway && of_source->other_id == to_.id();
      if (!was_compared) return RefuseMarked(*of_source);
      return true;
    }
    has_begun_ = is_ours;
    if (is_ours) return false;
    if (!of_target.has_value()) {
      RETURN_IF_ERROR(to_.CheckEmpty());
      return false;
    }
    return Refuse(
        of_target->kind == MoveMark::Kind::kInto
            ? absl::StrCat("the target is half filled from another store, ", of_target->other)
            : absl::StrCat("the target is not empty: it was itself moved to ", of_target->other));
  }

  absl::Status Copy(MoveReport& report) {
    const MoveMark mark = {MoveMark::Kind::kInto, from_.name(), from_.id(), options_.now};
    if (!has_begun_) RETURN_IF_ERROR(to_.Begin(mark));
    std::int64_t done = 0;
    std::size_t number = 0;
    for (const Part& part : Parts()) {
      ASSIGN_OR_RETURN(std::optional<Row> last, to_.Last(part));
      RowsOfPart rows(&from_, &part, options_.portion, std::move(last));
      std::int64_t written = 0;
      for (;;) {
        ASSIGN_OR_RETURN(const absl::Span<const Row> portion, rows.NextPortion());
        if (portion.empty()) break;
        const absl::Status status = to_.Write(part, portion);
        if (!status.ok()) {
          return Where(status, to_, absl::StrCat("from ", NameOf(part, portion.front()), " on"));
        }
        written += static_cast<std::int64_t>(portion.size());
        Tell(MoveProgress::Step::kWriting, done + written, report.total);
      }
      const std::int64_t count = report.counts[number++];
      report.found += std::max<std::int64_t>(count - written, 0);
      done += count;
    }
    return to_.Finish();
  }

  absl::Status Compare(MoveReport& report) {
    Digest digest;
    std::int64_t done = 0;
    for (const Part& part : Parts()) {
      RowsOfPart from(&from_, &part, options_.portion), to(&to_, &part, options_.portion);
      for (;;) {
        ASSIGN_OR_RETURN(const Row* const one, from.Next());
        ASSIGN_OR_RETURN(const Row* const other, to.Next());
        if (one == nullptr && other == nullptr) break;
        RETURN_IF_ERROR(CompareRows(part, one, other));
        digest.Add(*other);
        if (++done % static_cast<std::int64_t>(options_.portion) == 0) {
          Tell(MoveProgress::Step::kComparing, done, report.total);
        }
      }
    }
    Tell(MoveProgress::Step::kComparing, done, report.total);
    // The source was read twice: it must have stood still.
    ASSIGN_OR_RETURN(const std::string sha256, digest.InHexadecimal());
    if (sha256 == report.sha256) return absl::OkStatus();
    return Refuse("the source has changed while it was moved; run the move again");
  }

  absl::Status End(const MoveReport& report) {
    const MoveMark away = {MoveMark::Kind::kAway, to_.name(), to_.id(), options_.now, report.total};
    RETURN_IF_ERROR(from_.MarkMoved(away));
    return to_.Complete();
  }

 private:
  void Tell(MoveProgress::Step step, std::int64_t done, std::int64_t total) const {
    if (options_.observer) options_.observer({step, done, total});
  }

  MovableStore& from_;
  MovableStore& to_;
  const MoveOptions& options_;
  bool has_begun_ = false;
};

}  // namespace

absl::StatusOr<MoveReport> SurveyStore(MovableStore& store, const MoveOptions& options) {
  MoveReport report;
  Digest digest;
  for (const Part& part : Parts()) {
    RowsOfPart rows(&store, &part, options.portion);
    std::int64_t& count = report.counts.emplace_back();
    for (;;) {
      ASSIGN_OR_RETURN(const absl::Span<const Row> portion, rows.NextPortion());
      if (portion.empty()) break;
      for (const Row& row : portion) {
        RETURN_IF_ERROR(CheckMovable(part, row));
        digest.Add(row);
      }
      count += static_cast<std::int64_t>(portion.size());
      report.total += static_cast<std::int64_t>(portion.size());
      if (options.observer) options.observer({MoveProgress::Step::kReading, report.total, 0});
    }
  }
  ASSIGN_OR_RETURN(report.sha256, digest.InHexadecimal());
  return report;
}

absl::StatusOr<MoveReport> MoveStore(MovableStore& from, MovableStore& to,
                                     const MoveOptions& options) {
  Move move(&from, &to, &options);
  ASSIGN_OR_RETURN(const bool was_compared, move.CheckMarks());
  ASSIGN_OR_RETURN(MoveReport report, SurveyStore(from, options));
  if (options.dry_run) return report;
  if (was_compared) {
    report.found = report.total;
    RETURN_IF_ERROR(to.Complete());
    return report;
  }
  RETURN_IF_ERROR(move.Copy(report));
  RETURN_IF_ERROR(move.Compare(report));
  RETURN_IF_ERROR(move.End(report));
  return report;
}

}  // namespace hourglass::issuance
