// Disconnect-Requests against a NAS that answers as a real one does.
#include "tools/gatewayd/radius_nas.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"
#include "tools/gatewayd/gateway_tasks.h"

namespace hourglass::gatewayd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kSecret[] = "testing";

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

TEST(RadiusNasTest, ARequestThatIsLostIsSentAgainAsItWasAndFalseAnswersCountForNothing) {
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

TEST(RadiusNasTest, ARefusalSaysWhy) {
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

TEST(RadiusNasTest, ANasThatIsSilentForOneUserKeepsNoOther) {
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

TEST(RadiusNasTest, NothingIsSentOfNamesOfManyNorAgain) {
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
