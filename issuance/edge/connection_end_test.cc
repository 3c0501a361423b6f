#include "issuance/edge/connection_end.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace hourglass::issuance {
namespace {

// A connection within this process: both ends are its descriptors.
struct Loopback {
  explicit Loopback(int family) {
    const int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_storage address = {};
    address.ss_family = static_cast<sa_family_t>(family);
    if (family == AF_INET6) {
      reinterpret_cast<sockaddr_in6*>(&address)->sin6_addr = in6addr_loopback;
    } else {
      reinterpret_cast<sockaddr_in*>(&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    socklen_t size = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    there_is = bind(listener, plain, size) == 0 && listen(listener, 1) == 0 &&
               getsockname(listener, plain, &size) == 0;
    server_port = ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);
    client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    there_is = there_is && connect(client, plain, size) == 0;
    if (there_is) server = accept(listener, nullptr, nullptr);
    getsockname(client, plain, &size);
    // The port is at the same place in both families.
    client_port = ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);
    close(listener);
  }
  ~Loopback() {
    close(client);
    close(server);
  }
  bool IsOpen() const {
    char octet;
    return recv(client, &octet, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
  }

  bool there_is = false;
  int client = -1;
  int server = -1;
  int client_port = 0;
  int server_port = 0;
};

TEST(ConnectionEndTest, EndsTheOneThatIsNamedAndNoOther) {
  const Loopback named(AF_INET);
  const Loopback other(AF_INET);
  ASSERT_TRUE(named.there_is && other.there_is);
  EXPECT_TRUE(named.IsOpen());
  EXPECT_TRUE(EndConnectionOf("ipv4:127.0.0.1:" + std::to_string(named.client_port)));
  EXPECT_FALSE(named.IsOpen());
  EXPECT_TRUE(other.IsOpen());
}

TEST(ConnectionEndTest, KnowsTheEscapesOfVersion6) {
  const Loopback named(AF_INET6);
  if (!named.there_is) GTEST_SKIP() << "this machine has no ::1";
  EXPECT_TRUE(named.IsOpen());
  EXPECT_TRUE(EndConnectionOf("ipv6:%5B::1%5D:" + std::to_string(named.client_port)));
  EXPECT_FALSE(named.IsOpen());
}

TEST(ConnectionEndTest, CountsWhatAConnectionReceived) {
  const Loopback first(AF_INET);
  const Loopback second(AF_INET);
  ASSERT_TRUE(first.there_is && second.there_is);
  ASSERT_EQ(send(first.client, "12345", 5, 0), 5);
  char octets[5];
  ASSERT_EQ(recv(first.server, octets, sizeof(octets), MSG_WAITALL), 5);
  const std::map<std::string, std::uint64_t> received = ReceivedByPeer(first.server_port);
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received.begin()->first, "ipv4:127.0.0.1:" + std::to_string(first.client_port));
  EXPECT_EQ(received.begin()->second, 5U);
}

TEST(ConnectionEndTest, NothingIsReadOfWhatHadCome) {
  const Loopback named(AF_INET);
  const Loopback other(AF_INET);
  ASSERT_TRUE(named.there_is && other.there_is);
  char octets[5];
  for (const Loopback* connection : {&named, &other}) {
    ASSERT_EQ(send(connection->client, "12345", 5, 0), 5);
    ASSERT_EQ(recv(connection->server, octets, sizeof(octets), MSG_PEEK | MSG_WAITALL), 5);
  }
  EXPECT_TRUE(EndConnectionOf("ipv4:127.0.0.1:" + std::to_string(named.client_port)));
  EXPECT_LE(recv(named.server, octets, sizeof(octets), MSG_DONTWAIT), 0);
  EXPECT_EQ(recv(other.server, octets, sizeof(octets), MSG_DONTWAIT), 5);
  EXPECT_EQ(recv(named.client, octets, sizeof(octets), 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST(ConnectionEndTest, SaysWhereThereIsNone) {
  const Loopback other(AF_INET);
  ASSERT_TRUE(other.there_is);
  EXPECT_FALSE(EndConnectionOf("ipv4:192.0.2.7:1"));
  EXPECT_FALSE(EndConnectionOf("unix:/somewhere"));
  EXPECT_FALSE(EndConnectionOf(""));
  EXPECT_TRUE(other.IsOpen());
}

}  // namespace
}  // namespace hourglass::issuance
