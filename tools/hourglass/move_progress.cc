#include "tools/hourglass/move_progress.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace hourglass::cli {
namespace {

using Step = issuance::MoveProgress::Step;

std::string InWords(const issuance::MoveProgress& progress) {
  const absl::string_view step = progress.step == Step::kReading   ? "Reading"
                                 : progress.step == Step::kWriting ? "Writing"
                                                                   : "Comparing";
  if (progress.total == 0) return absl::StrCat(step, ": ", progress.done, " records");
  return absl::StrCat(step, ": ", progress.done, " of ", progress.total, " records, ",
                      progress.done * 100 / progress.total, " %");
}

}  // namespace

void MoveProgressLine::Show(const issuance::MoveProgress& progress) {
  const bool is_new_step = progress.step != step_;
  if (is_new_step) tenths_ = 0;
  step_ = progress.step;
  const bool is_done = progress.total > 0 && progress.done >= progress.total;
  if (is_terminal_) {
    const absl::Time now = now_();
    if (!is_new_step && !is_done && now - shown_at_ < absl::Seconds(1)) return;
    shown_at_ = now;
    // To the end of the line: what was there may be longer.
    out_ << "\r" << InWords(progress) << "\x1b[K" << std::flush;
    is_open_ = true;
    return;
  }
  if (progress.total == 0) return;
  const std::int64_t tenths = progress.done * 10 / progress.total;
  if (tenths <= tenths_) return;
  tenths_ = tenths;
  out_ << InWords(progress) << "\n" << std::flush;
}

void MoveProgressLine::End() {
  if (is_open_) out_ << "\n" << std::flush;
  is_open_ = false;
}

}  // namespace hourglass::cli
