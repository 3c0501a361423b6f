#include "issuance/server/start_check.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/store/key_store.h"
#include "issuance/base/clock.h"
#include "issuance/base/host_port.h"
#include "issuance/identity/caller.h"

namespace hourglass::issuance {
namespace {

// An error number of bind(2), or 0.
int TryToBind(const addrinfo& address) {
  const int tried = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (tried < 0) return errno;
  const absl::Cleanup closer = [tried] { close(tried); };
  // As whoever listens does, or the connections of a service that has just ended are in the way.
  const int on = 1;
  setsockopt(tried, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  return bind(tried, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
}

absl::Status CheckAddress(const std::string& listen, absl::string_view use, TakenAddress taken) {
  const auto fails = [&](absl::string_view why) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", listen, use, ": ", why));
  };
  const auto parsed = ParseHostPort(listen);
  if (!parsed.has_value()) return fails("is not host:port");
  addrinfo wanted = {};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(parsed->host.c_str(), std::to_string(parsed->port).c_str(), &wanted, &found);
  if (error != 0) return fails(gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  // A name may have several; one that can be listened on will do.
  int why = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    why = TryToBind(*address);
    if (why == 0 || (why == EADDRINUSE && taken == TakenAddress::kFine)) return absl::OkStatus();
  }
  return fails(std::strerror(why));
}

}  // namespace

absl::Status CheckStart(const Config& config, const Clock& clock, TakenAddress taken) {
  RETURN_IF_ERROR(CallerDirectory::Create(config.callers, &clock).status());
  RETURN_IF_ERROR(hsm::KeyStore::Create(config.keys).status());
  if (!config.metrics_listen.empty()) {
    RETURN_IF_ERROR(CheckAddress(config.metrics_listen, " for metrics", taken));
  }
  return CheckAddress(config.listen, "", taken);
}

}  // namespace hourglass::issuance
