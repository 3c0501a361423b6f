#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/profiles/profile_check.h"
#include "tools/profiles/thumbprint.h"

namespace hourglass::profiles {
namespace {

constexpr absl::string_view kConditionalAccess = "1.3.6.1.4.1.311.87";

void CheckSso(const xml::Element& sso, const Surroundings& surroundings, Report& report) {
  if (ChildText(&sso, "Enabled") != "true") return;
  const absl::string_view purposes = ChildText(&sso, "Eku");
  if (purposes.empty()) report.Add(kSsoIncomplete, sso, "Sso has no Eku");
  for (const absl::string_view purpose : absl::StrSplit(purposes, ',')) {
    if (purpose != kConditionalAccess) continue;
    report.Add(kSsoIncomplete, *sso.Child("Eku"),
               absl::StrCat(purpose, " is of the tunnel's certificate, not of one for Kerberos"));
  }
  const xml::Element* issuer = sso.Child("IssuerHash");
  if (issuer == nullptr || issuer->Trimmed().empty()) {
    report.Add(kSsoIncomplete, sso, "Sso has no IssuerHash");
    return;
  }
  const std::vector<std::string> thumbprints = ThumbprintsOf(issuer->text);
  if (thumbprints.empty()) {
    report.Add(kSsoIssuerForm, *issuer, absl::StrCat("the thumbprint ", WhatItIs(issuer->text)));
  }
  const auto& roots = surroundings.tenant_roots;
  for (const std::string& thumbprint : thumbprints) {
    if (std::find(roots.begin(), roots.end(), thumbprint) == roots.end()) continue;
    report.Add(kSsoIssuerIsTenantRoot, *issuer, "it is one of the tenant's roots");
  }
}

}  // namespace

void CheckCompliance(const ProfileView& view, const Surroundings& surroundings, Report& report) {
  if (view.profile == nullptr) return;
  const xml::Element* compliance = view.profile->Child("DeviceCompliance");
  if (view.IsDeviceTunnel()) {
    if (compliance != nullptr) {
      report.Add(kComplianceInDeviceTunnel, *compliance,
                 "DeviceCompliance stands in a device tunnel");
    }
    return;
  }
  if (view.native != nullptr && !view.HasDeviceCompliance()) {
    report.Add(
        kComplianceMissing, compliance == nullptr ? *view.profile : *compliance,
        compliance == nullptr ? "there is no DeviceCompliance" : "DeviceCompliance is not enabled");
  }
  if (view.HasDeviceCompliance()) {
    const xml::Element* sso = compliance->Child("Sso");
    if (sso == nullptr || ChildText(sso, "Enabled") == "false") {
      report.Add(kSsoMissing, *compliance, "DeviceCompliance has no Sso that is enabled");
    } else {
      CheckSso(*sso, surroundings, report);
    }
    if (view.Of("UseRasCredentials") == "true") {
      report.Add(kRasCredentials, *view.profile->Child("UseRasCredentials"),
                 "UseRasCredentials is true");
    }
  }
  if (view.tls != nullptr && view.Of("RememberCredentials") == "true") {
    report.Add(kRememberedCredentials, *view.profile->Child("RememberCredentials"),
               "RememberCredentials is true, and users have certificates");
  }
}

}  // namespace hourglass::profiles
