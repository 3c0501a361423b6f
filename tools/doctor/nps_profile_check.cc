#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/doctor/nps_check.h"
#include "tools/doctor/object_identifier.h"

namespace hourglass::doctor {
namespace {

constexpr int kEap = 5;  // of msNPAuthenticationType2
constexpr int kEapMd5 = 4;
constexpr int kEapTls = 13;
constexpr int kPeap = 25;
constexpr int kEapMsChapV2 = 26;
constexpr long long kHour = 3600;  // seconds: how long a certificate lives

std::string AuthenticationTypeName(int type) {
  static const auto* const names =
      new std::map<int, std::string>{{1, "PAP"},
                                     {2, "CHAP"},
                                     {3, "MS-CHAP"},
                                     {4, "MS-CHAPv2"},
                                     {7, "none at all"},
                                     {9, "MS-CHAP with change of the password"},
                                     {10, "MS-CHAPv2 with change of the password"}};
  const auto known = names->find(type);
  return known == names->end() ? absl::StrCat("type ", type) : known->second;
}

// The list of inner methods stands behind the server certificate's thumbprint, each a 32-bit number
// with its lowest octet first. Seen of EAP-MSCHAPv2 in public exports, of no other.
bool ListsInnerMsChap(absl::string_view hex) {
  constexpr std::size_t kEndOfThumbprint = 72 + 40;
  if (!absl::StartsWith(hex, "19") || hex.size() <= kEndOfThumbprint) return false;
  for (std::size_t at = kEndOfThumbprint; at + 8 <= hex.size(); at += 2) {
    if (hex.substr(at, 8) == "1a000000") return true;
  }
  return false;
}

}  // namespace

OidVerdict OidVerdictOf(const NpsProfile& profile) {
  int others = 0;
  bool found = false;
  for (const NpsOidElement& oid : profile.oids) {
    if (oid.kind == NpsOidElement::Kind::kReply) continue;
    const bool exact = oid.value == kConditionalAccessOid && !oid.has_blanks_around;
    found = found || exact;
    // What is known by its value alone may be something else.
    if (!exact &&
        (oid.kind == NpsOidElement::Kind::kByName || IsNearConditionalAccessOid(oid.value))) {
      ++others;
    }
  }
  if (others > 0) return OidVerdict::kWrong;
  return found ? OidVerdict::kEnforced : OidVerdict::kNone;
}

std::vector<std::string> PasswordWays(const NpsProfile& profile) {
  std::vector<std::string> ways;
  for (const int type : profile.authentication_types) {
    if (type != kEap) ways.push_back(AuthenticationTypeName(type));
  }
  for (const int type : profile.eap_types) {
    if (type == kEapMd5) ways.emplace_back("EAP-MD5");
    if (type == kEapMsChapV2) ways.emplace_back("EAP-MSCHAPv2");
  }
  const bool peap = std::find(profile.eap_types.begin(), profile.eap_types.end(), kPeap) !=
                    profile.eap_types.end();
  const auto& configurations = profile.eap_configurations;
  if (peap && std::any_of(configurations.begin(), configurations.end(), ListsInnerMsChap)) {
    ways.emplace_back("PEAP with EAP-MSCHAPv2 inside");
  }
  return ways;
}

void CheckNpsOidValues(const NpsProfile& profile, FindingList& findings) {
  int asked = 0;
  for (const NpsOidElement& oid : profile.oids) {
    if (oid.kind == NpsOidElement::Kind::kReply) {
      findings.AddError(
          "nps-oid-in-reply",
          absl::StrCat("the OID stands in ", oid.name, ", which is sent back to the gateway"),
          "it restricts nothing", kAskForTheOid, oid.line);
      continue;
    }
    std::string fault = FaultOfOid(oid.value);
    if (fault.empty() && oid.has_blanks_around) fault = "a blank stands before or behind it";
    if (!fault.empty() && IsNearConditionalAccessOid(oid.value)) {
      findings.AddError(
          "nps-certificate-oid-near-miss", absl::StrCat(oid.name, " is `", oid.value, "`: ", fault),
          "no certificate of Hourglass has it: everybody is refused, or nobody is asked",
          kAskForTheOid, oid.line);
    } else if (!fault.empty() && oid.kind == NpsOidElement::Kind::kByName) {
      findings.AddError(
          "nps-certificate-oid-other",
          absl::StrCat(oid.name, " is `", oid.value, "`, which is not conditional access"),
          "certificates are asked for another purpose", kAskForTheOid, oid.line);
    }
    ++asked;
  }
  if (asked > 1) {
    findings.AddWarning("nps-certificate-oid-several",
                        absl::StrCat(asked, " elements hold certificate OIDs"),
                        "whether one or all of them are asked for is not documented",
                        "keep 1.3.6.1.4.1.311.87 alone");
  }
}

void CheckNpsMethods(const NpsProfile& profile, FindingList& findings) {
  const std::vector<std::string> passwords = PasswordWays(profile);
  if (!passwords.empty()) {
    findings.AddError(
        "nps-password-method",
        absl::StrCat("it takes more than certificates: ", absl::StrJoin(passwords, ", ")),
        "a password lets in, without certificate and without conditional access; "
        "Allowed-Certificate-OID does not touch these",
        "in its constraints, leave Microsoft: Smart Card or other certificate as the only method, "
        "inside PEAP or bare, and tick none of the less secure ones");
  }
  const auto takes = [&profile](int type) {
    const auto& types = profile.eap_types;
    return std::find(types.begin(), types.end(), type) != types.end();
  };
  if (!profile.eap_types.empty() && !takes(kEapTls) && !takes(kPeap)) {
    findings.AddError("nps-no-certificate-method",
                      "it takes neither EAP-TLS nor PEAP (msNPAllowedEapType)",
                      "nobody gets in with a certificate (reason 66)",
                      "add Microsoft: Smart Card or other certificate, inside PEAP or bare");
  }
  if (takes(kPeap) && profile.eap_configurations.empty()) {
    findings.AddNote(
        "nps-peap-inner-unknown", "it takes PEAP, and the file does not say with what inside", "",
        "see in the console that Smart Card or other certificate is all that PEAP takes");
  }
  if (profile.ignores_user_dialin == false) {
    findings.AddWarning(
        "nps-user-dial-in", "the dial-in setting of the user's account is heeded",
        "an account that is set to deny is refused (reason 65), and one set to allow may be let in "
        "where the policy denies",
        "tick \"Ignore user account dial-in properties\"");
  }
}

void CheckNpsSession(const NpsProfile& profile, FindingList& findings) {
  if (!profile.session_timeout.has_value()) {
    findings.AddWarning("nps-no-session-timeout", "no limit of the session was found on it",
                        "a tunnel outlives its certificate: who falls out of order stays connected",
                        "set Session-Timeout to 3600 seconds or less in its settings, Standard");
  } else if (*profile.session_timeout > kHour || *profile.session_timeout == 0) {
    findings.AddWarning(
        "nps-long-session-timeout",
        absl::StrCat("its sessions may last ", *profile.session_timeout, " seconds"),
        "a tunnel outlives its certificate, which is good for an hour",
        "set Session-Timeout to 3600 seconds or less");
  }
}

}  // namespace hourglass::doctor
