// How far a move of a store is, for people.
#ifndef HOURGLASS_TOOLS_HOURGLASS_MOVE_PROGRESS_H_
#define HOURGLASS_TOOLS_HOURGLASS_MOVE_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <ostream>

#include "absl/time/time.h"
#include "issuance/store/transfer/store_move.h"

namespace hourglass::cli {

// For one thread.
class MoveProgressLine {
 public:
  // On a terminal one line that is written anew, at most once a second; else a line for each tenth
  // of a step. `now` is asked at each portion; `out` must outlive this object.
  MoveProgressLine(std::ostream* out, bool is_terminal, std::function<absl::Time()> now)
      : out_(*out), is_terminal_(is_terminal), now_(std::move(now)) {}

  void Show(const issuance::MoveProgress& progress);
  // Ends the line, where one was begun.
  void End();

 private:
  std::ostream& out_;
  const bool is_terminal_;
  const std::function<absl::Time()> now_;
  issuance::MoveProgress::Step step_ = issuance::MoveProgress::Step::kReading;
  std::int64_t tenths_ = 0;
  absl::Time shown_at_ = absl::InfinitePast();
  bool is_open_ = false;
};

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_MOVE_PROGRESS_H_
