#include "tests/relying_parties/broken_radius_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "tools/radius/radius_packet.h"

namespace hourglass {
namespace {

bool AnyCommandLineHas(const std::string& words) {
  std::error_code error;
  for (const auto& process : std::filesystem::directory_iterator("/proc", error)) {
    std::ostringstream line;
    line << std::ifstream(process.path() / "cmdline").rdbuf();
    if (absl::StrContains(line.str(), words)) return true;
  }
  return false;
}

}  // namespace

BrokenRadiusServer::BrokenRadiusServer(Fault fault, std::string secret)
    : fault_(fault),
      secret_(std::move(secret)),
      socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (bind(socket_.get(), any, size) != 0 || getsockname(socket_.get(), any, &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

BrokenRadiusServer::~BrokenRadiusServer() {
  stopping_ = true;
  // A packet of its own ends the wait.
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  static_cast<void>(
      sendto(socket_.get(), "", 0, 0, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
  thread_.join();
}

void BrokenRadiusServer::Serve() {
  while (!stopping_) Answer();
}

void BrokenRadiusServer::Answer() {
  char buffer[4096];
  sockaddr_in from = {};
  socklen_t size = sizeof(from);
  auto* const address = reinterpret_cast<sockaddr*>(&from);
  const ssize_t got = recvfrom(socket_.get(), buffer, sizeof(buffer), 0, address, &size);
  if (got <= 0 || stopping_) return;
  const auto request = radius::ReadPacket({buffer, static_cast<std::size_t>(got)});
  if (!request.ok()) return;
  if (requests_++ == 0 && AnyCommandLineHas(secret_)) secret_was_seen_ = true;
  if (fault_ == Fault::kSilent) return;
  const bool accepts = fault_ == Fault::kAcceptsAll;
  const radius::Packet answer = {
      accepts ? radius::kAccessAccept : radius::kAccessReject, request->identifier, "", {}};
  const std::string packet = radius::EncodeAnswer(answer, request->authenticator,
                                                  accepts ? secret_ : "another " + secret_);
  static_cast<void>(sendto(socket_.get(), packet.data(), packet.size(), 0, address, size));
}

}  // namespace hourglass
