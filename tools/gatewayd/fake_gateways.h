// Gateways that answer as real ones do and keep what they were told, for tests.
#ifndef HOURGLASS_TOOLS_GATEWAYD_FAKE_GATEWAYS_H_
#define HOURGLASS_TOOLS_GATEWAYD_FAKE_GATEWAYS_H_

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hsm/base/mutex.h"
#include "tools/gatewayd/vici_message.h"

namespace hourglass::gatewayd {

// Serves one connection at a time on a Unix socket, until it goes. Ends the process on failure.
class UnixServer {
 public:
  // `serve` gets each connection, and returns when the other side has hung up or Receive fails.
  UnixServer(const std::string& path, std::function<void(UnixServer&, int)> serve)
      : stop_(eventfd(0, EFD_CLOEXEC)), listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    unlink(path.c_str());
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(listener_, 8) != 0) {
      std::abort();
    }
    thread_ = std::thread([this, serve = std::move(serve)] {
      while (Ready(listener_)) {
        const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        serve(*this, connection);
        close(connection);
      }
    });
  }
  ~UnixServer() {
    eventfd_write(stop_, 1);
    thread_.join();
    close(listener_);
    close(stop_);
  }
  UnixServer(const UnixServer&) = delete;
  UnixServer& operator=(const UnixServer&) = delete;

  // What came; empty where the other side has hung up, or this one is to end.
  std::string Receive(int connection) {
    char octets[4096];
    const ssize_t size = Ready(connection) ? recv(connection, octets, sizeof(octets), 0) : 0;
    return size > 0 ? std::string(octets, static_cast<std::size_t>(size)) : "";
  }
  static void Send(int connection, absl::string_view octets) {
    if (send(connection, octets.data(), octets.size(), MSG_NOSIGNAL) < 0) return;
  }

 private:
  bool Ready(int fd) const {
    pollfd ends[2] = {{fd, POLLIN, 0}, {stop_, POLLIN, 0}};
    while (poll(ends, 2, -1) < 0) continue;
    return ends[1].revents == 0;
  }

  const int stop_;
  const int listener_;
  std::thread thread_;
};

// OpenVPN's management interface. Safe to call from several threads.
class FakeOpenvpn {
 public:
  // With a password where it is not empty.
  explicit FakeOpenvpn(const std::string& path, std::string password = "")
      : password_(std::move(password)),
        server_(path, [this](UnixServer& server, int connection) { Serve(server, connection); }) {}

  void Connect(int client_id, const std::string& common_name, std::int64_t since) {
    const MutexLock lock(mutex_);
    clients_[client_id] = {common_name, since};
  }
  std::vector<int> clients() {
    const MutexLock lock(mutex_);
    std::vector<int> ids;
    for (const auto& [id, client] : clients_) ids.push_back(id);
    return ids;
  }
  // All but `status`.
  std::vector<std::string> commands() {
    const MutexLock lock(mutex_);
    return commands_;
  }

 private:
  void Serve(UnixServer& server, int connection) {
    if (!password_.empty()) UnixServer::Send(connection, "ENTER PASSWORD:");
    bool is_open = password_.empty();
    if (is_open) Greet(connection);
    std::string waiting;
    for (std::string came = server.Receive(connection); !came.empty();
         came = server.Receive(connection)) {
      waiting += came;
      for (std::size_t end = waiting.find('\n'); end != std::string::npos;
           end = waiting.find('\n')) {
        const std::string line = waiting.substr(0, end);
        waiting.erase(0, end + 1);
        if (is_open) {
          UnixServer::Send(connection, Answer(line));
          continue;
        }
        is_open = line == password_;
        UnixServer::Send(connection,
                         is_open ? "SUCCESS: password is correct\r\n" : "ERROR: bad password\r\n");
        if (!is_open) return;
        Greet(connection);
      }
    }
  }
  static void Greet(int connection) {
    UnixServer::Send(connection,
                     ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more "
                     "info\r\n");
  }

  std::string Answer(const std::string& line) {
    const MutexLock lock(mutex_);
    if (line == "status 3") {
      std::string text =
          "TITLE\tOpenVPN 2.6.14\r\nHEADER\tCLIENT_LIST\tCommon Name\tConnected Since "
          "(time_t)\tClient ID\r\n";
      for (const auto& [id, client] : clients_) {
        absl::StrAppend(&text, "CLIENT_LIST\t", client.first, "\t", client.second, "\t", id,
                        "\r\n>INFO:something came between\r\n");
      }
      return text + "END\r\n";
    }
    commands_.push_back(line);
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    int id = 0;
    if (words[0] == "client-kill" && absl::SimpleAtoi(words[1], &id)) {
      return clients_.contains(id) ? "SUCCESS: client-kill command succeeded\r\n"
                                   : "ERROR: client-kill command failed\r\n";
    }
    // As OpenVPN, at once; a name may be in quotes.
    absl::string_view name = absl::StripPrefix(line, "kill ");
    if (absl::ConsumePrefix(&name, "\"")) absl::ConsumeSuffix(&name, "\"");
    const std::size_t killed = std::erase_if(
        clients_, [&name](const auto& client) { return client.second.first == name; });
    return absl::StrCat(killed > 0 ? "SUCCESS" : "ERROR", ": ", killed, "\r\n");
  }

  const std::string password_;
  Mutex mutex_;
  std::map<int, std::pair<std::string, std::int64_t>> clients_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> commands_ ABSL_GUARDED_BY(mutex_);
  UnixServer server_;
};

// charon's vici. Safe to call from several threads.
class FakeCharon {
 public:
  explicit FakeCharon(const std::string& path)
      : server_(path, [this](UnixServer& server, int connection) { Serve(server, connection); }) {}

  // An IKE_SA of the connection `vpn`; the identities and its age as list-sas has them.
  void Establish(int unique_id, const std::string& remote_id, const std::string& remote_eap_id,
                 int seconds = 60) {
    const MutexLock lock(mutex_);
    ViciSection& sa = sas_[unique_id];
    sa.name = "vpn";
    sa.values = {{"uniqueid", absl::StrCat(unique_id)},
                 {"state", "ESTABLISHED"},
                 {"remote-id", remote_id},
                 {"established", absl::StrCat(seconds)}};
    if (!remote_eap_id.empty()) sa.values.emplace_back("remote-eap-id", remote_eap_id);
  }
  // CHILD_SAs of an IKE_SA, of about so many octets in all.
  void AddChildren(int unique_id, std::size_t octets) {
    constexpr std::size_t kOfOne = 1024;
    const MutexLock lock(mutex_);
    ViciSection children;
    children.name = "child-sas";
    for (std::size_t i = 0; i < octets / kOfOne; ++i) {
      ViciSection child;
      child.name = absl::StrCat("net-", i);
      child.values = {{"remote-ts", std::string(kOfOne, 'x')}};
      children.sections.push_back(child);
    }
    sas_[unique_id].sections = {children};
  }
  std::vector<int> sas() {
    const MutexLock lock(mutex_);
    std::vector<int> ids;
    for (const auto& [id, sa] : sas_) ids.push_back(id);
    return ids;
  }

 private:
  void Serve(UnixServer& server, int connection) {
    std::string waiting;
    for (std::string came = server.Receive(connection); !came.empty();
         came = server.Receive(connection)) {
      waiting += came;
      for (;;) {
        if (waiting.size() < kViciLength) break;
        std::size_t size = 0;
        for (std::size_t i = 0; i < kViciLength; ++i) {
          size = size << 8 | static_cast<unsigned char>(waiting[i]);
        }
        if (waiting.size() < kViciLength + size) break;
        const auto packet = ParseViciPacket(waiting.substr(kViciLength, size));
        waiting.erase(0, kViciLength + size);
        if (!packet.ok()) return;
        Answer(connection, *packet);
      }
    }
  }

  void Answer(int connection, const ViciPacket& packet) {
    const MutexLock lock(mutex_);
    ViciPacket answer;
    answer.type = ViciPacketType::kEventConfirm;
    if (packet.type == ViciPacketType::kCommandRequest) {
      answer.type = ViciPacketType::kCommandResponse;
      if (packet.name == "list-sas") {
        for (const auto& [id, sa] : sas_) {
          ViciPacket event = {.type = ViciPacketType::kEvent, .name = "list-sa", .message = {}};
          event.message.sections = {sa};
          // All children have ids that are less; what is too large is left out.
          if (!packet.message.Value("child-id").empty()) event.message.sections[0].sections.clear();
          if (EncodeViciPacket(event).size() > kMaxViciPacket) continue;
          UnixServer::Send(connection, EncodeViciPacket(event));
        }
      } else {
        int id = 0;
        const bool is_known = packet.name == "terminate" &&
                              absl::SimpleAtoi(packet.message.Value("ike-id"), &id) &&
                              sas_.erase(id) == 1;
        answer.message.values = {{"success", is_known ? "yes" : "no"}};
      }
    }
    UnixServer::Send(connection, EncodeViciPacket(answer));
  }

  Mutex mutex_;
  std::map<int, ViciSection> sas_ ABSL_GUARDED_BY(mutex_);
  UnixServer server_;
};

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_FAKE_GATEWAYS_H_
