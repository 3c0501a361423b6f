#include "tests/chaos/proxy.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>
#include <thread>

#include "tests/support/loopback.h"
#include "tests/support/status_matchers.h"

namespace hourglass::chaos {
namespace {

using issuance::Descriptor;

constexpr char kLoopback[] = "127.0.0.1";
// Only what is broken waits for it.
constexpr int kNever = 60;
// What must not come would have come by then.
constexpr int kAMoment = 50;

void Send(const Descriptor& socket, const std::string& octets) {
  ASSERT_EQ(send(socket.get(), octets.data(), octets.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(octets.size()));
}

// As many octets; fewer where no more come for so long.
std::string Receive(const Descriptor& socket, std::size_t size, int milliseconds = kNever * 1000) {
  std::string received;
  while (received.size() < size) {
    pollfd ready = {socket.get(), POLLIN, 0};
    if (poll(&ready, 1, milliseconds) != 1) break;
    std::string octets(size - received.size(), '\0');
    const ssize_t count = recv(socket.get(), octets.data(), octets.size(), 0);
    if (count <= 0) break;
    received += octets.substr(0, static_cast<std::size_t>(count));
  }
  return received;
}

class ProxyTest : public testing::Test {
 protected:
  void SetUp() override {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(bind(listener_.get(), any, size), 0);
    ASSERT_EQ(listen(listener_.get(), 16), 0);
    ASSERT_EQ(getsockname(listener_.get(), any, &size), 0);
    ASSERT_OK_AND_ASSIGN(proxy_, Proxy::Start(ntohs(address.sin_port), 1));
  }

  struct Ends {
    Descriptor client, server;
  };
  Ends Connect() {
    Ends ends;
    ends.client = ConnectTo(kLoopback, proxy_->port());
    EXPECT_TRUE(ends.client.valid());
    ends.server = Descriptor(accept(listener_.get(), nullptr, nullptr));
    EXPECT_TRUE(ends.server.valid());
    return ends;
  }
  // Both ways.
  static void ExpectAlive(const Ends& ends) {
    Send(ends.client, "question");
    EXPECT_EQ(Receive(ends.server, 8), "question");
    Send(ends.server, "answer");
    EXPECT_EQ(Receive(ends.client, 6), "answer");
  }
  void WaitForConnections(int count) {
    while (proxy_->connections() != count) std::this_thread::yield();
  }

  Descriptor listener_{socket(AF_INET, SOCK_STREAM, 0)};
  std::unique_ptr<Proxy> proxy_;
};

TEST_F(ProxyTest, ForwardsWhatIsLongerThanAPortionAndEnds) {
  const Ends one = Connect();
  Ends other = Connect();
  ExpectAlive(one);
  ExpectAlive(other);
  std::string much(100'000, 'x');
  much[99'999] = 'y';
  Send(one.client, much);
  EXPECT_EQ(Receive(one.server, much.size()), much);

  Send(other.client, "last");
  other.client = Descriptor();
  EXPECT_EQ(Receive(other.server, 4), "last");
  EXPECT_TRUE(EndsWithin(other.server, kNever));
  WaitForConnections(1);
  ExpectAlive(one);
}

TEST_F(ProxyTest, CutsWhatIsThereAndNothingThatComes) {
  const Ends before = Connect();
  ExpectAlive(before);
  proxy_->Cut();
  EXPECT_TRUE(EndsWithin(before.client, kNever));
  EXPECT_TRUE(EndsWithin(before.server, kNever));
  ExpectAlive(Connect());
}

TEST_F(ProxyTest, HalfOpenConnectionsSayNothingUntilTheyAreHealed) {
  Ends before = Connect();
  ExpectAlive(before);
  proxy_->Silence(Direction::kBoth);
  Send(before.client, "question");
  EXPECT_EQ(Receive(before.server, 8, kAMoment), "");
  before.client = Descriptor();
  EXPECT_EQ(Receive(before.server, 1, kAMoment), "");
  ExpectAlive(Connect());

  WaitForConnections(1);
  proxy_->Heal();
  EXPECT_TRUE(EndsWithin(before.server, kNever));
  ExpectAlive(Connect());
}

TEST_F(ProxyTest, AnswersCanBeLostWhileRequestsArrive) {
  const Ends ends = Connect();
  ExpectAlive(ends);
  proxy_->Silence(Direction::kAnswers);
  Send(ends.client, "question");
  EXPECT_EQ(Receive(ends.server, 8), "question");
  Send(ends.server, "answer");
  EXPECT_EQ(Receive(ends.client, 6, kAMoment), "");
  proxy_->Heal();
  EXPECT_TRUE(EndsWithin(ends.client, kNever));
  EXPECT_TRUE(EndsWithin(ends.server, kNever));
}

TEST_F(ProxyTest, WhatWasHeldArrivesLateAndSoDoesTheEnd) {
  Ends ends = Connect();
  ExpectAlive(ends);
  proxy_->Hold();
  Send(ends.client, "question");
  EXPECT_EQ(Receive(ends.server, 8, kAMoment), "");
  ends.client = Descriptor();
  EXPECT_EQ(Receive(ends.server, 8, kAMoment), "");
  proxy_->Heal();
  EXPECT_EQ(Receive(ends.server, 8), "question");
  EXPECT_TRUE(EndsWithin(ends.server, kNever));
}

TEST_F(ProxyTest, DelayedPortionsKeepTheirOrder) {
  const Ends ends = Connect();
  proxy_->Delay(std::chrono::milliseconds(20));
  std::string sent;
  for (int i = 0; i < 20'000; ++i) sent += std::to_string(i);
  Send(ends.client, sent);
  EXPECT_EQ(Receive(ends.server, sent.size()), sent);
}

TEST_F(ProxyTest, RefusesWhereTheTargetDoes) {
  listener_ = Descriptor();
  const Descriptor client = ConnectTo(kLoopback, proxy_->port());
  EXPECT_TRUE(EndsWithin(client, kNever));
}

}  // namespace
}  // namespace hourglass::chaos
