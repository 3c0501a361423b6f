// A service whose port is not answered, as its service manager sees it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/daemon.h"

namespace hourglass {
namespace {

using testing::HasSubstr;
using testing::Not;

// The socket that a service manager gives as NOTIFY_SOCKET.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& path)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
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

  void DropAll() {
    char message[4096];
    while (recv(socket_, message, sizeof(message), MSG_DONTWAIT) > 0) continue;
  }

 private:
  const int socket_;
};

TEST(WatchdogTest, TellsTheServiceManagerWhileThePortIsAnswered) {
  Daemon daemon;
  NotifySocket manager(daemon.directory().File("notify"));
  // The process is the manager's own child by this: WATCHDOG_PID is left out.
  ASSERT_TRUE(
      daemon.Start({"env", absl::StrCat("NOTIFY_SOCKET=", daemon.directory().File("notify")),
                    "WATCHDOG_USEC=300000"}))
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
