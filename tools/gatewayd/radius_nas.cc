#include "tools/gatewayd/radius_nas.h"

#include <errno.h>
#include <openssl/rand.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

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
    const std::map<std::string, Asked> users = NotYetAsked(tasks);
    // Behind him whose answer did not come the last time, so that his silence keeps no others.
    auto next = users.upper_bound(silent_);
    for (std::size_t i = 0; i < users.size(); ++i, ++next) {
      if (next == users.end()) next = users.begin();
      const auto& [folded, asked] = *next;
      const absl::StatusOr<bool> is_done = Disconnect(asked, patience, outcome);
      if (!is_done.ok()) {
        silent_ = folded;
        outcome.status = is_done.status();
        break;
      }
      if (!*is_done) continue;
      for (const std::size_t task : asked.tasks) done_.insert({tasks[task].concern.cursor, folded});
    }
    if (outcome.status.ok()) done_.clear();
    return outcome;
  }

 private:
  // A user, and which tasks name him.
  struct Asked {
    std::string name;
    std::vector<std::size_t> tasks;
  };

  // By their folded names: who is named by several tasks is disconnected once. Who was for an event
  // that is tried again for others' sake may be there again in order.
  std::map<std::string, Asked> NotYetAsked(absl::Span<const Task> tasks) const {
    std::map<std::string, Asked> users;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      if (tasks[i].is_again) continue;
      for (const ConcernedUser& user : tasks[i].concern.users) {
        std::string folded = ca::FoldedUpn(user.upn);
        if (done_.contains({tasks[i].concern.cursor, folded})) continue;
        Asked& asked = users.try_emplace(std::move(folded), Asked{user.upn, {}}).first->second;
        asked.tasks.push_back(i);
      }
    }
    return users;
  }

  // Whether he has no session now. Where the NAS may say something else later, that is the
  // outcome's status. Errors: no answer.
  absl::StatusOr<bool> Disconnect(const Asked& asked, const Patience& patience, Outcome& outcome) {
    const std::string& user = asked.name;
    const std::size_t task = asked.tasks.front();
    const absl::Status is_one = CheckUserName(user);
    if (!is_one.ok()) {
      outcome.not_told.push_back(
          {.task = task, .why = absl::StrCat(client::Printable(user), ": ", is_one.message())});
      return false;
    }
    ASSIGN_OR_RETURN(const DisconnectAnswer answer, Ask(user, patience));
    if (answer.is_ack) {
      outcome.ended.push_back({.task = task,
                               .tunnel = absl::StrCat("sessions of ", client::Printable(user)),
                               .how = Match::kByName});
      return true;
    }
    // strongSwan gives no cause: it has no such session.
    const std::uint32_t cause = answer.error_cause.value_or(kSessionContextNotFound);
    if (cause == kSessionContextNotFound) return true;
    if (cause == kResourcesUnavailable) {
      outcome.status = absl::UnavailableError(
          absl::StrCat(config_.address, " refuses: ", ErrorCauseInWords(cause)));
      return false;
    }
    outcome.not_told.push_back(
        {.task = task,
         .why = absl::StrCat("it refuses to disconnect ", client::Printable(user), ": ",
                             ErrorCauseInWords(cause))});
    return false;
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
    for (int i = 0; i < kTransmissions && !patience.IsOver(); ++i, wait *= 2) {
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
  std::string silent_;  // whose answer did not come, folded
  // Cursors and folded names of those who are disconnected, while these tasks are tried again.
  std::set<std::pair<std::string, std::string>> done_;
};

}  // namespace

std::unique_ptr<Gateway> MakeRadiusNas(RadiusNasConfig config) {
  return std::make_unique<RadiusNas>(std::move(config));
}

}  // namespace hourglass::gatewayd
