#include "tools/doctor/nps_check.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/doctor/nps_conditions.h"
#include "tools/doctor/object_identifier.h"

namespace hourglass::doctor {
namespace {

bool Grants(const NpsPolicy& policy) {
  // Where nothing is said it is taken for a grant: a hole is looked for.
  return policy.profile.has_value() && policy.profile->grants.value_or(true);
}

// Goes through the policies as NPS does: the first whose conditions match decides.
class PolicyWalk {
 public:
  PolicyWalk(const NpsExport& nps, FindingList& findings) : nps_(nps), findings_(findings) {}

  void WalkConnectionRequestPolicies();
  void WalkNetworkPolicies();

 private:
  void Enter(const NpsPolicy& policy, absl::string_view kind) {
    policy_ = &policy;
    findings_.GoTo(policy.line, absl::StrCat(kind, " \"", policy.name, "\""));
  }
  // Whether this policy can decide about the request of a VPN gateway. Says why, where that is a
  // mistake.
  bool MayDecide(const NpsPolicy& policy);
  void CheckOrder(const std::vector<NpsPolicy>& policies, absl::string_view kind);
  void CheckConditions(const NpsPolicy& policy);
  void CheckUnused(const NpsPolicy& policy);
  void CheckOid(const NpsProfile& profile);
  void SayThatNoOidIsAskedFor();
  bool ASecuredPolicyFollows() const;

  const NpsExport& nps_;
  FindingList& findings_;
  const NpsPolicy* policy_ = nullptr;
  std::string all_taken_by_;  // the policy that matches everything; what follows is never reached
  bool secured_ = false;      // one before asks for the OID
  bool somebody_gets_in_ = false;
};

void PolicyWalk::CheckOrder(const std::vector<NpsPolicy>& policies, absl::string_view kind) {
  for (const NpsPolicy& policy : policies) {
    Enter(policy, kind);
    const auto same =
        std::count_if(policies.begin(), policies.end(), [&policy](const NpsPolicy& other) {
          return other.enabled && policy.enabled && other.sequence == policy.sequence;
        });
    if (policy.sequence.has_value() && same < 2) continue;
    if (!policy.enabled) continue;
    findings_.AddWarning(
        "nps-order-unclear",
        policy.sequence.has_value()
            ? absl::StrCat("another policy has the same place in the order, ", *policy.sequence)
            : "it has no place in the order (msNPSequence)",
        "which of them is tried first cannot be told from this file",
        "move it up or down once in the console, which numbers all of them anew");
  }
}

void PolicyWalk::CheckConditions(const NpsPolicy& policy) {
  for (const std::string& condition : policy.conditions) {
    if (MatchOfCondition(condition) != NpsMatch::kNotUnderstood) continue;
    findings_.AddNote("nps-condition-not-understood",
                      absl::StrCat("its condition is not understood: ", condition),
                      "it is taken for one that may match every VPN user",
                      "look at it in the console");
  }
  if (policy.source_tag != 0) {
    findings_.AddNote(
        "nps-source-tag",
        absl::StrCat("it is for one type of network access server only (Policy_SourceTag ",
                     policy.source_tag, ")"),
        "servers of another type do not reach it", "choose \"Unspecified\" where in doubt");
  }
}

// A policy that does not decide, though it asks for the OID.
void PolicyWalk::CheckUnused(const NpsPolicy& policy) {
  if (!policy.profile.has_value() || OidVerdictOf(*policy.profile) == OidVerdict::kNone) return;
  if (!policy.enabled) {
    findings_.AddError("nps-policy-disabled", "it asks for a certificate OID, and is switched off",
                       "it protects nothing",
                       "enable it, before every other policy that lets VPN users in");
  } else if (MatchOfConditions(policy.conditions) == NpsMatch::kNever) {
    findings_.AddNote("nps-oid-not-for-vpn",
                      "it asks for a certificate OID, and is not for VPN (NAS-Port-Type)",
                      "VPN users do not reach it", "ask for the OID on the policy for VPN");
  } else {
    findings_.AddError("nps-policy-never-reached",
                       absl::StrCat("it asks for a certificate OID, and \"", all_taken_by_,
                                    "\" before it takes every VPN request"),
                       "it protects nothing", "move it up, before that policy");
  }
}

bool PolicyWalk::MayDecide(const NpsPolicy& policy) {
  if (!policy.enabled || !all_taken_by_.empty() ||
      MatchOfConditions(policy.conditions) == NpsMatch::kNever) {
    CheckUnused(policy);
    return false;
  }
  CheckConditions(policy);
  if (policy.profile.has_value()) return true;
  somebody_gets_in_ = true;  // perhaps
  findings_.AddWarning(
      "nps-cannot-pair",
      "the settings that belong to it cannot be told: none, or more than one, has its name",
      "whether it lets anybody in without the OID is unknown",
      "give each policy a name of its own that differs in letters and digits, and export again");
  return false;
}

bool PolicyWalk::ASecuredPolicyFollows() const {
  bool after = false;
  for (const NpsPolicy& policy : nps_.network_policies) {
    if (after && policy.enabled && Grants(policy) &&
        MatchOfConditions(policy.conditions) != NpsMatch::kNever &&
        OidVerdictOf(*policy.profile) == OidVerdict::kEnforced) {
      return true;
    }
    after = after || &policy == policy_;
  }
  return false;
}

void PolicyWalk::SayThatNoOidIsAskedFor() {
  const std::string whose = AsksForRras(policy_->conditions)
                                ? "whoever comes through RRAS gets in with any certificate that "
                                  "Windows trusts"
                                : "every user it matches gets in with any certificate that Windows "
                                  "trusts";
  if (secured_) {
    findings_.AddError(
        "nps-later-policy-without-oid",
        "it grants access without asking for the conditional-access OID, to those whom the "
        "policies before it do not match",
        absl::StrCat(whose, ": who is in no group of the policy that asks is let in by this one"),
        absl::StrCat(kAskForTheOid, "; or let it deny access"));
    return;
  }
  if (ASecuredPolicyFollows()) {
    findings_.AddError(
        "nps-earlier-policy-without-oid",
        "it grants access without asking for the conditional-access OID, and comes before the "
        "policy that asks",
        absl::StrCat(whose, ": the policy behind it is not tried for them"),
        absl::StrCat(kAskForTheOid, "; or let it deny access, or move it down"));
    return;
  }
  findings_.AddError(
      "nps-no-certificate-oid",
      "it grants access, and no Allowed-Certificate-OID was found on it (how Windows calls that "
      "element in an export is not public: it was looked for by its form)",
      absl::StrCat(whose, ": conditional access is not asked for"), kAskForTheOid);
}

void PolicyWalk::CheckOid(const NpsProfile& profile) {
  const OidVerdict verdict = OidVerdictOf(profile);
  CheckNpsOidValues(profile, findings_);
  if (verdict == OidVerdict::kNone) SayThatNoOidIsAskedFor();
  if (verdict != OidVerdict::kEnforced) return;
  secured_ = true;
  for (const NpsOidElement& oid : profile.oids) {
    if (oid.kind == NpsOidElement::Kind::kReply) continue;
    const bool by_name = oid.kind == NpsOidElement::Kind::kByName;
    findings_.AddNote(
        "nps-certificate-oid-found",
        absl::StrCat("the OID appears to be enforced, by ", oid.name,
                     by_name ? " (known by its name)" : " (known by its value alone)"),
        "", "compare with Allowed-Certificate-OID in the policy's settings in the console",
        oid.line);
  }
}

void PolicyWalk::WalkNetworkPolicies() {
  CheckOrder(nps_.network_policies, "network policy");
  for (const NpsPolicy& policy : nps_.network_policies) {
    Enter(policy, "network policy");
    if (!MayDecide(policy)) continue;
    if (MatchOfConditions(policy.conditions) == NpsMatch::kAlways) all_taken_by_ = policy.name;
    if (!Grants(policy)) continue;
    somebody_gets_in_ = true;
    CheckOid(*policy.profile);
    CheckNpsMethods(*policy.profile, findings_);
    CheckNpsSession(*policy.profile, findings_);
  }
  if (somebody_gets_in_) return;
  findings_.GoTo(0, "");
  findings_.AddError("nps-nobody-gets-in",
                     "no network policy that is switched on grants access to a VPN user",
                     "every request is refused (reason 48 or 65)",
                     absl::StrCat("add a policy for NAS-Port-Type Virtual (VPN); ", kAskForTheOid));
}

void PolicyWalk::WalkConnectionRequestPolicies() {
  CheckOrder(nps_.connection_request_policies, "connection request policy");
  bool one_decides = false;
  for (const NpsPolicy& policy : nps_.connection_request_policies) {
    Enter(policy, "connection request policy");
    if (!MayDecide(policy)) continue;
    one_decides = true;
    if (MatchOfConditions(policy.conditions) == NpsMatch::kAlways) all_taken_by_ = policy.name;
    if (policy.profile->overrides_authentication) {
      findings_.AddError(
          "nps-overrides-authentication",
          "it overrides the authentication methods of the network policies (msOverrideRAPAuth)",
          "what the network policy asks of certificates does not count",
          "clear \"Override network policy authentication settings\"");
    }
    if (policy.profile->provider.value_or(1) != 1) {
      findings_.AddNote(
          "nps-forwards",
          "it hands requests to another server, or accepts them unseen (msAuthProviderType)",
          "who gets in is decided elsewhere: what the network policies here say may not count",
          "export that server as well, and set its registry, too");
    }
  }
  all_taken_by_.clear();
  if (one_decides) return;
  findings_.GoTo(0, "");
  findings_.AddError("nps-no-connection-request-policy",
                     "no connection request policy that is switched on is for VPN requests",
                     "every request is dropped (reason 49)",
                     "enable \"Use Windows authentication for all users\"");
}

// `…\ias.xml`, of `%SystemRoot%\System32\ias`.
bool IsLiveStore(absl::string_view file) {
  const std::size_t folder = file.find_last_of("/\\");
  if (folder != absl::string_view::npos) file.remove_prefix(folder + 1);
  return absl::EqualsIgnoreCase(file, "ias.xml");
}

bool IsUtf16(absl::string_view octets) {
  return octets.substr(0, 4).find('\0') != absl::string_view::npos;
}

}  // namespace

bool ForwardsVpnRequests(const NpsExport& nps) {
  const auto& policies = nps.connection_request_policies;
  return std::any_of(policies.begin(), policies.end(), [](const NpsPolicy& policy) {
    return policy.enabled && policy.profile.has_value() &&
           policy.profile->provider.value_or(1) != 1 &&
           MatchOfConditions(policy.conditions) != NpsMatch::kNever;
  });
}

std::vector<Finding> CheckNps(const NpsExport& nps, const std::string& file) {
  FindingList findings(file);
  PolicyWalk walk(nps, findings);
  walk.WalkConnectionRequestPolicies();
  walk.WalkNetworkPolicies();
  CheckNpsPeers(nps, findings);
  if (nps.stray_text_line > 0) {
    findings.GoTo(nps.stray_text_line, "");
    findings.AddWarning("nps-damaged-export",
                        "text stands between its elements, as in a page copied from a browser",
                        "something may be missing", "use the file as netsh wrote it");
  }
  return findings.Take();
}

std::vector<Finding> CheckNpsFile(absl::string_view octets, const std::string& file) {
  const absl::StatusOr<NpsExport> nps = ReadNpsExport(octets);
  if (nps.ok()) {
    std::vector<Finding> findings = CheckNps(*nps, file);
    if (IsLiveStore(file) && !IsUtf16(octets)) {
      findings.push_back({"nps-live-store-not-utf16",
                          Severity::kError,
                          "it is the server's own store, and not UTF-16 any more",
                          "the service does not start with it (\"The request is not supported\")",
                          "save it as UTF-16 with a byte order mark, and use netsh nps import next "
                          "time",
                          {file, 0, ""}});
    }
    return findings;
  }
  return {{"nps-unreadable",
           Severity::kError,
           std::string(nps.status().message()),
           "nothing can be told of this server",
           "export it with `netsh nps export filename=\"nps.xml\" exportPSK=YES`",
           {file, 0, ""}}};
}

}  // namespace hourglass::doctor
