#include "issuance/edge/file_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

namespace hourglass::issuance {
namespace {

// For the store, the journal's segments, key holders, threads' event queues, and calls to a
// compliance service.
constexpr int kOtherFiles = 256;
constexpr int kLeast = 16;

}  // namespace

int FileLimit() {
  rlimit limit = {};
  // What it is where nobody changed it.
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  return static_cast<int>(
      std::min<rlim_t>(limit.rlim_cur, static_cast<rlim_t>(std::numeric_limits<int>::max())));
}

int RaiseFileLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    static_cast<void>(setrlimit(RLIMIT_NOFILE, &limit));
  }
  return FileLimit();
}

int ConnectionsWithin(int file_limit, int wanted) {
  return std::max(kLeast, std::min(wanted, (file_limit - kOtherFiles) / 2));
}

}  // namespace hourglass::issuance
