#include "tests/support/keyholder.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>

#include <optional>

#include "absl/status/status.h"

namespace hourglass {

absl::StatusOr<keyholder::Reply> Ask(hsm::WorkerProcess& worker,
                                     const keyholder::Request& request) {
  if (worker.Send(request) != hsm::WorkerProcess::Sent::kYes) {
    return absl::UnavailableError("the request was not taken");
  }
  return NextReply(worker);
}

absl::StatusOr<keyholder::Reply> NextReply(hsm::WorkerProcess& worker) {
  constexpr int kMinute = 60'000;
  for (;;) {
    const absl::StatusOr<std::optional<keyholder::Reply>> reply = worker.Receive();
    if (!reply.ok()) return reply.status();
    if (reply->has_value()) return **reply;
    pollfd sockets[] = {{worker.socket(), POLLIN, 0}, {worker.administration_socket(), POLLIN, 0}};
    if (poll(sockets, 2, kMinute) == 0) return absl::DeadlineExceededError("no reply");
  }
}

void AwaitEnd(pid_t pid) {
  siginfo_t info;
  while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
}

}  // namespace hourglass
