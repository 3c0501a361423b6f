#include "tools/gatewayd/strongswan.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/wording.h"
#include "tools/gatewayd/stream_socket.h"

namespace hourglass::gatewayd {
namespace {

// How long charon waits for a peer to agree before it drops the tunnel all the same.
constexpr char kForceAfterMilliseconds[] = "300";
// charon says ages in whole seconds, so that what began just before an event seems to be younger.
constexpr absl::Duration kUnsure = absl::Seconds(1);
// charon leaves out, silently, an IKE_SA whose CHILD_SAs make more than 512 KiB of it, which a peer
// could do to keep it. So none of them is asked for: this is the id of none.
constexpr char kNoChild[] = "4294967295";
// More is no answer.
constexpr std::size_t kMostSas = 1'000'000;

// One conversation with charon.
class Vici {
 public:
  static absl::StatusOr<Vici> Connect(const StrongswanConfig& config, const Patience& patience) {
    ASSIGN_OR_RETURN(StreamSocket socket, StreamSocket::Connect(config.socket, patience));
    return Vici(std::move(socket), config);
  }

  // With `all` it waits for IKE_SAs that are in use, by a RADIUS server that does not answer for
  // one; else these are left out.
  absl::StatusOr<std::vector<IkeSa>> ListSas(bool all) {
    std::vector<IkeSa> sas;
    RETURN_IF_ERROR(
        Send({.type = ViciPacketType::kEventRegister, .name = "list-sa", .message = {}}));
    ASSIGN_OR_RETURN(ViciPacket packet, Receive());
    if (packet.type != ViciPacketType::kEventConfirm) return Unexpected();
    ViciPacket request = {
        .type = ViciPacketType::kCommandRequest, .name = "list-sas", .message = {}};
    request.message.values = {{"child-id", kNoChild}};
    if (!all) request.message.values.emplace_back("noblock", "yes");
    RETURN_IF_ERROR(Send(request));
    for (;;) {
      ASSIGN_OR_RETURN(packet, Receive());
      if (packet.type == ViciPacketType::kCommandResponse) break;
      if (packet.type != ViciPacketType::kEvent) return Unexpected();
      for (IkeSa& sa : IkeSasIn(packet.message, config_.connections, absl::Now())) {
        sas.push_back(std::move(sa));
      }
      if (sas.size() > kMostSas) return Unexpected();
    }
    RETURN_IF_ERROR(
        Send({.type = ViciPacketType::kEventUnregister, .name = "list-sa", .message = {}}));
    ASSIGN_OR_RETURN(packet, Receive());
    if (packet.type != ViciPacketType::kEventConfirm) return Unexpected();
    return sas;
  }

  // That there is none any more is no error.
  absl::Status Terminate(const IkeSa& sa) {
    ViciPacket request = {
        .type = ViciPacketType::kCommandRequest, .name = "terminate", .message = {}};
    request.message.values = {
        {"ike-id", sa.unique_id}, {"force", "yes"}, {"timeout", kForceAfterMilliseconds}};
    RETURN_IF_ERROR(Send(request));
    ASSIGN_OR_RETURN(const ViciPacket packet, Receive());
    if (packet.type != ViciPacketType::kCommandResponse) return Unexpected();
    return absl::OkStatus();
  }

 private:
  Vici(StreamSocket socket, const StrongswanConfig& config)
      : socket_(std::move(socket)), config_(config) {}

  absl::Status Send(const ViciPacket& packet) { return socket_.Send(EncodeViciPacket(packet)); }

  absl::StatusOr<ViciPacket> Receive() {
    ASSIGN_OR_RETURN(const std::string length, socket_.Receive(kViciLength));
    std::size_t size = 0;
    for (const char octet : length) size = size << 8 | static_cast<unsigned char>(octet);
    if (size > kMaxViciPacket) return Unexpected();
    ASSIGN_OR_RETURN(const std::string octets, socket_.Receive(size));
    return ParseViciPacket(octets);
  }

  absl::Status Unexpected() const {
    return Error(ErrorReason::kFieldInvalid, "",
                 absl::StrCat(config_.socket, " does not answer as vici does"));
  }

  StreamSocket socket_;
  const StrongswanConfig& config_;
};

// `a5:21:24:…`: how charon shows an identity of octets.
bool IsNumberOfKey(absl::string_view peer) {
  constexpr std::size_t kOfOctet = 3;
  if (peer.size() % kOfOctet != kOfOctet - 1) return false;
  for (std::size_t i = 0; i < peer.size(); ++i) {
    const bool is_colon = i % kOfOctet == kOfOctet - 1;
    if (is_colon ? peer[i] != ':' : !absl::ascii_isxdigit(peer[i])) return false;
  }
  return true;
}

class Strongswan final : public Gateway {
 public:
  explicit Strongswan(StrongswanConfig config)
      : config_(std::move(config)), name_(absl::StrCat("strongswan ", config_.socket)) {}

  const std::string& name() const override { return name_; }

  Outcome End(absl::Span<const Task> tasks, const Patience& patience) override {
    Outcome outcome;
    outcome.status = End(tasks, patience, outcome);
    return outcome;
  }

 private:
  absl::Status End(absl::Span<const Task> tasks, const Patience& patience, Outcome& outcome) {
    TellOfUnreadableNames(tasks, outcome);
    ASSIGN_OR_RETURN(Vici vici, Vici::Connect(config_, patience));
    // What can be ended at once is; then whatever is left, which shows what is still there, too.
    std::set<std::string> told;
    RETURN_IF_ERROR(EndListed(vici, /*all=*/false, tasks, told, outcome).status());
    ASSIGN_OR_RETURN(int ended, EndListed(vici, /*all=*/true, tasks, told, outcome));
    if (ended == 0) return absl::OkStatus();
    ASSIGN_OR_RETURN(ended, EndListed(vici, /*all=*/true, tasks, told, outcome));
    if (ended == 0) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat(ended, " IKE_SAs are still there"));
  }

  // How many of those that are listed it told charon to end. Each is in the outcome once.
  static absl::StatusOr<int> EndListed(Vici& vici, bool all, absl::Span<const Task> tasks,
                                       std::set<std::string>& told, Outcome& outcome) {
    ASSIGN_OR_RETURN(const std::vector<IkeSa> sas, vici.ListSas(all));
    int ended = 0;
    for (const IkeSa& sa : sas) {
      // At the first look only: who dials at once again, and is let in, stays.
      IkeSa oldest = sa;
      if (!all || told.contains(sa.unique_id)) oldest.since -= kUnsure;
      const auto task = std::find_if(tasks.begin(), tasks.end(),
                                     [&oldest](const Task& one) { return Concerns(one, oldest); });
      if (task == tasks.end()) {
        if (all) TellOfNameless(sa, tasks, told, outcome);
        continue;
      }
      RETURN_IF_ERROR(vici.Terminate(sa));
      ++ended;
      if (!told.insert(sa.unique_id).second) continue;
      outcome.ended.push_back(
          {.task = static_cast<std::size_t>(task - tasks.begin()),
           .tunnel = absl::StrCat("IKE_SA ", sa.unique_id, " of ", client::Printable(sa.peer)),
           .how = Match::kByName});
    }
    return ended;
  }

  static bool Concerns(const Task& task, const IkeSa& sa) {
    if (task.is_again) return false;
    const bool is_of_user =
        std::any_of(task.concern.users.begin(), task.concern.users.end(),
                    [&sa](const ConcernedUser& user) { return IsStrongswanNameOf(sa.peer, user); });
    return MatchOf(task.concern, {.serial_number = "", .since = sa.since}, is_of_user) !=
           Match::kNone;
  }

  // An IKE_SA that may be anybody's; once.
  static void TellOfNameless(const IkeSa& sa, absl::Span<const Task> tasks,
                             std::set<std::string>& told, Outcome& outcome) {
    const auto task = std::find_if(tasks.begin(), tasks.end(), [](const Task& one) {
      return !one.is_again && !one.concern.users.empty();
    });
    if (task == tasks.end() || !IsNumberOfKey(sa.peer)) return;
    if (!told.insert(sa.unique_id).second) return;
    outcome.not_told.push_back(
        {.task = static_cast<std::size_t>(task - tasks.begin()),
         .why = absl::StrCat("IKE_SA ", sa.unique_id, " is of ", client::Printable(sa.peer),
                             ", the number of a key and nobody's name: it is left")});
  }

  static void TellOfUnreadableNames(absl::Span<const Task> tasks, Outcome& outcome) {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      if (tasks[i].is_again) continue;
      for (const ConcernedUser& user : tasks[i].concern.users) {
        if (IsStrongswanNameOf(user.upn, user)) continue;
        outcome.not_told.push_back(
            {.task = i,
             .why = absl::StrCat("strongSwan shows ", client::Printable(user.upn),
                                 " as it may show others: his tunnels are left")});
      }
    }
  }

  const StrongswanConfig config_;
  const std::string name_;
};

}  // namespace

std::vector<IkeSa> IkeSasIn(const ViciSection& event, const std::vector<std::string>& connections,
                            absl::Time now) {
  std::vector<IkeSa> sas;
  for (const ViciSection& values : event.sections) {
    const bool is_ours = connections.empty() || std::find(connections.begin(), connections.end(),
                                                          values.name) != connections.end();
    const absl::string_view id = values.Value("uniqueid");
    const bool is_number = !id.empty() && std::all_of(id.begin(), id.end(), absl::ascii_isdigit);
    if (!is_ours || !is_number) continue;
    // What the peer calls itself in IKE is its own word where EAP has authenticated it.
    const absl::string_view eap = values.Value("remote-eap-id");
    std::int64_t seconds = 0;
    if (!absl::SimpleAtoi(values.Value("established"), &seconds) || seconds < 0) seconds = 0;
    sas.push_back({.unique_id = std::string(id),
                   .peer = std::string(eap.empty() ? values.Value("remote-id") : eap),
                   .since = now - absl::Seconds(seconds)});
  }
  return sas;
}

bool IsStrongswanNameOf(absl::string_view peer, const ConcernedUser& user) {
  const bool is_shown_as_it_is =
      !user.upn.empty() && std::all_of(user.upn.begin(), user.upn.end(), [](char character) {
        return absl::ascii_isprint(character) && character != '?';
      });
  if (!is_shown_as_it_is) return false;
  const std::string folded = ca::FoldedUpn(user.upn);
  if (ca::FoldedUpn(peer) == folded) return true;
  if (!absl::ConsumePrefix(&peer, "CN=") || user.common_name.empty()) return false;
  return peer == user.common_name ||
         (user.common_name == user.upn && ca::FoldedUpn(peer) == folded);
}

std::unique_ptr<Gateway> MakeStrongswan(StrongswanConfig config) {
  return std::make_unique<Strongswan>(std::move(config));
}

}  // namespace hourglass::gatewayd
