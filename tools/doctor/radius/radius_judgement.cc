#include "tools/doctor/radius/radius_judgement.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hourglass::doctor {
namespace {

constexpr std::chrono::milliseconds kSlow(2000);
// How far the clocks of server and doctor may be apart.
constexpr std::int64_t kSlack = 5;  // seconds

std::string EffectOf(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::kPassword:
      return "whoever knows, or makes up, a password gets in without a certificate";
    case ProbeKind::kAnotherName:
      return "whoever has a certificate gets in under any name: accounting and Disconnect hit "
             "another user";
    case ProbeKind::kExpired:
      return "a certificate never ends, and whoever makes a root of the same name gets in";
    case ProbeKind::kForged:
      return "whoever makes a root of the same name gets in as anybody";
    case ProbeKind::kGiven:
    case ProbeKind::kCanary:
      return "a certificate gets in that was to be refused";
  }
  return "";
}

std::string RemedyOf(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::kPassword:
      return "take no method but EAP-TLS (NPS: leave Smart Card or other certificate alone; "
             "FreeRADIUS: no pap, mschap, peap or ttls, and reject what is no EAP)";
    case ProbeKind::kAnotherName:
      return "compare the certificate's user principal name with User-Name (FreeRADIUS: "
             "TLS-Client-Cert-Subject-Alt-Name-Upn)";
    case ProbeKind::kGiven:
      return "trust the tenant's roots alone, and ask for the extended key usage "
             "1.3.6.1.4.1.311.87";
    case ProbeKind::kExpired:
    case ProbeKind::kForged:
    case ProbeKind::kCanary:
      return "have the server verify the chain to the tenant's roots and the time of each "
             "certificate";
  }
  return "";
}

// What the server said of a refusal, for a sentence.
std::string SaidOf(const ProbeResult& result) {
  std::string said;
  if (!result.alert.empty()) absl::StrAppend(&said, "; its TLS alert: ", result.alert);
  if (!result.reply_message.empty()) {
    absl::StrAppend(&said, "; its Reply-Message: ", result.reply_message);
  }
  return said;
}

std::string RemedyForRefusal(const ProbeResult& result) {
  if (absl::StrContains(result.alert, "unknown CA")) {
    return "give the server the tenant's roots and start it anew (FreeRADIUS reads ca_file only "
           "then), and ask for no revocation list (check_crl = no; NPS: IgnoreNoRevocationCheck)";
  }
  if (absl::StrContains(result.alert, "expired")) return "look at the server's clock";
  if (absl::StrContains(result.alert, "protocol version") ||
      absl::StrContains(result.alert, "handshake failure")) {
    return "let the server speak TLS 1.2 and TLS 1.3 (FreeRADIUS: tls_min_version, "
           "tls_max_version)";
  }
  if (!result.reply_message.empty()) return "see in the server's policy where it says so";
  return "look for the reason in the server's log (NPS: event 6273 in the security log; "
         "FreeRADIUS: freeradius -X)";
}

void JudgeSession(const ProbeResult& result, std::int64_t seconds_left, FindingList& findings) {
  const char* const effect =
      "the tunnel outlives the certificate: who falls out of order stays "
      "connected";
  const char* const remedy =
      "bound Session-Timeout by what is left of the certificate (the kit for FreeRADIUS does; NPS: "
      "Session-Timeout of an hour or less)";
  if (result.session_timeout.value_or(0) == 0) {
    findings.AddError("radius-session-unbounded", "Access-Accept has no Session-Timeout", effect,
                      remedy);
  } else if (*result.session_timeout > seconds_left + kSlack) {
    findings.AddError("radius-session-outlives",
                      absl::StrCat("Session-Timeout is ", *result.session_timeout,
                                   " seconds, and the certificate has ", seconds_left, " left"),
                      effect, remedy);
  }
}

bool MustRefuse(const AskedProbe& probe) { return probe.kind != ProbeKind::kCanary; }
bool IsAccepted(const AskedProbe& probe) { return probe.result.end == ProbeEnd::kAccepted; }

}  // namespace

bool JudgeReachability(const ProbeResult& result, bool secret_differs, FindingList& findings) {
  if (result.end == ProbeEnd::kUnreachable) {
    findings.AddError("radius-unreachable", "nothing listens on this port",
                      "no gateway gets an answer: nobody gets in",
                      "start the server, or give the port that it listens on (1812, or 1645)");
    return false;
  }
  if (secret_differs) {
    findings.AddError("radius-wrong-secret", "the server has another shared secret",
                      "it drops what is signed with this one: a gateway that has it gets no answer",
                      "set the same secret on both sides, without a line end or blanks");
    return false;
  }
  if (result.end == ProbeEnd::kSilent) {
    findings.AddError(
        "radius-silent", "the server does not answer",
        "a gateway waits, asks the next server or refuses: nobody gets in",
        "see that it runs, that no firewall is between, that it has this machine's address as a "
        "client, and that the secret is the same: RADIUS drops what is not from a client");
    return false;
  }
  if (result.fault == radius::AnswerFault::kNone) return true;
  if (result.fault == radius::AnswerFault::kNoMessageAuthenticator) {
    findings.AddError(
        "radius-no-message-authenticator", "answers with EAP have no Message-Authenticator",
        "gateways drop them (RFC 3579 section 3.2), or can be deceived", "update the server");
  } else {
    findings.AddError(
        "radius-wrong-authenticator", "answers came that were not made with the shared secret",
        "a gateway drops them; one that does not lets in whomever the sender likes",
        "set the same secret on both sides; if it is the same, somebody else answers in the "
        "server's place");
  }
  return result.end != ProbeEnd::kFalse;
}

void JudgeCanary(const AskedProbe& probe, std::int64_t not_after, FindingList& findings) {
  const ProbeResult& result = probe.result;
  findings.GoTo(0, probe.name);
  if (result.end == ProbeEnd::kUnfinished) {
    findings.AddError("radius-unfinished",
                      absl::StrCat("the conversation did not come to an end", SaidOf(result)),
                      "whoever has a good certificate waits, and does not get in",
                      "look into the server's log; where answers are lost, let large UDP packets "
                      "through and set fragment_size or Framed-MTU to 1024");
    return;
  }
  if (result.end != ProbeEnd::kAccepted) {
    findings.AddError("radius-canary-refused",
                      absl::StrCat("a good certificate is refused", SaidOf(result)),
                      "nobody with such a client gets in", RemedyForRefusal(result));
    return;
  }
  if (!result.has_keys) {
    findings.AddError(
        "radius-no-keys", "Access-Accept has no keys (MS-MPPE-Recv-Key)",
        "an IKEv2 gateway cannot authenticate the client with EAP: no tunnel comes up",
        "let the EAP module of the server decide, and not a rule before it");
  }
  // As it was when the conversation began: the server has looked later.
  JudgeSession(result, not_after - probe.asked_at, findings);
  if (result.took > kSlow) {
    findings.AddWarning("radius-slow", absl::StrCat("the answer took ", result.took.count(), " ms"),
                        "gateways ask again after some seconds, and users wait",
                        "look for what the server waits for: name servers, revocation lists, a "
                        "directory");
  }
}

void JudgeRefusals(const std::vector<AskedProbe>& probes, FindingList& findings) {
  const auto asked = std::count_if(probes.begin(), probes.end(), MustRefuse);
  const auto accepted = std::count_if(probes.begin(), probes.end(), [](const AskedProbe& probe) {
    return MustRefuse(probe) && IsAccepted(probe);
  });
  if (asked > 0 && accepted == asked) {
    findings.GoTo(0, "");
    findings.AddError(
        "radius-lets-everything-in",
        absl::StrCat("every one of ", asked, " requests that were to be refused was accepted"),
        "anybody gets in",
        "see that no rule sets Auth-Type := Accept before the certificate is "
        "verified, and that the answers come from your server");
    return;
  }
  for (const AskedProbe& probe : probes) {
    if (!MustRefuse(probe) || !IsAccepted(probe)) continue;
    findings.GoTo(0, probe.name);
    findings.AddError("radius-accepts-bad", "it was accepted, and must be refused",
                      EffectOf(probe.kind), RemedyOf(probe.kind));
  }
}

}  // namespace hourglass::doctor
