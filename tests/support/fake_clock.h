// The wall clock of other programs, moved by libfaketime.
#ifndef HOURGLASS_TESTS_SUPPORT_FAKE_CLOCK_H_
#define HOURGLASS_TESTS_SUPPORT_FAKE_CLOCK_H_

#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace hourglass {

// Programs that are started with Environment() see the real time and the offset of the last Set,
// also while they run. Their monotonic clocks are not touched, nor is this process's own clock.
class FakeClock {
 public:
  // The real time. Ends the process where the file of the offset cannot be written.
  FakeClock();

  // As faketime(1) has it: `+2h`, `+0`, relative to the real time.
  void Set(const std::string& offset);

  // `NAME=value`, as RunCommand takes them.
  std::vector<std::string> Environment() const;
  // The same as words before a program: `env NAME=value …`.
  std::vector<std::string> Prefix() const;

 private:
  TemporaryDirectory directory_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_FAKE_CLOCK_H_
