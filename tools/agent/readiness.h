// Several events to wait for at once.
#ifndef HOURGLASS_TOOLS_AGENT_READINESS_H_
#define HOURGLASS_TOOLS_AGENT_READINESS_H_

#include <set>

#include "absl/status/statusor.h"

namespace hourglass::agent {

// A descriptor that can be read while one of a set of descriptors can (epoll): Waiter::Wait takes
// one. Move-only, for one thread.
class Readiness {
 public:
  // Errors: INTERNAL_ERROR.
  static absl::StatusOr<Readiness> Create();
  ~Readiness();
  Readiness(Readiness&& other) noexcept;
  Readiness& operator=(Readiness&&) = delete;

  int fd() const { return epoll_; }
  // From now on it is these, which are open; negative ones are none.
  void Await(const std::set<int>& descriptors);

 private:
  explicit Readiness(int epoll) : epoll_(epoll) {}

  int epoll_;
  std::set<int> awaited_;
};

}  // namespace hourglass::agent

#endif  // HOURGLASS_TOOLS_AGENT_READINESS_H_
