#include "tests/support/fake_clock.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace hourglass {

FakeClock::FakeClock() { Set("+0"); }

void FakeClock::Set(const std::string& offset) {
  // Replaced as a whole: it is read all the time.
  const std::string next = directory_.Write("next", offset + "\n");
  if (rename(next.c_str(), directory_.File("offset").c_str()) == 0) return;
  std::perror("rename");
  std::abort();
}

std::vector<std::string> FakeClock::Environment() const {
  return {"LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
          absl::StrCat("FAKETIME_TIMESTAMP_FILE=", directory_.File("offset")),
          "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_DONT_RESET=1"};
}

std::vector<std::string> FakeClock::Prefix() const {
  std::vector<std::string> words = Environment();
  words.insert(words.begin(), "env");
  return words;
}

}  // namespace hourglass
