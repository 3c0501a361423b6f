#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tools/profiles/profile_check.h"
#include "tools/profiles/thumbprint.h"

namespace hourglass::profiles {
namespace {

constexpr absl::string_view kConditionalAccess = "1.3.6.1.4.1.311.87";
constexpr absl::string_view kTlsNamespace =
    "http://www.microsoft.com/provisioning/EapTlsConnectionPropertiesV1";
constexpr absl::string_view kPeapNamespace =
    "http://www.microsoft.com/provisioning/MsPeapConnectionPropertiesV1";

bool Contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

bool IsTrue(absl::string_view value) {
  value = absl::StripAsciiWhitespace(value);
  return value == "true" || value == "1";
}

bool IsFalse(absl::string_view value) { return value == "false" || value == "0"; }

bool IsEnabled(const xml::Element& list) { return IsTrue(list.AttributeOr("Enabled", "")); }

// The method that an EapType is of, by its namespace; empty where that says nothing.
absl::string_view MethodOf(const xml::Element* eap_type) {
  if (eap_type == nullptr) return "";
  if (eap_type->name_space == kTlsNamespace) return kEapTls;
  if (eap_type->name_space == kPeapNamespace) return kPeapType;
  return "";
}

void CheckTypes(const ProfileView& view, Report& report) {
  const xml::Element* method = view.host_config->Find({"EapMethod", "Type"});
  const absl::string_view outer = ChildText(view.outer, "Type");
  if (method != nullptr && !outer.empty() && method->Trimmed() != outer) {
    report.Add(kEapTypesDiffer, *method,
               absl::StrCat("EapMethod says type ", method->Trimmed(), ", Config says ", outer));
  }
  for (const xml::Element* eap : {view.outer, view.inner}) {
    if (eap == nullptr) continue;
    const absl::string_view type = ChildText(eap, "Type");
    const xml::Element* eap_type = eap->Child("EapType");
    const absl::string_view of_namespace = MethodOf(eap_type);
    if (!of_namespace.empty() && !type.empty() && of_namespace != type) {
      report.Add(kEapTypesDiffer, *eap_type,
                 absl::StrCat("Type is ", type, ", and EapType is of ", of_namespace));
    }
    if (type == kEapMschapv2) {
      report.Add(kPasswordMethod, *eap->Child("Type"),
                 eap == view.inner ? "the method inside PEAP is EAP-MSCHAPv2 (26)"
                                   : "the method is EAP-MSCHAPv2 (26)");
    }
  }
  if (outer == kPeapType) report.Add(kPeap, *view.outer->Child("Type"), "the outer method is PEAP");
}

void CheckIssuers(const xml::Element& list, const Surroundings& surroundings, Report& report) {
  if (!IsEnabled(list)) report.Add(kIssuersOff, list, "CAHashList is not enabled");
  std::vector<std::string> listed;
  for (const auto& hash : list.children) {
    const std::optional<std::string> thumbprint = ThumbprintOf(hash->text);
    if (!thumbprint.has_value()) {
      report.Add(kIssuersOfTenant, *hash, absl::StrCat("the thumbprint ", WhatItIs(hash->text)));
      continue;
    }
    listed.push_back(*thumbprint);
    if (!surroundings.tenant_roots.empty() && !Contains(surroundings.tenant_roots, *thumbprint)) {
      report.Add(kIssuersOfTenant, *hash, absl::StrCat(*thumbprint, " is no root of the tenant"));
    }
  }
  for (const std::string& root : surroundings.live_roots) {
    if (!Contains(listed, root)) {
      report.Add(kIssuersOfTenant, list, absl::StrCat("the tenant's root ", root, " is missing"));
    }
  }
}

// OIDs of the purposes that the list names.
std::set<std::string> ListedOids(const xml::Element& filter, const xml::Element& list,
                                 Report& report) {
  std::vector<std::pair<std::string, std::string>> maps;
  for (const xml::Element* map : AllBelow(filter, "EKUMap")) {
    const xml::Element* name = map->Child("EKUName");
    const xml::Element* oid = map->Child("EKUOID");
    if (name != nullptr && oid != nullptr) maps.emplace_back(name->text, oid->text);
  }
  std::set<std::string> oids;
  for (const auto& entry : list.children) {
    const xml::Element* name = entry->Child("EKUName");
    if (name == nullptr) continue;
    const auto map = std::find_if(maps.begin(), maps.end(),
                                  [name](const auto& one) { return one.first == name->text; });
    if (map == maps.end()) {
      report.Add(kFilterNames, *name,
                 absl::StrCat("no EKUMap has the name \"", name->text.substr(0, 100), "\""));
    } else {
      oids.insert(map->second);
    }
  }
  return oids;
}

void CheckPurposes(const xml::Element& filter, Report& report) {
  const xml::Element* list = filter.Child("ClientAuthEKUList");
  if (list == nullptr) {
    report.Add(kFilterMissing, filter, "FilteringInfo has no ClientAuthEKUList");
    return;
  }
  if (!IsEnabled(*list)) report.Add(kFilterOff, *list, "ClientAuthEKUList is not enabled");
  const std::set<std::string> oids = ListedOids(filter, *list, report);
  if (oids.count(std::string(kConditionalAccess)) > 0) return;
  for (const xml::Element* oid : AllBelow(filter, "EKUOID")) {
    const bool is_near =
        absl::StartsWith(oid->Trimmed(), "1.3.6.1.4.1.311.8") || oid->Trimmed().size() < 8;
    if (oid->text == kConditionalAccess || !is_near) continue;
    report.Add(
        kFilterOid, *oid,
        absl::StrCat("the OID is \"", oid->text.substr(0, 100), "\", not ", kConditionalAccess));
    return;
  }
  // Where names do not fit together, that is what is wrong.
  if (report.Has(kFilterNames)) return;
  report.Add(kFilterOid, *list, absl::StrCat("the filter does not ask for ", kConditionalAccess));
}

void CheckFilter(const xml::Element& filter, const Surroundings& surroundings, Report& report) {
  if (const xml::Element* issuers = filter.Child("CAHashList")) {
    CheckIssuers(*issuers, surroundings, report);
  }
  const xml::Element* all_purpose = filter.Child("AllPurposeEnabled");
  if (all_purpose != nullptr && IsTrue(all_purpose->text)) {
    report.Add(kAllPurpose, *all_purpose, "AllPurposeEnabled is true");
  }
  CheckPurposes(filter, report);
}

bool IsBelow(const xml::Element& element, const xml::Element& above) {
  for (const xml::Element* one = &element; one != nullptr; one = one->parent) {
    if (one == &above) return true;
  }
  return false;
}

// Names that are regular expressions are not compared.
void CompareServerNames(const xml::Element& names, const Surroundings& surroundings,
                        Report& report) {
  if (surroundings.server_names.empty()) return;
  for (const absl::string_view name : absl::StrSplit(names.Trimmed(), ';')) {
    if (name.find_first_of("*\\+?[](){}|^$") != absl::string_view::npos) continue;
    if (Contains(surroundings.server_names, std::string(name))) continue;
    report.Add(kServerNamesOfServer, names,
               absl::StrCat("\"", name.substr(0, 100), "\" is not in the server's certificate, ",
                            "which has ", absl::StrJoin(surroundings.server_names, ", ")));
  }
}

void CheckServerNames(const xml::Element& validation, const Surroundings& surroundings,
                      Report& report) {
  const xml::Element* names = validation.Child("ServerNames");
  if (names == nullptr || names->Trimmed().empty()) {
    report.Add(kServerNamesMissing, names == nullptr ? validation : *names, "ServerNames is empty");
    return;
  }
  const absl::string_view text = names->Trimmed();
  if (text.find_first_of(", \t") != absl::string_view::npos) {
    report.Add(kServerNamesForm, *names,
               absl::StrCat("ServerNames is \"", text.substr(0, 100), "\""));
  }
  CompareServerNames(*names, surroundings, report);
  // Names may be regular expressions, in which the case of letters behind `\` has a meaning.
  const bool has_capital = std::any_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isupper(static_cast<unsigned char>(c));
  });
  if (has_capital && !absl::StrContains(text, '\\')) {
    report.Add(kServerNamesCase, *names,
               absl::StrCat("ServerNames has capital letters: \"", text.substr(0, 100), "\""));
  }
}

void CheckTrustedRoot(const xml::Element& root, const std::vector<std::string>& issuers,
                      const Surroundings& surroundings, Report& report) {
  const std::optional<std::string> thumbprint = ThumbprintOf(root.text);
  if (!thumbprint.has_value()) {
    report.Add(kTrustedRootForm, root, absl::StrCat("the thumbprint ", WhatItIs(root.text)));
    return;
  }
  if (Contains(surroundings.tenant_roots, *thumbprint)) {
    report.Add(kTrustedRootIsTenantRoot, root, "it is one of the tenant's roots");
  } else if (Contains(issuers, *thumbprint)) {
    report.Add(kTrustedRootIsTenantRoot, root,
               "it is a root of client certificates, listed in CAHashList, too");
  } else if (Contains(surroundings.server_others, *thumbprint)) {
    report.Add(kTrustedRootOfServer, root, "it is no root, but further down the server's chain");
  } else if (!surroundings.server_roots.empty() &&
             !Contains(surroundings.server_roots, *thumbprint)) {
    report.Add(kTrustedRootOfServer, root, "it is not in the server's chain");
  }
}

void CheckValidation(const xml::Element& validation, const std::vector<std::string>& issuers,
                     const Surroundings& surroundings, Report& report) {
  const xml::Element* prompt = validation.Child("DisableUserPromptForServerValidation");
  if (prompt != nullptr && IsFalse(prompt->Trimmed())) {
    report.Add(kServerPrompt, *prompt, "users are prompted");
  }
  CheckServerNames(validation, surroundings, report);
  bool has_root = false;
  for (const auto& child : validation.children) {
    if (child->name != "TrustedRootCA") continue;
    has_root = true;
    CheckTrustedRoot(*child, issuers, surroundings, report);
  }
  if (!has_root) report.Add(kTrustedRootMissing, validation, "there is no TrustedRootCA");
}

}  // namespace

void CheckEap(const ProfileView& view, const Surroundings& surroundings, Report& report) {
  if (view.host_config == nullptr) return;
  CheckTypes(view, report);
  CheckCertificateFilter(view, surroundings, report);
  CheckServerValidation(view, surroundings, report);
}

void CheckCertificateFilter(const ProfileView& view, const Surroundings& surroundings,
                            Report& report) {
  bool is_there = false;
  for (const xml::Element* filter : AllBelow(*view.host_config, "FilteringInfo")) {
    is_there = true;
    if (view.tls == nullptr || !IsBelow(*filter, *view.tls)) {
      report.Add(kFilterMisplaced, *filter, "FilteringInfo is not of EAP-TLS");
      continue;
    }
    CheckFilter(*filter, surroundings, report);
  }
  if (view.tls == nullptr) return;
  if (!is_there) report.Add(kFilterMissing, *view.tls, "there is no FilteringInfo");
  const xml::Element* selection =
      view.tls->Find({"CredentialsSource", "CertificateStore", "SimpleCertSelection"});
  if (selection != nullptr && IsFalse(selection->Trimmed())) {
    report.Add(kSimpleSelectionOff, *selection, "SimpleCertSelection is false");
  }
}

void CheckServerValidation(const ProfileView& view, const Surroundings& surroundings,
                           Report& report) {
  std::vector<std::string> issuers;
  for (const xml::Element* hash : AllBelow(*view.host_config, "IssuerHash")) {
    if (auto thumbprint = ThumbprintOf(hash->text)) issuers.push_back(*std::move(thumbprint));
  }
  for (const xml::Element* perform : AllBelow(*view.host_config, "PerformServerValidation")) {
    if (IsFalse(perform->Trimmed())) {
      report.Add(kServerNotChecked, *perform, "PerformServerValidation is false");
    }
  }
  for (const xml::Element* validation : AllBelow(*view.host_config, "ServerValidation")) {
    CheckValidation(*validation, issuers, surroundings, report);
  }
}

}  // namespace hourglass::profiles
