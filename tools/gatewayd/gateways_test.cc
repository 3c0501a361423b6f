// Each kind of gateway that is asked over a socket or a folder, against one that answers as the
// real one does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/support/socket_directory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tools/client/wording.h"
#include "tools/gatewayd/fake_gateways.h"
#include "tools/gatewayd/gateway_tasks.h"
#include "tools/gatewayd/openvpn.h"
#include "tools/gatewayd/refused_folder.h"
#include "tools/gatewayd/stream_socket.h"
#include "tools/gatewayd/strongswan.h"

namespace hourglass::gatewayd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::UnorderedElementsAre;

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

}  // namespace
}  // namespace hourglass::gatewayd
