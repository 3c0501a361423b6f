#include "tools/doctor/radius/relay.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::doctor {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kSecretOctets = 16;

struct AddressesDeleter {
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};

absl::StatusOr<std::unique_ptr<addrinfo, AddressesDeleter>> Resolve(const RadiusTarget& target) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int fault =
      getaddrinfo(target.host.c_str(), absl::StrCat(target.port).c_str(), &hints, &found);
  if (fault != 0) {
    return Error(ErrorReason::kFieldInvalid, "host",
                 absl::StrCat("`", target.host, "` leads nowhere: ", gai_strerror(fault)));
  }
  return std::unique_ptr<addrinfo, AddressesDeleter>(found);
}

// Empty where nothing came.
std::string Receive(int socket, sockaddr_in* from) {
  char buffer[radius::kMaxPacket];
  socklen_t size = sizeof(*from);
  const ssize_t got =
      recvfrom(socket, buffer, sizeof(buffer), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(from),
               from == nullptr ? nullptr : &size);
  return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : "";
}

bool IsEnd(std::uint8_t code) {
  return code == radius::kAccessAccept || code == radius::kAccessReject;
}

}  // namespace

absl::string_view ProbeEndName(ProbeEnd end) {
  switch (end) {
    case ProbeEnd::kAccepted:
      return "accepted";
    case ProbeEnd::kRejected:
      return "rejected";
    case ProbeEnd::kUnreachable:
      return "unreachable";
    case ProbeEnd::kSilent:
      return "silent";
    case ProbeEnd::kFalse:
      return "false answers";
    case ProbeEnd::kUnfinished:
      return "unfinished";
  }
  return "unfinished";
}

RadiusRelay::RadiusRelay(const RadiusTarget& target, std::string own_secret)
    : target_(target), own_secret_(std::move(own_secret)) {}

RadiusRelay::~RadiusRelay() {
  if (server_ >= 0) close(server_);
  if (supplicant_ >= 0) close(supplicant_);
}

absl::StatusOr<std::unique_ptr<RadiusRelay>> RadiusRelay::Open(const RadiusTarget& target) {
  unsigned char octets[kSecretOctets];
  if (RAND_bytes(octets, sizeof(octets)) != 1) return absl::InternalError("no randomness");
  auto relay = absl::WrapUnique(new RadiusRelay(
      target, absl::BytesToHexString({reinterpret_cast<const char*>(octets), sizeof(octets)})));
  RETURN_IF_ERROR(relay->OpenSockets());
  return relay;
}

absl::Status RadiusRelay::OpenSockets() {
  ASSIGN_OR_RETURN(const auto addresses, Resolve(target_));
  for (const addrinfo* one = addresses.get(); one != nullptr && server_ < 0; one = one->ai_next) {
    server_ = socket(one->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (server_ >= 0 && connect(server_, one->ai_addr, one->ai_addrlen) != 0) {
      close(server_);
      server_ = -1;
    }
  }
  if (server_ < 0) {
    return Error(ErrorReason::kFieldInvalid, "host",
                 absl::StrCat("there is no way to `", target_.host, "`"));
  }
  supplicant_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in own = {};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(own);
  auto* const address = reinterpret_cast<sockaddr*>(&own);
  if (supplicant_ < 0 || bind(supplicant_, address, size) != 0 ||
      getsockname(supplicant_, address, &size) != 0) {
    return absl::ErrnoToStatus(errno, "a socket on 127.0.0.1");
  }
  port_ = ntohs(own.sin_port);
  return absl::OkStatus();
}

std::string RadiusRelay::own_address() const {
  sockaddr_in own = {};
  socklen_t size = sizeof(own);
  if (getsockname(server_, reinterpret_cast<sockaddr*>(&own), &size) != 0 ||
      own.sin_family != AF_INET) {
    return "";
  }
  return std::string(reinterpret_cast<const char*>(&own.sin_addr.s_addr), 4);
}

// From the supplicant to the server. Not from any other process of this machine: what comes from
// elsewhere than the first packet, or is signed by nothing that was given to the supplicant, would
// be signed with the server's secret.
void RadiusRelay::TakeRequest() {
  sockaddr_in from = {};
  const std::string packet = Receive(supplicant_, &from);
  const int port = ntohs(from.sin_port);
  if (supplicant_port_ != 0 && port != supplicant_port_) return;
  const absl::StatusOr<radius::Packet> request = radius::ReadPacket(packet);
  if (!request.ok() || !radius::IsRequestBy(packet, own_secret_)) return;
  supplicant_port_ = port;
  authenticators_[request->identifier] = request->authenticator;
  if (result_.requests++ == 0) first_ = steady_clock::now();
  const std::string signed_packet = radius::EncodeRequest(*request, target_.secret);
  if (send(server_, signed_packet.data(), signed_packet.size(), 0) < 0 && errno == ECONNREFUSED) {
    closed_ = true;
  }
}

void RadiusRelay::Note(const radius::Packet& answer) {
  ++result_.answers;
  result_.took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - first_);
  if (const radius::Attribute* words = answer.Find(radius::kReplyMessage); words != nullptr) {
    result_.reply_message = words->value;
  }
  if (!IsEnd(answer.code)) return;
  ended_ = true;
  result_.end = answer.code == radius::kAccessAccept ? ProbeEnd::kAccepted : ProbeEnd::kRejected;
  if (answer.code != radius::kAccessAccept) return;
  result_.session_timeout = answer.Number(radius::kSessionTimeout);
  result_.has_keys = answer.HasKeys();
}

// From the server to the supplicant, if it is the server's.
void RadiusRelay::TakeAnswer() {
  errno = 0;
  const std::string packet = Receive(server_, nullptr);
  if (packet.empty()) {
    closed_ = closed_ || errno == ECONNREFUSED;
    return;
  }
  ++packets_;
  const absl::StatusOr<radius::Packet> answer = radius::ReadPacket(packet);
  const std::string of_request = answer.ok() ? authenticators_[answer->identifier] : std::string();
  const radius::AnswerFault fault = of_request.empty()
                                        ? radius::AnswerFault::kAuthenticator
                                        : radius::FaultOfAnswer(packet, of_request, target_.secret);
  if (fault != radius::AnswerFault::kNone) {
    if (result_.fault == radius::AnswerFault::kNone) result_.fault = fault;
    return;
  }
  Note(*answer);
  if (supplicant_port_ == 0) return;
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<std::uint16_t>(supplicant_port_));
  radius::Packet passed = *answer;
  const std::string signed_packet =
      radius::EncodeAnswer(std::move(passed), of_request, own_secret_);
  static_cast<void>(sendto(supplicant_, signed_packet.data(), signed_packet.size(), 0,
                           reinterpret_cast<const sockaddr*>(&to), sizeof(to)));
}

void RadiusRelay::RunUntilEnd(int process, milliseconds limit) {
  const auto end = steady_clock::now() + limit;
  while (!closed_) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now()).count();
    if (left <= 0) return;
    pollfd waits[] = {{server_, POLLIN, 0}, {supplicant_, POLLIN, 0}, {process, POLLIN, 0}};
    if (poll(waits, 3, static_cast<int>(left)) < 0 && errno != EINTR) return;
    if (waits[0].revents != 0) TakeAnswer();
    if (waits[1].revents != 0) TakeRequest();
    if (waits[2].revents != 0) return;
  }
}

void RadiusRelay::Ask(radius::Packet request, bool sign, milliseconds limit) {
  authenticators_[request.identifier] = request.authenticator;
  first_ = steady_clock::now();
  ++result_.requests;
  const std::string packet = sign ? radius::EncodeRequest(std::move(request), target_.secret)
                                  : radius::EncodeUnsignedRequest(request);
  if (send(server_, packet.data(), packet.size(), 0) < 0) {
    closed_ = errno == ECONNREFUSED;
    return;
  }
  const auto end = first_ + limit;
  while (!closed_ && !ended_ && result_.fault == radius::AnswerFault::kNone) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now()).count();
    if (left <= 0) return;
    pollfd wait = {server_, POLLIN, 0};
    if (poll(&wait, 1, static_cast<int>(left)) < 0 && errno != EINTR) return;
    if (wait.revents != 0) TakeAnswer();
  }
}

ProbeResult RadiusRelay::result() const {
  ProbeResult result = result_;
  if (ended_) return result;
  if (result.answers > 0) {
    result.end = ProbeEnd::kUnfinished;
  } else if (packets_ > 0) {
    result.end = ProbeEnd::kFalse;
  } else {
    result.end = closed_ ? ProbeEnd::kUnreachable : ProbeEnd::kSilent;
  }
  return result;
}

}  // namespace hourglass::doctor
