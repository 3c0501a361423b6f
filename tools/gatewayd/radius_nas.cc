#include "tools/gatewayd/radius_nas.h"

#include <errno.h>
#include <openssl/rand.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <map>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "ca/names/name_rules.h"
#include "hsm/base/status_macros.h"
#include "tools/client/wording.h"
#include "tools/gatewayd/disconnect_message.h"
#include "tools/gatewayd/socket_address.h"
#include "tools/radius/radius_packet.h"

namespace hourglass::gatewayd {
namespace {

// RFC 5080 section 2.2.1: the wait for an answer doubles.
constexpr absl::Duration kFirstWait = absl::Milliseconds(500);
constexpr int kTransmissions = 4;
// RFC 5176 section 3.5: it may pass.
constexpr std::uint32_t kResourcesUnavailable = 506;

class RadiusNas final : public Gateway {
 public:
  explicit RadiusNas(RadiusNasConfig config)
      : config_(std::move(config)), name_(absl::StrCat("radius ", config_.address)) {}

  const std::string& name() const override { return name_; }

  Outcome End(absl::Span<const Task> tasks, const Patience& patience) override {
    Outcome outcome;
    // A user that several events name is disconnected once.
    std::map<std::string, std::size_t> task_of;
    std::map<std::string, std::string> name_of;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      if (tasks[i].is_again) continue;
      for (const ConcernedUser& user : tasks[i].concern.users) {
        const std::string folded = ca::FoldedUpn(user.upn);
        task_of.try_emplace(folded, i);
        name_of.try_emplace(folded, user.upn);
      }
    }
    for (const auto& [folded, task] : task_of) {
      outcome.status = Disconnect(name_of[folded], task, patience, outcome);
      if (!outcome.status.ok()) break;
    }
    return outcome;
  }

 private:
  absl::Status Disconnect(const std::string& user, std::size_t task, const Patience& patience,
                          Outcome& outcome) {
    const absl::Status is_one = CheckUserName(user);
    if (!is_one.ok()) {
      outcome.not_told.push_back(
          {.task = task, .why = absl::StrCat(client::Printable(user), ": ", is_one.message())});
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const DisconnectAnswer answer, Ask(user, patience));
    if (answer.is_ack) {
      outcome.ended.push_back({.task = task,
                               .tunnel = absl::StrCat("sessions of ", client::Printable(user)),
                               .how = Match::kByName});
      return absl::OkStatus();
    }
    // strongSwan gives no cause: it has no such session.
    const std::uint32_t cause = answer.error_cause.value_or(kSessionContextNotFound);
    if (cause == kResourcesUnavailable) {
      return absl::UnavailableError(
          absl::StrCat(config_.address, " refuses: ", ErrorCauseInWords(cause)));
    }
    if (cause != kSessionContextNotFound) {
      outcome.not_told.push_back(
          {.task = task,
           .why = absl::StrCat("it refuses to disconnect ", client::Printable(user), ": ",
                               ErrorCauseInWords(cause))});
    }
    return absl::OkStatus();
  }

  // From a new port each time: whoever remembers answers by port and identifier gives no old one.
  absl::StatusOr<DisconnectAnswer> Ask(const std::string& user, const Patience& patience) const {
    DisconnectRequest request;
    request.user_name = user;
    request.nas_identifier = config_.nas_identifier;
    request.event_timestamp = static_cast<std::uint32_t>(absl::ToUnixSeconds(absl::Now()));
    request.message_authenticator = config_.message_authenticator;
    RAND_bytes(&request.identifier, 1);
    const std::string packet = EncodeDisconnectRequest(request, config_.secret);
    ASSIGN_OR_RETURN(const SocketAddress to, SocketAddress::Parse(config_.address));
    const int fd = socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return absl::ErrnoToStatus(errno, "socket");
    const absl::Cleanup close_fd = [fd] { close(fd); };
    if (connect(fd, to.get(), to.size()) != 0) return Away(strerror(errno));
    absl::Duration wait = kFirstWait;
    absl::Status why = Away("no answer");
    for (int i = 0; i < kTransmissions; ++i, wait *= 2) {
      // Whole or not at all. What a refused packet of before left behind is told by the next call.
      if (send(fd, packet.data(), packet.size(), MSG_NOSIGNAL) < 0) why = Away(strerror(errno));
      absl::StatusOr<DisconnectAnswer> answer = Await(fd, packet, patience.AtMost(wait), why);
      if (answer.ok() || absl::IsCancelled(answer.status())) return answer;
    }
    return why;
  }

  // Answers that are none are passed over, and the last of them is kept in `why`.
  absl::StatusOr<DisconnectAnswer> Await(int fd, const std::string& packet,
                                         const Patience& patience, absl::Status& why) const {
    for (;;) {
      RETURN_IF_ERROR(patience.Await(fd, POLLIN));
      char octets[radius::kMaxPacket + 1];
      const ssize_t size = recv(fd, octets, sizeof(octets), 0);
      if (size < 0) {
        // The port is closed: that is said once for each packet.
        if (errno != EAGAIN && errno != EINTR) why = Away(strerror(errno));
        continue;
      }
      absl::StatusOr<DisconnectAnswer> answer = ReadDisconnectAnswer(
          absl::string_view(octets, static_cast<std::size_t>(size)), packet, config_.secret);
      if (answer.ok()) return answer;
      why = Away(absl::StrCat("an answer that is none: ", answer.status().message()));
    }
  }

  absl::Status Away(absl::string_view why) const {
    return absl::UnavailableError(absl::StrCat("cannot reach ", config_.address, ": ", why));
  }

  const RadiusNasConfig config_;
  const std::string name_;
};

}  // namespace

std::unique_ptr<Gateway> MakeRadiusNas(RadiusNasConfig config) {
  return std::make_unique<RadiusNas>(std::move(config));
}

}  // namespace hourglass::gatewayd
