// The section `access` of a tenant: what conditional access takes for granted there.
#ifndef HOURGLASS_ISSUANCE_CONFIG_ACCESS_CONFIG_H_
#define HOURGLASS_ISSUANCE_CONFIG_ACCESS_CONFIG_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "issuance/access/compliance/compliance.h"
#include "issuance/access/evaluation.h"
#include "issuance/yaml/mapping.h"

namespace hourglass::issuance {

struct AccessConfig {
  access::AccessOptions options;
  access::ComplianceOptions compliance;
  // Where a refused user is sent. An https URL; empty: nowhere.
  std::string remediation_url;
  // The same for single controls and settings, by their names in small letters.
  std::map<std::string, std::string> remediation_urls;
};

// Where who lacks this control or setting, of whatever case, is sent; empty: nowhere.
std::string RemediationUrl(const AccessConfig& config, absl::string_view setting);

// What `fields` says, the section of one tenant; the defaults where it is absent. A mistake of the
// document is a field that is malformed or out of range, and a list that has something twice. Safe
// to call from several threads, each with a document of its own.
AccessConfig ReadAccess(yaml::Mapping fields);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_ACCESS_CONFIG_H_
