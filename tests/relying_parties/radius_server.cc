#include "tests/relying_parties/radius_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hsm/base/status_macros.h"
#include "tests/relying_parties/kit_files.h"
#include "tools/gateways/kits/freeradius.h"

namespace hourglass {
namespace {

// With what has to be escaped in the configuration.
constexpr char kSecret[] = "it's \"shared\" ${by} server; and #gateway \xC3\xA9!";
constexpr char kServerName[] = "radius.contoso.example";

absl::StatusOr<int> FreeUdpPort() {
  const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, "socket");
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any_address = reinterpret_cast<sockaddr*>(&address);
  const bool bound =
      bind(descriptor, any_address, size) == 0 && getsockname(descriptor, any_address, &size) == 0;
  const int error = errno;
  close(descriptor);
  if (!bound) return absl::ErrnoToStatus(error, "bind");
  return ntohs(address.sin_port);
}

// The server program itself must run under the shifted clock: the faketime wrapper would stay in
// between. The dynamic linker puts the machine's library folder for $LIB.
std::vector<std::string> ShiftedClock(std::chrono::seconds shift) {
  if (shift.count() == 0) return {};
  return {"LD_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1",
          absl::StrCat("FAKETIME=", shift.count() > 0 ? "+" : "", shift.count(), "s")};
}

std::string Between(absl::string_view text, absl::string_view before, absl::string_view after) {
  const size_t start = text.find(before);
  if (start == absl::string_view::npos) return "";
  text.remove_prefix(start + before.size());
  return std::string(text.substr(0, text.find(after)));
}

}  // namespace

RadiusServer::RadiusServer(const std::string& trust_bundle_pem, gateways::Values more)
    : trust_bundle_pem_(trust_bundle_pem),
      more_(std::move(more)),
      server_issuer_("/CN=Issuer of the RADIUS server") {
  const CertificateAndKey server = server_issuer_.Issue(
      kServerName,
      {absl::StrCat("subjectAltName = DNS:", kServerName), "extendedKeyUsage = serverAuth"});
  directory_.Write("server.pem", server.certificate_pem);
  directory_.Write("server.key", server.private_key_pem);
  directory_.Write("server-issuer.pem", server_issuer_.root_pem());
}

absl::StatusOr<std::unique_ptr<RadiusServer>> RadiusServer::Start(
    const std::string& trust_bundle_pem, std::chrono::seconds clock_shift, gateways::Values more) {
  auto server = absl::WrapUnique(new RadiusServer(trust_bundle_pem, std::move(more)));
  constexpr int kAttempts = 10;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const absl::StatusOr<int> port = FreeUdpPort();
    if (!port.ok()) return port.status();
    const absl::StatusOr<bool> started = server->TryPort(*port, clock_shift);
    if (!started.ok()) return started.status();
    if (*started) return server;
  }
  return absl::InternalError("every free port was taken before the server could bind it");
}

absl::StatusOr<bool> RadiusServer::TryPort(int port, std::chrono::seconds clock_shift) {
  port_ = port;
  const std::string folder = directory_.File("hourglass");
  gateways::Values values = {{"folder", folder},
                             {"listen_address", "127.0.0.1"},
                             {"listen_port", absl::StrCat(port)},
                             {"gateway_address", "127.0.0.1"},
                             {"gateway_secret", kSecret},
                             {"server_certificate", directory_.File("server.pem")},
                             {"server_key", directory_.File("server.key")},
                             {"log_folder", directory_.path()},
                             {"run_folder", directory_.path()}};
  values.insert(more_.begin(), more_.end());
  RETURN_IF_ERROR(
      WriteKit(gateways::FreeradiusKit(), SubjectOf(trust_bundle_pem_), std::move(values), folder));
  process_ = std::make_unique<BackgroundProcess>(
      std::vector<std::string>{"/usr/sbin/freeradius", "-d", folder, "-f", "-l", "stdout", "-xx"},
      directory_.File(absl::StrCat("log-", port)), ShiftedClock(clock_shift));
  if (process_->WaitForLog("Ready to process requests")) return true;
  const std::string log = process_->Log();
  if (absl::StrContains(log, "Address already in use")) return false;
  return absl::InternalError(absl::StrCat("FreeRADIUS did not start:\n", log));
}

std::string RadiusServer::secret() { return kSecret; }

std::string RadiusServer::name() { return kServerName; }

AccessAnswer RadiusServer::Authenticate(const std::string& identity,
                                        const CertificateAndKey& credential, TlsVersion version) {
  const TemporaryDirectory client;
  const bool tls12 = version == TlsVersion::kTls12;
  const std::string network = client.Write(
      "network.conf",
      absl::StrCat("network={\nkey_mgmt=WPA-EAP\neap=TLS\nidentity=\"", identity, "\"\nca_cert=\"",
                   directory_.File("server-issuer.pem"), "\"\ndomain_match=\"", kServerName,
                   "\"\nclient_cert=\"", client.Write("user.pem", credential.certificate_pem),
                   "\"\nprivate_key=\"", client.Write("user.key", credential.private_key_pem),
                   "\"\nphase1=\"tls_disable_tlsv1_0=1 tls_disable_tlsv1_1=1 tls_disable_tlsv1_2=",
                   tls12 ? "0" : "1", " tls_disable_tlsv1_3=", tls12 ? "1" : "0", "\"\n}\n"));
  const size_t log_before = process_->Log().size();
  const CommandResult result =
      RunCommand({"eapol_test", "-c", network, "-a", "127.0.0.1", "-p", absl::StrCat(port_), "-s",
                  kSecret, "-t", "10", "-r", "0"});
  AccessAnswer answer;
  answer.accepted = result.exit_code == 0 && absl::StrContains(result.output, "(Access-Accept)");
  answer.rejected = result.exit_code != 0 && absl::StrContains(result.output, "(Access-Reject)");
  answer.reply_message =
      Between(Between(result.output, "(Reply-Message)", "   Attribute"), "Value: '", "'\n");
  // Of the last answer; challenges have none.
  const std::string seconds =
      Between(Between(result.output, "(Session-Timeout)", "   Attribute"), "Value: ", "\n");
  int session_timeout = 0;
  if (absl::SimpleAtoi(seconds, &session_timeout)) answer.session_timeout = session_timeout;
  answer.server_log = process_->Log().substr(log_before);
  return answer;
}

}  // namespace hourglass
