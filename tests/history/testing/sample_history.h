// Histories of a service that kept its promises, for tests to spoil.
#ifndef HOURGLASS_TESTS_HISTORY_TESTING_SAMPLE_HISTORY_H_
#define HOURGLASS_TESTS_HISTORY_TESTING_SAMPLE_HISTORY_H_

#include <cstdint>

#include "tests/history/history.h"

namespace hourglass::history {

struct SampleOptions {
  std::uint32_t seed = 1;  // the same options make the same history, but for the key of the leaves
  int clients = 4;
  int calls = 40;    // of each client
  int changes = 12;  // that an administrator tries, after the first promotion
  bool sub_keys = false;
  bool kills_clients = false;  // some: what they did last is in no log, and no log has its end
};

// Calls of several clients and an administrator that overlap, are lost before or after they are
// done, are refused because too much waits, are asked again by others, and meet changes of the
// primary, through three replicas with wrong clocks.
History MakeSampleHistory(const SampleOptions& options);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_TESTING_SAMPLE_HISTORY_H_
