#include "tools/doctor/radius/supplicant.h"

#include <fcntl.h>
#include <openssl/rand.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hsm/base/status_macros.h"
#include "tools/radius/radius_packet.h"

namespace hourglass::doctor {
namespace {

using std::chrono::milliseconds;

constexpr char kProgram[] = "eapol_test";
constexpr std::uint32_t kVirtual = 5;  // a value of NAS-Port-Type (RFC 2865 section 5.41)
constexpr char kOwnName[] = "hourglass-doctor";

std::string RandomHex(std::size_t octets) {
  std::string random(octets, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(random.data()), static_cast<int>(octets)) != 1) {
    std::abort();
  }
  return absl::BytesToHexString(random);
}

// With owner-only rights, of a name that is new in a folder of our own.
bool WriteSecret(const std::string& path, absl::string_view content) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return false;
  const ssize_t written = write(file, content.data(), content.size());
  return close(file) == 0 && written == static_cast<ssize_t>(content.size());
}

std::string ReadAll(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// Starts the program with its output in `log`; the process id.
absl::StatusOr<pid_t> Start(const std::vector<std::string>& words, const std::string& log) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const absl::Cleanup destroy = [&actions] { posix_spawn_file_actions_destroy(&actions); };
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t process = -1;
  const int fault = posix_spawnp(&process, kProgram, &actions, nullptr, arguments.data(), environ);
  if (fault == ENOENT) {
    return absl::FailedPreconditionError("eapol_test is not installed: apt-get install eapoltest");
  }
  if (fault != 0) return absl::ErrnoToStatus(fault, kProgram);
  return process;
}

std::vector<std::string> CommandOf(const RadiusRelay& relay, const std::string& folder,
                                   milliseconds limit) {
  std::vector<std::string> words = {
      kProgram,
      "-n",  // keys are encrypted with the real secret: the relay looks whether they are there
      "-c", folder + "/network.conf", "-a", "127.0.0.1", "-p", absl::StrCat(relay.port()), "-s",
      relay.secret(), "-t", absl::StrCat((limit.count() + 999) / 1000), "-r", "0", "-o",
      folder + "/server.pem",
      // As a VPN gateway asks (RFC 2865 section 5.41): Virtual.
      absl::StrCat("-N", radius::kNasPortType, ":d:", kVirtual),
      absl::StrCat("-N", radius::kNasIdentifier, ":s:", kOwnName)};
  if (const std::string own = relay.own_address(); !own.empty()) {
    words.push_back(absl::StrCat("-N", radius::kNasIpAddress, ":x:", absl::BytesToHexString(own)));
  }
  return words;
}

// Runs eapol_test over `relay` and waits for its end.
absl::Status Run(RadiusRelay& relay, const std::string& folder, milliseconds limit) {
  ASSIGN_OR_RETURN(const pid_t process, Start(CommandOf(relay, folder, limit), folder + "/output"));
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  relay.RunUntilEnd(descriptor, limit);
  if (descriptor >= 0) close(descriptor);
  kill(process, SIGKILL);
  waitpid(process, nullptr, 0);
  return absl::OkStatus();
}

}  // namespace

std::string SupplicantConfiguration(const Conversation& conversation, absl::string_view folder) {
  // Hexadecimal, without quotes, holds any name.
  std::string text = absl::StrCat("network={\nkey_mgmt=WPA-EAP\nidentity=",
                                  absl::BytesToHexString(conversation.identity), "\n");
  switch (conversation.method) {
    case EapMethod::kTls12:
    case EapMethod::kTls13: {
      const bool is_12 = conversation.method == EapMethod::kTls12;
      absl::StrAppend(&text, "eap=TLS\nclient_cert=\"", folder, "/user.pem\"\nprivate_key=\"",
                      folder,
                      "/user.key\"\nphase1=\"tls_disable_tlsv1_0=1 tls_disable_tlsv1_1=1 "
                      "tls_disable_tlsv1_2=",
                      is_12 ? 0 : 1, " tls_disable_tlsv1_3=", is_12 ? 1 : 0, "\"\n");
      break;
    }
    case EapMethod::kPeapPasswd:
      absl::StrAppend(&text, "eap=PEAP\nphase2=\"auth=MSCHAPV2\"\npassword=\"", RandomHex(12),
                      "\"\n");
      break;
    case EapMethod::kTtlsPasswd:
      absl::StrAppend(&text, "eap=TTLS\nphase2=\"auth=PAP\"\npassword=\"", RandomHex(12), "\"\n");
      break;
  }
  return absl::StrCat(text, "}\n");
}

std::string AlertIn(absl::string_view output) {
  constexpr absl::string_view kRemote = "alert: read (remote end reported an error):";
  const std::size_t at = output.rfind(kRemote);
  if (at == absl::string_view::npos) return "";
  absl::string_view alert = output.substr(at + kRemote.size());
  alert = alert.substr(0, alert.find('\n'));
  const std::size_t level = alert.find(':');
  return std::string(level == absl::string_view::npos ? alert : alert.substr(level + 1));
}

std::string ShownCertificates(absl::string_view written) {
  constexpr absl::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr absl::string_view kEnd = "-----END CERTIFICATE-----";
  // eapol_test is told of them from the issuer down, and of some twice.
  std::vector<std::string> all;
  std::set<std::string> seen;
  for (std::size_t at = written.find(kBegin); at != absl::string_view::npos;
       at = written.find(kBegin, at + 1)) {
    const std::size_t end = written.find(kEnd, at);
    if (end == absl::string_view::npos) break;
    std::string one(written.substr(at, end + kEnd.size() - at));
    if (seen.insert(one).second) all.push_back(std::move(one));
  }
  std::string text;
  for (auto one = all.rbegin(); one != all.rend(); ++one) absl::StrAppend(&text, *one, "\n");
  return text;
}

absl::StatusOr<ProbeResult> Converse(const RadiusTarget& target, const Conversation& conversation,
                                     milliseconds limit) {
  std::error_code error;
  std::string folder = (std::filesystem::temp_directory_path(error) / "hourglass-XXXXXX").string();
  if (error || mkdtemp(folder.data()) == nullptr) {
    return absl::InternalError("no temporary folder can be made");
  }
  const absl::Cleanup remove = [&folder] {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  };
  if (!WriteSecret(folder + "/user.pem", conversation.certificate_pem) ||
      !WriteSecret(folder + "/user.key", conversation.private_key_pem) ||
      !WriteSecret(folder + "/network.conf", SupplicantConfiguration(conversation, folder))) {
    return absl::InternalError(absl::StrCat("cannot write to ", folder));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<RadiusRelay> relay, RadiusRelay::Open(target));
  RETURN_IF_ERROR(Run(*relay, folder, limit));
  ProbeResult result = relay->result();
  result.alert = AlertIn(ReadAll(folder + "/output"));
  result.server_pem = ShownCertificates(ReadAll(folder + "/server.pem"));
  return result;
}

absl::StatusOr<ProbeResult> AskWithPassword(const RadiusTarget& target, const std::string& identity,
                                            bool sign, milliseconds limit) {
  ASSIGN_OR_RETURN(const std::unique_ptr<RadiusRelay> relay, RadiusRelay::Open(target));
  radius::Packet request;
  request.code = radius::kAccessRequest;
  request.identifier = 1;
  request.authenticator = absl::HexStringToBytes(RandomHex(radius::kAuthenticatorSize));
  request.attributes = {{radius::kUserName, identity.substr(0, radius::kMaxValue)},
                        {radius::kUserPassword,
                         radius::HidePassword(RandomHex(12), request.authenticator, target.secret)},
                        {radius::kNasPortType, radius::NumberValue(kVirtual)},
                        {radius::kNasIdentifier, kOwnName}};
  if (const std::string own = relay->own_address(); !own.empty()) {
    request.attributes.push_back({radius::kNasIpAddress, own});
  }
  relay->Ask(std::move(request), sign, limit);
  return relay->result();
}

}  // namespace hourglass::doctor
