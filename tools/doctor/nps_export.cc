#include "tools/doctor/nps_export.h"

#include <algorithm>
#include <limits>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/doctor/object_identifier.h"
#include "tools/xml/xml_tree.h"

namespace hourglass::doctor {
namespace {

constexpr std::size_t kShortSecret = 16;  // RFC 2865 section 3

std::optional<long long> NumberOf(absl::string_view text) {
  long long number = 0;
  if (!absl::SimpleAtoi(text, &number)) return std::nullopt;
  return number;
}

std::optional<bool> BooleanOf(absl::string_view text) {
  if (text == "1" || absl::EqualsIgnoreCase(text, "true")) return true;
  if (text == "0" || absl::EqualsIgnoreCase(text, "false")) return false;
  return std::nullopt;
}

// The name that Windows shows; the element's is made from it and may be another policy's, too.
std::string NameOf(const xml::Element& element) {
  const absl::string_view name = element.AttributeOr("name", "");
  return name.empty() ? element.name : std::string(name);
}

// The first octet of a bin.hex value; -1 where it has none.
int FirstOctet(absl::string_view hex) {
  int octet = 0;
  if (hex.size() < 2 || !absl::SimpleHexAtoi(hex.substr(0, 2), &octet)) return -1;
  return octet;
}

// Elements of a profile that are known to be something else than Allowed-Certificate-OID.
bool IsKnownText(absl::string_view name) {
  static constexpr absl::string_view kKnown[] = {"IP_Filter_Template_Guid", "Opaque_Data",
                                                 "Template_Guid", "msNPAction", "Description"};
  return std::find(std::begin(kKnown), std::end(kKnown), name) != std::end(kKnown);
}

bool IsReplyAttribute(absl::string_view name) {
  return absl::StartsWithIgnoreCase(name, "msRADIUS") ||
         absl::StartsWithIgnoreCase(name, "msCisco");
}

bool SpeaksOfCertificateOids(absl::string_view name) {
  const std::string lower = absl::AsciiStrToLower(name);
  const std::size_t at = lower.find("cert");
  if (at == std::string::npos) return false;
  return lower.find("oid", at) != std::string::npos || lower.find("eku", at) != std::string::npos;
}

// The element has no name that is public: it is known by what it is like.
void NoteOid(const xml::Element& element, NpsProfile& profile) {
  NpsOidElement oid;
  oid.name = element.name;
  oid.value = std::string(element.Trimmed());
  // Line breaks come from whoever laid the file out; a blank was typed.
  oid.has_blanks_around = oid.value != element.text && !absl::StrContains(element.text, "\n");
  oid.line = element.line;
  if (IsReplyAttribute(element.name)) {
    if (!IsNearConditionalAccessOid(oid.value)) return;
    oid.kind = NpsOidElement::Kind::kReply;
  } else if (SpeaksOfCertificateOids(element.name)) {
    oid.kind = NpsOidElement::Kind::kByName;
  } else if (!IsKnownText(element.name) && element.AttributeOr("dt", "") == "string" &&
             (IsDottedOid(oid.value) || IsNearConditionalAccessOid(oid.value))) {
    oid.kind = NpsOidElement::Kind::kByValue;
  } else {
    return;
  }
  profile.oids.push_back(std::move(oid));
}

void ReadSetting(const xml::Element& element, NpsProfile& profile) {
  const absl::string_view text = element.Trimmed();
  const std::string& name = element.name;
  if (name == "msNPAllowDialin") {
    profile.grants = BooleanOf(text);
  } else if (name == "msIgnoreUserDialinProperties") {
    profile.ignores_user_dialin = BooleanOf(text);
  } else if (name == "msNPAuthenticationType2") {
    profile.authentication_types.push_back(static_cast<int>(NumberOf(text).value_or(-1)));
  } else if (name == "msNPAllowedEapType") {
    profile.eap_types.push_back(FirstOctet(text));
  } else if (name == "msEAPConfiguration") {
    profile.eap_configurations.push_back(absl::AsciiStrToLower(text));
  } else if (name == "msAuthProviderType") {
    profile.provider = NumberOf(text);
  } else if (name == "msOverrideRAPAuth") {
    profile.overrides_authentication = BooleanOf(text).value_or(false);
  } else if (absl::EndsWithIgnoreCase(name, "SessionTimeout")) {
    profile.session_timeout = NumberOf(text);
  } else {
    NoteOid(element, profile);
  }
}

NpsProfile ReadProfile(const xml::Element& element) {
  NpsProfile profile;
  profile.name = NameOf(element);
  profile.element = element.name;
  profile.line = element.line;
  if (const xml::Element* properties = element.Child("Properties"); properties != nullptr) {
    for (const auto& child : properties->children) ReadSetting(*child, profile);
  }
  return profile;
}

NpsPolicy ReadPolicy(const xml::Element& element) {
  NpsPolicy policy;
  policy.name = NameOf(element);
  policy.element = element.name;
  policy.line = element.line;
  const xml::Element* properties = element.Child("Properties");
  if (properties == nullptr) return policy;
  for (const auto& child : properties->children) {
    const absl::string_view text = child->Trimmed();
    if (child->name == "Policy_Enabled") policy.enabled = BooleanOf(text).value_or(true);
    if (child->name == "Policy_SourceTag") policy.source_tag = NumberOf(text).value_or(0);
    if (child->name == "msNPSequence") policy.sequence = NumberOf(text);
    if (child->name == "msNPConstraint") policy.conditions.emplace_back(text);
  }
  return policy;
}

// By the name first, by the element's name where that is of one only. msNPAction is what the policy
// was once called.
std::optional<NpsProfile> ProfileOf(const NpsPolicy& policy,
                                    const std::vector<NpsProfile>& profiles) {
  for (const auto& same :
       {+[](const NpsPolicy&a, const NpsProfile&b) { return a.name == b.name; },
        +[](const NpsPolicy&a, const NpsProfile&b) { return a.element == b.element; }}) {
    const NpsProfile* found = nullptr;
    int count = 0;
    for (const NpsProfile& profile : profiles) {
      if (!same(policy, profile)) continue;
      found = &profile;
      ++count;
    }
    if (count == 1) return *found;
    if (count > 1) return std::nullopt;
  }
  return std::nullopt;
}

std::vector<NpsPolicy> ReadPolicies(const xml::Element& service, absl::string_view policies_name,
                                    absl::string_view profiles_name) {
  std::vector<NpsProfile> profiles;
  if (const xml::Element* all = service.Find({"Children", profiles_name, "Children"})) {
    for (const auto& element : all->children) profiles.push_back(ReadProfile(*element));
  }
  std::vector<NpsPolicy> policies;
  if (const xml::Element* all = service.Find({"Children", policies_name, "Children"})) {
    for (const auto& element : all->children) {
      policies.push_back(ReadPolicy(*element));
      policies.back().profile = ProfileOf(policies.back(), profiles);
    }
  }
  std::stable_sort(policies.begin(), policies.end(), [](const NpsPolicy& a, const NpsPolicy& b) {
    const long long last = std::numeric_limits<long long>::max();
    return a.sequence.value_or(last) < b.sequence.value_or(last);
  });
  return policies;
}

bool NamesTemplate(const xml::Element& properties) {
  for (const char* name : {"Client_Secret_Template_Guid", "Secret_Template_Guid"}) {
    const xml::Element* guid = properties.Child(name);
    if (guid == nullptr) continue;
    // An empty guid is written as none, or as zeros.
    if (guid->Trimmed().find_first_not_of("{}-0") != absl::string_view::npos) return true;
  }
  return false;
}

NpsPeer ReadPeer(const xml::Element& element, bool is_client) {
  NpsPeer peer;
  peer.name = NameOf(element);
  peer.line = element.line;
  peer.is_client = is_client;
  const xml::Element* properties = element.Child("Properties");
  if (properties == nullptr) return peer;
  const xml::Element* secret = nullptr;
  for (const auto& child : properties->children) {
    const absl::string_view text = child->Trimmed();
    if (child->name == "IP_Address" || child->name == "Address") peer.address = std::string(text);
    if (child->name == "Radius_Client_Enabled") peer.enabled = BooleanOf(text).value_or(true);
    if (child->name == "Require_Signature") peer.requires_signature = BooleanOf(text);
    if (child->name == "Shared_Secret" || child->name == "Authentication_Secret")
      secret = child.get();
  }
  const std::size_t length = secret == nullptr ? 0 : secret->text.size();
  const bool from_template = NamesTemplate(*properties);
  peer.has_secret = length > 0 || from_template;
  peer.secret_is_short = length > 0 && length < kShortSecret && !from_template;
  return peer;
}

bool HasSecret(const xml::Element& element) {
  const xml::Element* properties = element.Child("Properties");
  return properties != nullptr && (properties->Child("Authentication_Secret") != nullptr ||
                                   properties->Child("Shared_Secret") != nullptr);
}

// Members of groups, however deep they stand.
void ReadMembers(const xml::Element& element, std::vector<NpsPeer>& peers) {
  if (HasSecret(element)) peers.push_back(ReadPeer(element, false));
  for (const auto& child : element.children) ReadMembers(*child, peers);
}

int StrayTextLine(const xml::Element& element) {
  if (!element.children.empty() && !element.Trimmed().empty()) return element.line;
  for (const auto& child : element.children) {
    if (const int line = StrayTextLine(*child); line > 0) return line;
  }
  return 0;
}

}  // namespace

absl::StatusOr<NpsExport> ReadNpsExport(absl::string_view octets) {
  ASSIGN_OR_RETURN(const std::unique_ptr<xml::Element> root, xml::ReadFile(octets));
  const xml::Element* service =
      root->Find({"Children", "Microsoft_Internet_Authentication_Service"});
  if (root->name != "Root" || service == nullptr) {
    return Error(ErrorReason::kFieldInvalid, "",
                 absl::StrCat("it is no export of NPS: its element is `", root->name,
                              "`, and Root/Children/Microsoft_Internet_Authentication_Service is "
                              "wanted"));
  }
  NpsExport nps;
  nps.connection_request_policies = ReadPolicies(*service, "Proxy_Policies", "Proxy_Profiles");
  nps.network_policies = ReadPolicies(*service, "NetworkPolicy", "RadiusProfiles");
  if (const xml::Element* clients =
          service->Find({"Children", "Protocols", "Children", "Microsoft_Radius_Protocol",
                         "Children", "Clients", "Children"})) {
    for (const auto& client : clients->children) nps.peers.push_back(ReadPeer(*client, true));
  }
  if (const xml::Element* groups = service->Find({"Children", "RADIUS_Server_Groups"})) {
    ReadMembers(*groups, nps.peers);
  }
  nps.stray_text_line = StrayTextLine(*service);
  return nps;
}

}  // namespace hourglass::doctor
