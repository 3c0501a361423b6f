// A service whose port is not answered, as its service manager sees it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/daemon.h"

namespace hourglass {
namespace {

using testing::HasSubstr;
using testing::Not;

// The socket that a service manager gives as NOTIFY_SOCKET. Its name is of the abstract kind
// (unix(7)): the path of a test's folder may be longer than a socket's address.
class NotifySocket {
 public:
  NotifySocket()
      : name_(absl::StrCat("hourglass-watchdog-test-", getpid())),
        socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    name_.copy(address.sun_path + 1, sizeof(address.sun_path) - 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name_.size());
    EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), size), 0);
  }
  ~NotifySocket() { close(socket_); }

  // Whether this comes within so many seconds; what else comes is dropped.
  bool Hears(const std::string& state, int seconds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (std::chrono::steady_clock::now() < end) {
      pollfd ready = {socket_, POLLIN, 0};
      if (poll(&ready, 1, 100) <= 0) continue;
      char message[4096];
      const ssize_t size = recv(socket_, message, sizeof(message), 0);
      if (size > 0 && absl::string_view(message, static_cast<std::size_t>(size)) == state) {
        return true;
      }
    }
    return false;
  }

  // As systemd writes it.
  std::string name() const { return absl::StrCat("@", name_); }

 private:
  const std::string name_;
  const int socket_;
};

TEST(WatchdogTest, TellsTheServiceManagerWhileThePortIsAnswered) {
  Daemon daemon;
  NotifySocket manager;
  // The process is the manager's own child by this: WATCHDOG_PID is left out.
  ASSERT_TRUE(
      daemon.Start({"env", absl::StrCat("NOTIFY_SOCKET=", manager.name()), "WATCHDOG_USEC=300000"}))
      << daemon.Log();
  EXPECT_TRUE(manager.Hears("READY=1", 60));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(manager.Hears("WATCHDOG=1", 60));
  EXPECT_EQ(daemon.Stop(), 0);
  EXPECT_TRUE(manager.Hears("STOPPING=1\nWATCHDOG=1", 60));
  // Its own probes are no strangers.
  EXPECT_THAT(daemon.Log(), Not(HasSubstr("connection_refused")));
}

}  // namespace
}  // namespace hourglass
