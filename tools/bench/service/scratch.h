// Where what a benchmark writes is kept.
#ifndef HOURGLASS_TOOLS_BENCH_SERVICE_SCRATCH_H_
#define HOURGLASS_TOOLS_BENCH_SERVICE_SCRATCH_H_

#include <stdlib.h>

#include <string>

namespace hourglass::bench {

// While it lives, every TemporaryDirectory of this process is made in this directory. Not while
// other threads run.
class TemporaryDirectoriesIn {
 public:
  explicit TemporaryDirectoriesIn(const std::string& directory) {
    setenv(kVariable, directory.c_str(), /*overwrite=*/1);
  }
  ~TemporaryDirectoriesIn() { unsetenv(kVariable); }
  TemporaryDirectoriesIn(const TemporaryDirectoriesIn&) = delete;
  TemporaryDirectoriesIn& operator=(const TemporaryDirectoriesIn&) = delete;

 private:
  static constexpr char kVariable[] = "TEST_TMPDIR";
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SERVICE_SCRATCH_H_
