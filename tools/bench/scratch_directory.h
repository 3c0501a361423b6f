// Where a run keeps its journals and keys.
#ifndef HOURGLASS_TOOLS_BENCH_SCRATCH_DIRECTORY_H_
#define HOURGLASS_TOOLS_BENCH_SCRATCH_DIRECTORY_H_

#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::bench {

// A new directory that is removed with all it holds when this object goes. Mode 0711, and so is
// what Make makes: programs of other accounts may have directories of their own in there. SIGINT
// and SIGTERM end this process, with exit code 128 + signal, once the processes that it started are
// killed and the directory is removed. One at a time.
class ScratchDirectory {
 public:
  // In `parent`. Errors: CONFIGURATION_INVALID with field `--scratch`.
  static absl::StatusOr<std::unique_ptr<ScratchDirectory>> Create(const std::string& parent);
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  // A new, empty directory in it, absolute. Errors: as Create.
  absl::StatusOr<std::string> Make(absl::string_view name) const;

 private:
  explicit ScratchDirectory(std::string path);
  void AwaitEnd(int signals) const;

  const std::string path_;
  std::thread waiter_;
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SCRATCH_DIRECTORY_H_
