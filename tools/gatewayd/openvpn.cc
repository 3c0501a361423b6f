#include "tools/gatewayd/openvpn.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/wording.h"
#include "tools/gatewayd/openvpn_lines.h"
#include "tools/gatewayd/stream_socket.h"

namespace hourglass::gatewayd {
namespace {

constexpr absl::string_view kPasswordQuestion = "ENTER PASSWORD:";
// What a client is told travels to it before its tunnel goes.
constexpr absl::Duration kTimeToTell = absl::Milliseconds(200);

// One conversation with the interface.
class Management {
 public:
  static absl::StatusOr<Management> Connect(const OpenvpnConfig& config, const Patience& patience) {
    ASSIGN_OR_RETURN(StreamSocket socket, StreamSocket::Connect(config.management, patience));
    Management management(std::move(socket), config.management);
    ASSIGN_OR_RETURN(std::string line, management.socket_.ReceiveLineOr(kPasswordQuestion));
    if (line == kPasswordQuestion) {
      if (config.password.empty()) {
        return absl::PermissionDeniedError(absl::StrCat(config.management, " asks for a password"));
      }
      RETURN_IF_ERROR(management.socket_.Send(absl::StrCat(config.password, "\n")));
      ASSIGN_OR_RETURN(line, management.socket_.ReceiveLine());
      // Some versions end the question's line before they answer.
      if (line.empty()) {
        ASSIGN_OR_RETURN(line, management.socket_.ReceiveLine());
      }
      RETURN_IF_ERROR(OpenvpnOutcome(line));
    } else if (!absl::StartsWith(line, ">INFO:OpenVPN")) {
      return Error(ErrorReason::kFieldInvalid, "",
                   absl::StrCat(config.management, " does not answer as OpenVPN does"));
    }
    return management;
  }

  absl::StatusOr<std::vector<OpenvpnClient>> Clients() {
    RETURN_IF_ERROR(socket_.Send("status 3\n"));
    std::vector<std::string> lines;
    std::size_t size = 0;
    do {
      ASSIGN_OR_RETURN(std::string line, ReceiveAnswer());
      size += line.size();
      if (size > kMaxOpenvpnAnswer || absl::StartsWith(line, "ERROR:")) {
        return absl::AbortedError(absl::StrCat(address_, " gives no status"));
      }
      lines.push_back(std::move(line));
    } while (lines.back() != "END");
    return ParseOpenvpnStatus(std::vector<absl::string_view>(lines.begin(), lines.end()));
  }

  // That there is none any more is no error: the status says what is left.
  absl::Status Command(const std::string& command) {
    RETURN_IF_ERROR(socket_.Send(absl::StrCat(command, "\n")));
    return ReceiveAnswer().status();
  }

 private:
  Management(StreamSocket socket, std::string address)
      : socket_(std::move(socket)), address_(std::move(address)) {}

  absl::StatusOr<std::string> ReceiveAnswer() {
    for (;;) {
      ASSIGN_OR_RETURN(std::string line, socket_.ReceiveLine());
      if (!IsOpenvpnNotice(line)) return line;
    }
  }

  StreamSocket socket_;
  std::string address_;
};

// What is to be ended, and why.
struct Found {
  OpenvpnClient client;
  std::size_t task = 0;
  Match how = Match::kNone;
};

bool IsOfUser(const std::string& name, const ConcernedUser& user) {
  return IsOpenvpnNameOf(name, user.upn) ||
         (user.common_name != user.upn && IsOpenvpnNameOf(name, user.common_name));
}

Match MatchOf(const Concern& concern, const OpenvpnClient& client) {
  const OpenvpnName name = ParseOpenvpnName(client.common_name);
  const bool is_of_user =
      std::any_of(concern.users.begin(), concern.users.end(),
                  [&name](const ConcernedUser& user) { return IsOfUser(name.user, user); });
  return MatchOf(concern, {.serial_number = name.serial_number, .since = client.connected_since},
                 is_of_user);
}

std::vector<Found> Find(absl::Span<const Task> tasks, const std::vector<OpenvpnClient>& clients) {
  std::vector<Found> found;
  for (const OpenvpnClient& client : clients) {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const Match how = MatchOf(tasks[i].concern, client);
      if (how == Match::kNone || (how == Match::kByName && tasks[i].is_again)) continue;
      found.push_back({client, i, how});
      break;
    }
  }
  return found;
}

// The commands that end at once all that was found, and nothing else: names all of whose clients
// were found.
std::vector<std::string> KillsByName(const std::vector<Found>& found,
                                     const std::vector<OpenvpnClient>& clients) {
  std::map<std::string, int> left;
  for (const OpenvpnClient& client : clients) ++left[client.common_name];
  for (const Found& one : found) --left[one.client.common_name];
  std::set<std::string> commands;
  for (const Found& one : found) {
    const std::optional<std::string> command = OpenvpnKillCommand(one.client.common_name);
    if (command.has_value() && left[one.client.common_name] == 0) commands.insert(*command);
  }
  return {commands.begin(), commands.end()};
}

class Openvpn final : public Gateway {
 public:
  explicit Openvpn(OpenvpnConfig config)
      : config_(std::move(config)), name_(absl::StrCat("openvpn ", config_.management)) {}

  const std::string& name() const override { return name_; }

  Outcome End(absl::Span<const Task> tasks, const Patience& patience) override {
    Outcome outcome;
    outcome.status = End(tasks, patience, outcome);
    return outcome;
  }

 private:
  absl::Status End(absl::Span<const Task> tasks, const Patience& patience, Outcome& outcome) {
    ASSIGN_OR_RETURN(Management management, Management::Connect(config_, patience));
    ASSIGN_OR_RETURN(const std::vector<OpenvpnClient> clients, management.Clients());
    const std::vector<Found> found = Find(tasks, clients);
    for (const Found& one : found) {
      RETURN_IF_ERROR(management.Command(
          OpenvpnKillCommand(one.client.client_id, one.how == Match::kByCertificate)));
      outcome.ended.push_back({.task = one.task,
                               .tunnel = absl::StrCat("client ", one.client.client_id, " of ",
                                                      client::Printable(one.client.common_name)),
                               .how = one.how});
    }
    if (found.empty()) return absl::OkStatus();
    RETURN_IF_ERROR(patience.AtMost(kTimeToTell).Sleep());
    for (const std::string& command : KillsByName(found, clients)) {
      RETURN_IF_ERROR(management.Command(command));
    }
    return absl::OkStatus();
  }

  const OpenvpnConfig config_;
  const std::string name_;
};

}  // namespace

std::unique_ptr<Gateway> MakeOpenvpn(OpenvpnConfig config) {
  return std::make_unique<Openvpn>(std::move(config));
}

}  // namespace hourglass::gatewayd
