#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/doctor/nps_check.h"

namespace hourglass::doctor {
namespace {

void CheckSecret(const NpsPeer& peer, FindingList& findings) {
  if (!peer.has_secret) {
    findings.AddError(
        "nps-empty-secret", "its shared secret is empty",
        "whoever can send a packet from this address can ask, and can answer in the server's "
        "place; an export that was made without exportPSK=YES may show this for every client",
        "set the same long random secret here and on the gateway (openssl rand -hex 24)");
  } else if (peer.secret_is_short) {
    findings.AddWarning("nps-short-secret", "its shared secret has fewer than 16 octets",
                        "it can be found by trying, from one packet that was overheard",
                        "set a long random secret here and on the gateway (openssl rand -hex 24)");
  }
}

}  // namespace

void CheckNpsPeers(const NpsExport& nps, FindingList& findings) {
  for (const NpsPeer& peer : nps.peers) {
    findings.GoTo(peer.line, absl::StrCat(peer.is_client ? "RADIUS client" : "RADIUS server", " \"",
                                          peer.name, "\""));
    CheckSecret(peer, findings);
    if (!peer.is_client) continue;
    if (!peer.enabled) {
      findings.AddNote("nps-client-disabled", "it is switched off",
                       "NPS answers nothing that comes from it: the gateway waits in vain",
                       "enable it where it is a gateway in use");
    }
    if (peer.requires_signature == false) {
      findings.AddWarning(
          "nps-no-message-authenticator",
          "requests without a Message-Authenticator are taken (Require_Signature is 0)",
          "who is between gateway and server can turn a refusal into an acceptance where no EAP "
          "is used (CVE-2024-3596)",
          "tick \"Access-Request messages must contain the Message-Authenticator attribute\" for "
          "this client");
    }
    if (absl::EndsWith(peer.address, "/0")) {
      findings.AddWarning("nps-client-is-everybody", "its address is every address",
                          "anybody may ask this server", "name the gateway's own address");
    }
  }
}

}  // namespace hourglass::doctor
