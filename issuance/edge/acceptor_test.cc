#include "issuance/edge/acceptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/rand.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <condition_variable>
#include <future>

#include "absl/strings/str_cat.h"
#include "issuance/edge/watchdog.h"
#include "tests/support/loopback.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

constexpr char kLoopback[] = "127.0.0.1";

// The first octets of a ClientHello, of a random of its own.
std::string Hello() {
  std::string random(32, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(random.data()), 32);
  return absl::StrCat(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), random);
}

class AcceptorTest : public testing::Test {
 protected:
  AcceptorTest() {
    ListeningSockets listening = ListenOn("127.0.0.1:0").value();
    port_ = listening.port;
    Acceptor::Options options;
    options.hand_over = [this](Descriptor socket) {
      const std::lock_guard lock(mutex_);
      if (answers_) send(socket.get(), "!", 1, MSG_NOSIGNAL);
      handed_over_.push_back(std::move(socket));
      changed_.notify_all();
    };
    options.check = [](const AdmittedPeer&) { return absl::OkStatus(); };
    options.each_second = [] {};
    acceptor_ = Acceptor::Start(std::move(listening), std::move(options), &table_, &log_).value();
  }

  // Waits until so many were.
  bool WaitForHandedOver(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30),
                             [&] { return handed_over_.size() >= count; });
  }

  // Whether the table comes to have so many.
  bool WaitForTable(int size) {
    for (int i = 0; i < 3000 && table_.size() != size; ++i) {
      const timespec ten_milliseconds = {0, 10'000'000};
      nanosleep(&ten_milliseconds, nullptr);
    }
    return table_.size() == size;
  }

  Descriptor ConnectAndSay(const std::string& octets) {
    Descriptor socket = ConnectTo(kLoopback, port_);
    EXPECT_TRUE(socket.valid());
    EXPECT_EQ(send(socket.get(), octets.data(), octets.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(octets.size()));
    return socket;
  }

  const EventLog log_ = EventLog::Silent();
  ConnectionTable table_{ConnectionLimits()};
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Descriptor> handed_over_;
  bool answers_ = false;
  std::unique_ptr<Acceptor> acceptor_;
};

TEST_F(AcceptorTest, HandsOverWhatBeginsWithAClientHello) {
  const std::string hello = Hello();
  const Descriptor client = ConnectAndSay(hello);
  ASSERT_TRUE(WaitForHandedOver(1));
  // All that was sent is there still.
  std::string octets(hello.size(), '\0');
  EXPECT_EQ(recv(handed_over_[0].get(), octets.data(), octets.size(), MSG_WAITALL),
            static_cast<ssize_t>(hello.size()));
  EXPECT_EQ(octets, hello);
  EXPECT_EQ(table_.size(), 1);
}

TEST_F(AcceptorTest, AClientHelloMayComeInPieces) {
  const std::string hello = Hello();
  const Descriptor client = ConnectAndSay(hello.substr(0, 20));
  ASSERT_TRUE(WaitForTable(1));
  const Descriptor other = ConnectAndSay(Hello());
  ASSERT_TRUE(WaitForHandedOver(1));
  EXPECT_EQ(send(client.get(), hello.data() + 20, hello.size() - 20, MSG_NOSIGNAL),
            static_cast<ssize_t>(hello.size() - 20));
  EXPECT_TRUE(WaitForHandedOver(2));
}

TEST_F(AcceptorTest, EndsWhatIsNoTls) {
  for (const char* octets : {"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: everything\r\n\r\n",
                             "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n and whatever follows it", "x"}) {
    EXPECT_TRUE(EndsWithin(ConnectAndSay(octets), 30)) << octets;
  }
  std::string alert = Hello();
  alert[5] = 2;
  EXPECT_TRUE(EndsWithin(ConnectAndSay(alert), 30));
  EXPECT_TRUE(WaitForTable(0));
  // The control.
  const Descriptor sound = ConnectAndSay(Hello());
  EXPECT_TRUE(WaitForHandedOver(1));
}

TEST_F(AcceptorTest, ForgetsAConnectionWhoseClientGoesOrThatTlsShuts) {
  {
    const Descriptor silent = ConnectTo(kLoopback, port_);
    ASSERT_TRUE(WaitForTable(1));
  }
  EXPECT_TRUE(WaitForTable(0));
  Descriptor client = ConnectAndSay(Hello());
  ASSERT_TRUE(WaitForHandedOver(1));
  // As gRPC ends one: the client sees it at once, although the acceptor has a descriptor too.
  shutdown(handed_over_[0].get(), SHUT_RDWR);
  handed_over_.clear();
  EXPECT_TRUE(EndsWithin(client, 30));
  EXPECT_TRUE(WaitForTable(0));
}

TEST_F(AcceptorTest, ARandomThatIsUsedAlreadyGetsNoHandshake) {
  const std::string hello = Hello();
  const Descriptor first = ConnectAndSay(hello);
  ASSERT_TRUE(WaitForHandedOver(1));
  EXPECT_TRUE(EndsWithin(ConnectAndSay(hello), 30));
  EXPECT_EQ(table_.size(), 1);
}

TEST_F(AcceptorTest, EndsSilentOnesInTime) {
  const Descriptor silent = ConnectTo(kLoopback, port_);
  const Descriptor half = ConnectAndSay(Hello().substr(0, 30));
  const Descriptor shaking = ConnectAndSay(Hello());
  for (const Descriptor* client : {&silent, &half, &shaking}) EXPECT_TRUE(EndsWithin(*client, 60));
  EXPECT_TRUE(WaitForTable(0));
}

TEST_F(AcceptorTest, LivesThroughALackOfDescriptors) {
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit before = limit;
  // The clients' ends are of this process as well: they are made first.
  std::vector<Descriptor> clients;
  for (int i = 0; i < 50; ++i) clients.push_back(Descriptor(socket(AF_INET, SOCK_STREAM, 0)));
  limit.rlim_cur = static_cast<rlim_t>(clients.back().get()) + 4;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  sockaddr_storage to = {};
  socklen_t size = sizeof(to);
  ASSERT_EQ(getsockname(acceptor_->listening_socket(), reinterpret_cast<sockaddr*>(&to), &size), 0);
  for (const Descriptor& client : clients) {
    ASSERT_EQ(connect(client.get(), reinterpret_cast<const sockaddr*>(&to), size), 0);
  }
  // Nobody is left waiting in the queue: the last ones were accepted and closed.
  EXPECT_TRUE(EndsWithin(clients.back(), 30));
  EXPECT_LE(table_.size(), 4);
  clients.clear();
  EXPECT_TRUE(WaitForTable(0));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  const Descriptor sound = ConnectAndSay(Hello());
  EXPECT_TRUE(WaitForHandedOver(1));
}

TEST_F(AcceptorTest, TheProbeIsAnsweredWhereTlsAnswers) {
  answers_ = true;
  EXPECT_OK(ProbeOwnPort(*acceptor_, std::chrono::seconds(30)));
  answers_ = false;
  EXPECT_EQ(ProbeOwnPort(*acceptor_, std::chrono::milliseconds(100)).code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST_F(AcceptorTest, TheWatchdogTellsOfEachAnswer) {
  answers_ = true;
  std::promise<void> third;
  int answers = 0;
  {
    const Watchdog watchdog(
        acceptor_.get(), std::chrono::milliseconds(1),
        [&] {
          if (++answers == 3) third.set_value();
        },
        &log_);
    EXPECT_EQ(third.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  }
  handed_over_.clear();
  EXPECT_TRUE(WaitForTable(0));
}

TEST_F(AcceptorTest, AfterAStopNobodyIsAcceptedAndNobodyWaits) {
  const Descriptor silent = ConnectTo(kLoopback, port_);
  ASSERT_TRUE(WaitForTable(1));
  acceptor_->Stop();
  EXPECT_TRUE(EndsWithin(silent, 30));
  EXPECT_FALSE(ConnectTo(kLoopback, port_).valid());
}

}  // namespace
}  // namespace hourglass::issuance
