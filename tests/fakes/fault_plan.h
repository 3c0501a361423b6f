// The script and the counts of one loaded faulty_pkcs11.so.
#ifndef HOURGLASS_TESTS_FAKES_FAULT_PLAN_H_
#define HOURGLASS_TESTS_FAKES_FAULT_PLAN_H_

#include <sys/stat.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/fakes/fault_script.h"

namespace hourglass {

// Ends the process, with a line on standard error, where the script is not understood or the counts
// cannot be kept: a fault that silently does not happen would let a test pass. Safe to call from
// several threads.
class FaultPlan {
 public:
  // `script` need not exist. The counts are kept in `script`.counts, and this process's
  // number is added to `script`.processes, and to `script`.hanging by each call that hangs.
  explicit FaultPlan(const std::string& script);

  // Counts a call of `function` and returns the rules that it meets, in the script's order.
  std::vector<FaultRule> Call(Function function);

  std::string module_path();

  [[noreturn]] void Hang();

  // Returns once the script is another than it was when this was called.
  void WaitForAnotherScript();

 private:
  struct Loaded {
    struct timespec modified = {};
    ino_t inode = 0;
    std::uint32_t generation = 0;
    FaultScript script;
  };

  // The script as it is now.
  std::shared_ptr<const Loaded> Current();

  const std::string path_;
  CallCount* counts_;
  std::mutex mutex_;
  std::shared_ptr<const Loaded> loaded_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_FAKES_FAULT_PLAN_H_
