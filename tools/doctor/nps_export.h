// What `netsh nps export` and `Export-NpsConfiguration` write of a Network Policy Server, as far as
// it decides who gets in. Read from Microsoft's documentation and from public exports.
#ifndef HOURGLASS_TOOLS_DOCTOR_NPS_EXPORT_H_
#define HOURGLASS_TOOLS_DOCTOR_NPS_EXPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::doctor {

// An element of a profile that could be Allowed-Certificate-OID, or where somebody put the OID
// instead.
struct NpsOidElement {
  enum class Kind {
    kByName,   // its name speaks of certificates and OIDs or EKUs
    kByValue,  // its name is none that is known, and its value is an OID
    kReply,    // an attribute of the reply: restricts nothing
  };
  Kind kind = Kind::kByName;
  std::string name;
  std::string value;  // trimmed
  bool has_blanks_around = false;
  int line = 0;
};

// Settings of a policy: an element of RadiusProfiles or Proxy_Profiles.
struct NpsProfile {
  std::string name;
  std::string element;
  int line = 0;
  std::optional<bool> grants;                   // msNPAllowDialin
  std::optional<bool> ignores_user_dialin;      // msIgnoreUserDialinProperties
  std::vector<int> authentication_types;        // msNPAuthenticationType2
  std::vector<int> eap_types;                   // first octets of msNPAllowedEapType
  std::vector<std::string> eap_configurations;  // msEAPConfiguration, small hexadecimal digits
  std::vector<NpsOidElement> oids;
  std::optional<long long> session_timeout;  // of whatever element is called so, seconds
  // Of Proxy_Profiles.
  std::optional<long long> provider;      // msAuthProviderType
  bool overrides_authentication = false;  // msOverrideRAPAuth
};

// An element of NetworkPolicy or Proxy_Policies.
struct NpsPolicy {
  std::string name;
  std::string element;
  int line = 0;
  bool enabled = true;  // also where nothing is said: old exports have no Policy_Enabled
  // msNPSequence, by which policies are tried; empty: none, or no number.
  std::optional<long long> sequence;
  long long source_tag = 0;             // Policy_SourceTag
  std::vector<std::string> conditions;  // msNPConstraint; all must hold
  // The profile of this name; empty where none or more than one could be meant.
  std::optional<NpsProfile> profile;
};

// A RADIUS client, or a member of a remote RADIUS server group. The secret itself is not kept.
struct NpsPeer {
  std::string name;
  std::string address;
  int line = 0;
  bool is_client = true;
  bool enabled = true;
  bool has_secret = true;        // or a template that may have it
  bool secret_is_short = false;  // fewer than 16 octets
  std::optional<bool> requires_signature;
};

struct NpsExport {
  std::vector<NpsPolicy> connection_request_policies;  // in the order in which they are tried
  std::vector<NpsPolicy> network_policies;             // the same
  std::vector<NpsPeer> peers;
  // Where text stands between elements, as a browser's tree view puts it there; 0: nowhere.
  int stray_text_line = 0;
};

// Reads an export (xml::ReadFile says in which encodings). Errors: those of xml::ReadFile;
// FIELD_INVALID without a field where it is XML but no export of NPS.
absl::StatusOr<NpsExport> ReadNpsExport(absl::string_view octets);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_NPS_EXPORT_H_
