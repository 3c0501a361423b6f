#include "issuance/store/postgresql/engine/deadline.h"

#include <errno.h>
#include <poll.h>

#include <algorithm>
#include <limits>

namespace hourglass::issuance::postgresql {

Deadline Deadline::In(std::chrono::milliseconds time) {
  return Deadline(std::chrono::steady_clock::now() + time);
}

std::chrono::milliseconds Deadline::Left() const {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(end_ - std::chrono::steady_clock::now());
  return std::max(left, std::chrono::milliseconds(0));
}

Deadline Deadline::Share(int among) const { return In(Left() / std::max(among, 1)); }

bool WaitForSocket(int socket, short events, const Deadline& deadline) {
  for (;;) {
    const std::chrono::milliseconds::rep left = deadline.Left().count();
    pollfd waited = {socket, events, 0};
    const int ready = poll(&waited, 1,
                           static_cast<int>(std::min<std::chrono::milliseconds::rep>(
                               left, std::numeric_limits<int>::max())));
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
    if (left == 0) return false;
  }
}

}  // namespace hourglass::issuance::postgresql
