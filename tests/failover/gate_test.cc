#include "tests/failover/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "issuance/edge/descriptor.h"
#include "tests/support/loopback.h"
#include "tests/support/status_matchers.h"

namespace hourglass::failover {
namespace {

using issuance::Descriptor;

constexpr char kAddress[] = "127.0.0.1";
constexpr int kPatience = 30'000;  // milliseconds
constexpr int kAWhile = 200;

std::string Receive(const Descriptor& socket) {
  char buffer[64];
  const ssize_t got = recv(socket.get(), buffer, sizeof(buffer), 0);
  return got < 0 ? "error" : std::string(buffer, static_cast<std::size_t>(got));
}

bool IsReadable(const Descriptor& socket, int milliseconds) {
  pollfd wait = {socket.get(), POLLIN, 0};
  return poll(&wait, 1, milliseconds) == 1;
}

void Send(const Descriptor& socket, const std::string& text) {
  EXPECT_EQ(send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

class GateTest : public testing::Test {
 protected:
  void SetUp() override {
    server_ = Descriptor(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(name);
    auto* const any = reinterpret_cast<sockaddr*>(&name);
    ASSERT_EQ(bind(server_.get(), any, size), 0);
    ASSERT_EQ(listen(server_.get(), 8), 0);
    ASSERT_EQ(getsockname(server_.get(), any, &size), 0);
    ASSERT_OK_AND_ASSIGN(gate_, Gate::Make(kAddress, {kAddress, ntohs(name.sin_port)}));
    client_ = Connect();
    accepted_ = Descriptor(accept(server_.get(), nullptr, nullptr));
  }

  Descriptor Connect() const {
    Descriptor client = ConnectTo(gate_->endpoint().address, gate_->endpoint().port);
    EXPECT_TRUE(client.valid());
    return client;
  }

  Descriptor server_, client_, accepted_;
  std::unique_ptr<Gate> gate_;
};

TEST_F(GateTest, ForwardsBothWaysAndTellsOfTheEnd) {
  Send(client_, "question");
  EXPECT_EQ(Receive(accepted_), "question");
  Send(accepted_, "answer");
  EXPECT_EQ(Receive(client_), "answer");
  shutdown(client_.get(), SHUT_WR);
  EXPECT_EQ(Receive(accepted_), "");
  Send(accepted_, "last");
  accepted_ = Descriptor();
  EXPECT_EQ(Receive(client_), "last");
  EXPECT_EQ(Receive(client_), "");
}

TEST_F(GateTest, ShutNobodyHearsAnythingAndOpenWhatWasKeptBack) {
  gate_->Shut();
  Send(client_, "question");
  Send(accepted_, "answer");
  const Descriptor late = Connect();
  Send(late, "late");
  EXPECT_FALSE(IsReadable(accepted_, kAWhile));
  EXPECT_FALSE(IsReadable(client_, 0));
  EXPECT_FALSE(IsReadable(server_, 0));
  gate_->Open();
  EXPECT_EQ(Receive(accepted_), "question");
  EXPECT_EQ(Receive(client_), "answer");
  ASSERT_TRUE(IsReadable(server_, kPatience));
  EXPECT_EQ(Receive(Descriptor(accept(server_.get(), nullptr, nullptr))), "late");
}

TEST_F(GateTest, EndsItsConnectionsWithItself) {
  gate_.reset();
  EXPECT_TRUE(EndsWithin(client_, kPatience / 1000));
  EXPECT_TRUE(EndsWithin(accepted_, kPatience / 1000));
}

}  // namespace
}  // namespace hourglass::failover
