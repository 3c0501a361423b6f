#include "tools/agent/readiness.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::agent {

absl::StatusOr<Readiness> Readiness::Create() {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) {
    return Error(ErrorReason::kInternalError, "", absl::StrCat("no epoll: ", strerror(errno)));
  }
  return Readiness(epoll);
}

Readiness::~Readiness() {
  if (epoll_ >= 0) close(epoll_);
}

Readiness::Readiness(Readiness&& other) noexcept
    : epoll_(std::exchange(other.epoll_, -1)), awaited_(std::move(other.awaited_)) {}

void Readiness::Await(const std::set<int>& descriptors) {
  // One that was closed meanwhile has left by itself, and its number may be another's.
  for (const int fd : awaited_) epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  awaited_.clear();
  for (const int fd : descriptors) {
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (fd >= 0 && epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0) awaited_.insert(fd);
  }
}

}  // namespace hourglass::agent
