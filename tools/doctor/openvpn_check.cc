#include "tools/doctor/openvpn_check.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tools/doctor/finding_list.h"
#include "tools/doctor/object_identifier.h"

namespace hourglass::doctor {
namespace {

constexpr char kAskForTheOid[] =
    "write `remote-cert-eku \"1.3.6.1.4.1.311.87\"`, and no remote-cert-tls";

class Check {
 public:
  Check(const std::vector<OpenvpnOption>& options, const std::string& file)
      : options_(options), findings_(file) {}

  std::vector<Finding> Run();

 private:
  // The last of this name, which is the one that counts; null where there is none.
  const OpenvpnOption* Last(absl::string_view name) const {
    const OpenvpnOption* last = nullptr;
    for (const OpenvpnOption& option : options_) {
      if (option.name == name) last = &option;
    }
    return last;
  }
  static std::string Argument(const OpenvpnOption& option, std::size_t index) {
    return index < option.arguments.size() ? option.arguments[index] : "";
  }
  void GoTo(const OpenvpnOption& option) { findings_.GoTo(option.line, option.name); }

  bool IsServer() const;
  void CheckPurpose();
  void CheckClientCertificate();
  void CheckRevocation();
  void CheckLifetime();
  void CheckRoots();
  void CheckManagement();

  const std::vector<OpenvpnOption>& options_;
  FindingList findings_;
};

bool Check::IsServer() const {
  const OpenvpnOption* const mode = Last("mode");
  return Last("server") != nullptr || Last("server-bridge") != nullptr ||
         Last("server-ipv6") != nullptr || Last("tls-server") != nullptr ||
         (mode != nullptr && Argument(*mode, 0) == "server");
}

// remote-cert-tls sets the purpose that remote-cert-eku sets: the later of both counts.
void Check::CheckPurpose() {
  const OpenvpnOption* const eku = Last("remote-cert-eku");
  const OpenvpnOption* const tls = Last("remote-cert-tls");
  if (eku == nullptr) {
    findings_.GoTo(0, "");
    findings_.AddError("openvpn-no-oid", "remote-cert-eku is missing",
                       "a certificate without conditional access gets in, where a root in ca has "
                       "signed one",
                       kAskForTheOid);
  } else if (const std::string fault = FaultOfOid(Argument(*eku, 0)); !fault.empty()) {
    GoTo(*eku);
    findings_.AddError(
        "openvpn-wrong-oid", absl::StrCat("remote-cert-eku is `", Argument(*eku, 0), "`: ", fault),
        "no certificate of Hourglass has it, or every client certificate does", kAskForTheOid);
  }
  if (eku == nullptr || tls == nullptr) return;
  GoTo(*tls);
  if (tls->line > eku->line) {
    findings_.AddError("openvpn-oid-overridden",
                       "remote-cert-tls comes after remote-cert-eku and silently takes its place",
                       "a certificate without conditional access gets in",
                       "leave remote-cert-tls out: OpenSSL asks for clientAuth without it");
  } else {
    findings_.AddWarning("openvpn-remote-cert-tls",
                         "remote-cert-tls stands before remote-cert-eku, which takes its place",
                         "it does nothing, and undoes the OID once the lines are swapped",
                         "leave remote-cert-tls out: OpenSSL asks for clientAuth without it");
  }
}

void Check::CheckClientCertificate() {
  const OpenvpnOption* const verify = Last("verify-client-cert");
  const OpenvpnOption* const old = Last("client-cert-not-required");
  if (verify != nullptr && Argument(*verify, 0) != "require" && !verify->arguments.empty()) {
    GoTo(*verify);
    findings_.AddError("openvpn-no-client-certificate",
                       absl::StrCat("verify-client-cert is ", Argument(*verify, 0)),
                       "who shows no certificate gets in", "write `verify-client-cert require`");
  }
  if (old != nullptr) {
    GoTo(*old);
    findings_.AddError("openvpn-no-client-certificate", "no certificate is required of clients",
                       "who shows no certificate gets in",
                       "write `verify-client-cert require` in its place");
  }
}

void Check::CheckRevocation() {
  const OpenvpnOption* const crl = Last("crl-verify");
  // With `dir` it names a folder of serial numbers that are refused, and no list is asked for.
  if (crl == nullptr || Argument(*crl, 1) == "dir") return;
  GoTo(*crl);
  findings_.AddError("openvpn-crl-verify", "crl-verify asks for a revocation list of the roots",
                     "Hourglass keeps none: with the list of another authority every certificate "
                     "is refused",
                     "leave crl-verify out: the certificates end within the hour");
}

void Check::CheckLifetime() {
  const OpenvpnOption* const renegotiation = Last("reneg-sec");
  if (renegotiation == nullptr) return;  // 3600, which is right
  GoTo(*renegotiation);
  constexpr int kHour = 3600;
  int seconds = 0;
  if (!absl::SimpleAtoi(Argument(*renegotiation, 0), &seconds)) return;
  if (seconds > 0 && seconds <= kHour) return;
  findings_.AddWarning("openvpn-renegotiation",
                       seconds == 0 ? std::string("the client never shows a certificate again")
                                    : absl::StrCat("the client shows a certificate again after ",
                                                   seconds, " seconds only"),
                       "a tunnel outlives its certificate: who falls out of order stays connected",
                       "leave reneg-sec out, or write 3600 or less");
}

void Check::CheckRoots() {
  const OpenvpnOption* const folder = Last("capath");
  if (folder != nullptr) {
    GoTo(*folder);
    findings_.AddWarning("openvpn-capath", "roots are taken from a folder (capath)",
                         "every authority in it can let people in, and it needs revocation lists "
                         "beside them",
                         "name the tenant's roots alone, in a file of ca");
  }
  if (Last("ca") != nullptr || folder != nullptr) return;
  findings_.GoTo(0, "");
  findings_.AddError("openvpn-no-roots", "ca is missing", "the server does not start",
                     "name the file that hourglass-bundle writes");
}

void Check::CheckManagement() {
  const OpenvpnOption* const management = Last("management");
  if (management == nullptr) return;
  GoTo(*management);
  const bool is_socket = Argument(*management, 1) == "unix";
  if (!is_socket && Argument(*management, 2).empty()) {
    findings_.AddWarning("openvpn-management-open", "the management port asks for no password",
                         "everybody who reaches it ends tunnels and reads who is connected",
                         "use a socket: `management /run/openvpn/server.sock unix`, or name a "
                         "password file behind the port");
  }
}

std::vector<Finding> Check::Run() {
  if (!IsServer()) {
    findings_.AddNote("openvpn-no-server", "it is no server's file: it has no `server` line",
                      "it was not looked at", "give the server's file");
    return findings_.Take();
  }
  CheckPurpose();
  CheckClientCertificate();
  CheckRevocation();
  CheckLifetime();
  CheckRoots();
  CheckManagement();
  if (const OpenvpnOption* const include = Last("config"); include != nullptr) {
    GoTo(*include);
    findings_.AddNote("config-include", absl::StrCat("it includes ", Argument(*include, 0)),
                      "what stands there was not looked at", "give that file to the doctor, too");
  }
  return findings_.Take();
}

}  // namespace

std::vector<Finding> CheckOpenvpn(const std::vector<OpenvpnOption>& options,
                                  const std::string& file) {
  return Check(options, file).Run();
}

}  // namespace hourglass::doctor
