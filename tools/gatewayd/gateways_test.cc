// Each kind of gateway against one that answers as the real one does.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/support/socket_directory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tools/client/wording.h"
#include "tools/gatewayd/fake_gateways.h"
#include "tools/gatewayd/openvpn.h"
#include "tools/gatewayd/radius_nas.h"
#include "tools/gatewayd/refused_folder.h"
#include "tools/gatewayd/stream_socket.h"
#include "tools/gatewayd/strongswan.h"

namespace hourglass::gatewayd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr char kAlice[] = "alice@contoso.example";
constexpr char kSecret[] = "testing";

// Of alice on laptop-1, with this certificate.
Task TaskOf(const std::string& user, const std::string& serial, bool is_again = false) {
  Task task;
  task.concern.words = "DEVICE_BLOCKED device laptop-1";
  task.concern.at = absl::Now();
  task.concern.until = task.concern.at;
  task.concern.users.insert({.upn = user, .common_name = user});
  if (!serial.empty()) {
    task.concern.certificates[serial] =
        absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now() + absl::Minutes(30)));
  }
  task.is_again = is_again;
  return task;
}

Patience Long() { return Patience(absl::Seconds(20), -1); }

std::vector<std::string> TunnelsOf(const Outcome& outcome) {
  std::vector<std::string> tunnels;
  for (const EndedTunnel& one : outcome.ended) tunnels.push_back(one.tunnel);
  return tunnels;
}

class GatewaysTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  SocketDirectory sockets_;
};

TEST_F(GatewaysTest, OpenvpnEndsTheCertificateAndNoOtherDeviceNorUser) {
  const std::string path = sockets_.File("management");
  FakeOpenvpn fake(path, "open");
  const std::int64_t since = absl::ToUnixSeconds(absl::Now()) - 60;
  fake.Connect(1, "alice@contoso.example_0x1A2B", since);
  fake.Connect(2, "alice@contoso.example_0x3C4D", since);
  fake.Connect(3, "bob@contoso.example_0x5E6F", since);
  fake.Connect(4, "alice@contoso.example", since);
  const auto gateway = MakeOpenvpn({.management = path, .password = "open"});
  const Outcome outcome = gateway->End({TaskOf(kAlice, "1a2b")}, Long());
  EXPECT_OK(outcome.status);
  EXPECT_THAT(TunnelsOf(outcome), ElementsAre("client 1 of alice@contoso.example_0x1A2B",
                                              "client 4 of alice@contoso.example"));
  EXPECT_EQ(outcome.ended[0].how, Match::kByCertificate);
  EXPECT_EQ(outcome.ended[1].how, Match::kByName);
  EXPECT_THAT(fake.commands(),
              ElementsAre("client-kill 1 HALT", "client-kill 4", "kill alice@contoso.example",
                          "kill alice@contoso.example_0x1A2B"));
  EXPECT_THAT(fake.clients(), ElementsAre(2, 3));
}

TEST_F(GatewaysTest, WhatWasCarriedOutBeforeEndsCertificatesAlone) {
  const std::string path = sockets_.File("management");
  FakeOpenvpn openvpn(path);
  const std::int64_t since = absl::ToUnixSeconds(absl::Now()) - 60;
  openvpn.Connect(1, "alice@contoso.example_0x1A2B", since);
  openvpn.Connect(2, "alice@contoso.example", since);
  FakeCharon charon(sockets_.File("vici"));
  charon.Establish(1, "10.0.0.1", kAlice);
  const Task task = TaskOf(kAlice, "1a2b", /*is_again=*/true);
  EXPECT_OK(MakeOpenvpn({.management = path, .password = ""})->End({task}, Long()).status);
  EXPECT_OK(MakeStrongswan({.socket = sockets_.File("vici"), .connections = {}})
                ->End({task}, Long())
                .status);
  EXPECT_THAT(openvpn.clients(), ElementsAre(2));
  EXPECT_THAT(charon.sas(), ElementsAre(1));
}

TEST_F(GatewaysTest, OpenvpnWithAnotherPasswordOrNoneIsAFailure) {
  const std::string path = sockets_.File("management");
  FakeOpenvpn fake(path, "open");
  EXPECT_TRUE(absl::IsPermissionDenied(MakeOpenvpn({.management = path, .password = ""})
                                           ->End({TaskOf(kAlice, "1")}, Long())
                                           .status));
  EXPECT_TRUE(absl::IsAborted(MakeOpenvpn({.management = path, .password = "x"})
                                  ->End({TaskOf(kAlice, "1")}, Long())
                                  .status));
  EXPECT_OK(MakeOpenvpn({.management = path, .password = "open"})
                ->End({TaskOf(kAlice, "1")}, Long())
                .status);
}

TEST_F(GatewaysTest, StrongswanEndsTheUsersAndNoOthers) {
  const std::string path = sockets_.File("vici");
  FakeCharon fake(path);
  fake.Establish(1, "10.0.0.1", kAlice);
  fake.Establish(2, "CN=alice@contoso.example", "");
  fake.Establish(3, kAlice, "bob@contoso.example");
  fake.Establish(4, "CN=bob@contoso.example", "");
  const auto gateway = MakeStrongswan({.socket = path, .connections = {}});
  EXPECT_EQ(gateway->name(), "strongswan " + path);
  const Outcome outcome = gateway->End({TaskOf(kAlice, "1a2b")}, Long());
  EXPECT_OK(outcome.status);
  EXPECT_THAT(TunnelsOf(outcome), UnorderedElementsAre("IKE_SA 1 of alice@contoso.example",
                                                       "IKE_SA 2 of CN=alice@contoso.example"));
  EXPECT_THAT(fake.sas(), ElementsAre(3, 4));
  const Outcome untold = gateway->End({TaskOf("j\xc3\xbcrgen@contoso.example", "")}, Long());
  EXPECT_OK(untold.status);
  ASSERT_THAT(untold.not_told, SizeIs(1));
  EXPECT_THAT(untold.not_told[0].why, HasSubstr("as it may show others"));
}

TEST_F(GatewaysTest, OpenvpnEndsUsersWhoseNamesNeedQuotes) {
  const std::string path = sockets_.File("management");
  FakeOpenvpn fake(path);
  const std::int64_t since = absl::ToUnixSeconds(absl::Now()) - 60;
  const std::string user = "o'brien+m_\u00fcller@contoso.example";
  fake.Connect(1, user, since);
  fake.Connect(2, absl::StrCat(user, "_0x1A2B"), since);
  fake.Connect(3, "o_brien+m_m_ller@contoso.example", since);
  const Outcome outcome =
      MakeOpenvpn({.management = path, .password = ""})->End({TaskOf(user, "1a2b")}, Long());
  EXPECT_OK(outcome.status);
  EXPECT_THAT(outcome.ended, SizeIs(2));
  EXPECT_THAT(fake.clients(), ElementsAre(3));
}

TEST_F(GatewaysTest, StrongswanEndsWhatBeganInTheSecondBeforeTheEvent) {
  const std::string path = sockets_.File("vici");
  FakeCharon fake(path);
  // charon says the age in whole seconds.
  fake.Establish(1, kAlice, "", /*seconds=*/0);
  fake.Establish(2, "bob@contoso.example", "", /*seconds=*/0);
  const auto gateway = MakeStrongswan({.socket = path, .connections = {}});
  Task earlier = TaskOf("bob@contoso.example", "");
  earlier.concern.until -= absl::Seconds(5);
  const Outcome outcome = gateway->End({TaskOf(kAlice, "1a2b"), earlier}, Long());
  EXPECT_OK(outcome.status);
  EXPECT_THAT(TunnelsOf(outcome), ElementsAre("IKE_SA 1 of alice@contoso.example"));
  EXPECT_THAT(fake.sas(), ElementsAre(2));
}

TEST_F(GatewaysTest, StrongswanEndsWhatHasMoreChildrenThanCharonCanSay) {
  const std::string path = sockets_.File("vici");
  FakeCharon fake(path);
  fake.Establish(1, kAlice, "");
  fake.AddChildren(1, kMaxViciPacket);
  fake.Establish(2, "bob@contoso.example", "");
  const auto gateway = MakeStrongswan({.socket = path, .connections = {}});
  EXPECT_OK(gateway->End({TaskOf(kAlice, "1a2b")}, Long()).status);
  EXPECT_THAT(fake.sas(), ElementsAre(2));
}

// charon shows so who calls himself by the number of his key, which is in his certificate.
TEST_F(GatewaysTest, StrongswansPeersWithoutANameAreToldOf) {
  const std::string path = sockets_.File("vici");
  FakeCharon fake(path);
  fake.Establish(1, "a5:21:24:94:8e:d1:0a:9d:40:3f:b0:ff:45:57:b6:76:b4:34:78:86", "");
  fake.Establish(2, "a5:21:24:94", "bob@contoso.example");
  const Outcome outcome = MakeStrongswan({.socket = path, .connections = {}})
                              ->End({TaskOf(kAlice, "1a2b"), TaskOf(kAlice, "3c4d")}, Long());
  EXPECT_OK(outcome.status);
  EXPECT_THAT(fake.sas(), ElementsAre(1, 2));
  ASSERT_THAT(outcome.not_told, SizeIs(1));
  EXPECT_THAT(outcome.not_told[0].why, HasSubstr("IKE_SA 1 is of a5:21:24:94:8e"));
}

TEST_F(GatewaysTest, WhoAlwaysHasMoreToSayIsHeardNoLonger) {
  const std::string path = sockets_.File("talker");
  const UnixServer talker(path, [](UnixServer& server, int connection) {
    UnixServer::Send(connection, std::string(64 * 1024, 'x'));
    server.Receive(connection);
  });
  const Patience patience(absl::Seconds(1), -1);
  ASSERT_OK_AND_ASSIGN(StreamSocket socket, StreamSocket::Connect(path, patience));
  EXPECT_OK(socket.Receive(1).status());
  EXPECT_OK(patience.Sleep());
  // The rest is there.
  const auto rest = socket.Receive(63 * 1024);
  EXPECT_TRUE(absl::IsDeadlineExceeded(rest.status())) << rest.status();
}

TEST_F(GatewaysTest, PatienceEndsAlsoWhereThereIsMoreToRead) {
  const int ready = eventfd(1, EFD_CLOEXEC);
  EXPECT_OK(Patience(absl::Seconds(20), -1).Await(ready, POLLIN));
  EXPECT_TRUE(absl::IsDeadlineExceeded(Patience(absl::ZeroDuration(), -1).Await(ready, POLLIN)));
  EXPECT_TRUE(absl::IsCancelled(Patience(absl::Seconds(20), ready).Await(ready, POLLIN)));
  close(ready);
}

TEST_F(GatewaysTest, WhoIsNotThereIsTriedAgain) {
  const std::string path = sockets_.File("nobody");
  for (const auto& gateway : {MakeStrongswan({.socket = path, .connections = {}}).release(),
                              MakeOpenvpn({.management = path, .password = ""}).release()}) {
    const std::unique_ptr<Gateway> owned(gateway);
    const Outcome outcome = owned->End({TaskOf(kAlice, "1")}, Long());
    EXPECT_TRUE(absl::IsUnavailable(outcome.status)) << outcome.status;
  }
}

TEST_F(GatewaysTest, WhoSaysNothingIsWaitedForAndNoLonger) {
  const std::string path = sockets_.File("silent");
  const UnixServer silent(path, [](UnixServer& server, int connection) {
    while (!server.Receive(connection).empty()) continue;
  });
  const auto gateway = MakeStrongswan({.socket = path, .connections = {}});
  const Outcome outcome = gateway->End({TaskOf(kAlice, "1")}, Patience(absl::Milliseconds(20), -1));
  EXPECT_TRUE(absl::IsDeadlineExceeded(outcome.status)) << outcome.status;
}

TEST_F(GatewaysTest, TheFolderHasLiveCertificatesAndLosesThoseThatEnd) {
  EXPECT_EQ(SerialName("4de6cfb5343cc9c2cf68d339ae4223c897929bbb", SerialForm::kDecimal),
            "444739554652829459540534731414508384435024599995");
  EXPECT_EQ(SerialName("0a1b", SerialForm::kHexadecimal), "0a1b");
  directory_.Write("17", "refused by hourglass-gatewayd until 2020-01-01T00:00:00Z\n");
  directory_.Write("18", "somebody else's\n");
  const auto gateway =
      MakeRefusedFolder({.folder = directory_.path(), .form = SerialForm::kDecimal});
  Task ended = TaskOf(kAlice, "ff");
  ended.concern.certificates["ff"] = absl::Now() - absl::Seconds(1);
  EXPECT_OK(gateway->End({TaskOf(kAlice, "1a2b"), ended}, Long()).status);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
    names.push_back(entry.path().filename());
  }
  EXPECT_THAT(names, UnorderedElementsAre("18", "6699"));
  EXPECT_THAT(ReadFileOrDie(directory_.File("6699")),
              HasSubstr("refused by hourglass-gatewayd until 20"));
}

std::string Md5(const std::string& octets) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(octets.data(), octets.size(), digest, &size, EVP_md5(), nullptr);
  return std::string(reinterpret_cast<const char*>(digest), size);
}

// RFC 5176: an answer without attributes but these.
std::string AnswerTo(const std::string& request, char code, const std::string& attributes,
                     const std::string& secret = kSecret) {
  const std::string head = {code, request[1], 0, static_cast<char>(20 + attributes.size())};
  return head + Md5(head + request.substr(4, 16) + attributes + secret) + attributes;
}

// A NAS that gives each request of one port to `answers`, in turn.
class FakeNas {
 public:
  using Answers = std::vector<std::function<std::vector<std::string>(const std::string&)>>;

  explicit FakeNas(Answers answers) : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, any, size) != 0 || getsockname(socket_, any, &size) != 0) std::abort();
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answers = std::move(answers)] {
      for (const auto& answer : answers) {
        char octets[4096];
        sockaddr_in from = {};
        socklen_t from_size = sizeof(from);
        const ssize_t got = recvfrom(socket_, octets, sizeof(octets), 0,
                                     reinterpret_cast<sockaddr*>(&from), &from_size);
        requests_.emplace_back(octets, static_cast<std::size_t>(got));
        for (const std::string& one : answer(requests_.back())) {
          sendto(socket_, one.data(), one.size(), 0, reinterpret_cast<sockaddr*>(&from), from_size);
        }
      }
    });
  }
  ~FakeNas() { close(socket_); }

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }
  // Once all answers are given.
  const std::vector<std::string>& requests() {
    if (thread_.joinable()) thread_.join();
    return requests_;
  }

 private:
  const int socket_;
  int port_ = 0;
  std::vector<std::string> requests_;
  std::thread thread_;
};

std::unique_ptr<Gateway> NasAt(const std::string& address) {
  return MakeRadiusNas(
      {.address = address, .secret = kSecret, .nas_identifier = "", .message_authenticator = true});
}

constexpr char kAck = 41;
constexpr char kNak = 42;

TEST_F(GatewaysTest, ARequestThatIsLostIsSentAgainAsItWasAndFalseAnswersCountForNothing) {
  FakeNas nas({[](const std::string&) { return std::vector<std::string>{}; },
               [](const std::string& request) {
                 return std::vector<std::string>{AnswerTo(request, kNak, "", "another secret"), "x",
                                                 AnswerTo(request, kAck, "")};
               }});
  const Outcome outcome = NasAt(nas.address())->End({TaskOf(kAlice, "1")}, Long());
  EXPECT_OK(outcome.status);
  EXPECT_THAT(TunnelsOf(outcome), ElementsAre("sessions of alice@contoso.example"));
  ASSERT_THAT(nas.requests(), SizeIs(2));
  EXPECT_EQ(nas.requests()[0], nas.requests()[1]);
}

TEST_F(GatewaysTest, ARefusalSaysWhy) {
  const auto with = [](const std::string& attributes) {
    return [attributes](const std::string& request) {
      return std::vector<std::string>{AnswerTo(request, kNak, attributes)};
    };
  };
  FakeNas nas({with(""), with(std::string("\x65\x06\x00\x00\x01\xf7", 6)),
               with(std::string("\x65\x06\x00\x00\x01\x92", 6)),
               with(std::string("\x65\x06\x00\x00\x01\xfa", 6))});
  const auto gateway = NasAt(nas.address());
  // No such session: by strongSwan, and as RFC 5176 says it.
  for (int i = 0; i < 2; ++i) {
    const Outcome none = gateway->End({TaskOf(kAlice, "1")}, Long());
    EXPECT_OK(none.status);
    EXPECT_THAT(none.ended, IsEmpty());
    EXPECT_THAT(none.not_told, IsEmpty());
  }
  const Outcome refused = gateway->End({TaskOf(kAlice, "1")}, Long());
  EXPECT_OK(refused.status);
  ASSERT_THAT(refused.not_told, SizeIs(1));
  EXPECT_THAT(refused.not_told[0].why, HasSubstr("Missing Attribute (402)"));
  const Outcome busy = gateway->End({TaskOf(kAlice, "1")}, Long());
  EXPECT_TRUE(absl::IsUnavailable(busy.status));
  EXPECT_THAT(std::string(busy.status.message()), HasSubstr("Resources Unavailable (506)"));
  nas.requests();
}

// The octets of User-Name, which comes behind Message-Authenticator.
std::string UserIn(const std::string& request) {
  constexpr std::size_t kUserName = 20 + 18;
  return request.substr(kUserName + 2, static_cast<unsigned char>(request[kUserName + 1]) - 2u);
}

TEST_F(GatewaysTest, ANasThatIsSilentForOneUserKeepsNoOther) {
  const auto silent = [](const std::string&) { return std::vector<std::string>{}; };
  const auto ack = [](const std::string& request) {
    return std::vector<std::string>{AnswerTo(request, kAck, "")};
  };
  FakeNas nas({silent, ack, silent, ack});
  const auto gateway = NasAt(nas.address());
  const std::vector<Task> tasks = {TaskOf(kAlice, "1"), TaskOf("bob@contoso.example", "2")};
  const auto briefly = [] { return Patience(absl::Milliseconds(300), -1); };
  // Alice's comes first, and keeps bob's.
  EXPECT_FALSE(gateway->End(tasks, briefly()).status.ok());
  const Outcome second = gateway->End(tasks, briefly());
  EXPECT_FALSE(second.status.ok());
  EXPECT_THAT(TunnelsOf(second), ElementsAre("sessions of bob@contoso.example"));
  // He, who may have come back in order, is not disconnected for her sake again.
  const Outcome third = gateway->End(tasks, Long());
  EXPECT_OK(third.status);
  EXPECT_THAT(TunnelsOf(third), ElementsAre("sessions of alice@contoso.example"));
  std::vector<std::string> users;
  for (const std::string& request : nas.requests()) users.push_back(UserIn(request));
  EXPECT_THAT(users, ElementsAre(kAlice, "bob@contoso.example", kAlice, kAlice));
}

TEST_F(GatewaysTest, NothingIsSentOfNamesOfManyNorAgain) {
  FakeNas nas({[](const std::string& request) {
    return std::vector<std::string>{AnswerTo(request, kAck, "")};
  }});
  const auto gateway = NasAt(nas.address());
  const Outcome many = gateway->End({TaskOf("*@contoso.example", "")}, Long());
  EXPECT_OK(many.status);
  ASSERT_THAT(many.not_told, SizeIs(1));
  EXPECT_THAT(many.not_told[0].why, HasSubstr("`*` is in the name"));
  EXPECT_THAT(gateway->End({TaskOf(kAlice, "1", /*is_again=*/true)}, Long()).ended, IsEmpty());
  // Two events of one user are one request; it is the first that comes.
  const Outcome once =
      gateway->End({TaskOf(kAlice, "1"), TaskOf("ALICE@contoso.example", "2")}, Long());
  EXPECT_THAT(once.ended, SizeIs(1));
  EXPECT_THAT(nas.requests(), SizeIs(1));
}

}  // namespace
}  // namespace hourglass::gatewayd
