#include "issuance/config/compliance_config.h"

#include <filesystem>
#include <optional>
#include <system_error>

#include "issuance/base/file_trust.h"
#include "issuance/base/host_port.h"

namespace hourglass::issuance {
namespace {

using yaml::Mapping;

// Their content is looked at elsewhere: a file with a mistake denies, but one that others may write
// grants what they like.
void CheckPolicies(const std::string& folder, Mapping embedded) {
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    if (file.path().extension() != ".yaml") continue;
    const std::string mistake = MistakeInTrust(file.path().string());
    if (!mistake.empty()) embedded.Mistake("policy_directory", mistake);
  }
}

std::string ReadPolicyDirectory(Mapping embedded, FileChecks checks) {
  if (!embedded.present()) return "";
  std::string folder = embedded.RequiredPath("policy_directory");
  if (checks == FileChecks::kNone || folder.empty()) return folder;
  CheckFolder(folder, embedded, "policy_directory");
  CheckPolicies(folder, embedded);
  return folder;
}

// Of who asks a service elsewhere; `remote`: whether the section is his.
void ReadEndpoint(Mapping fields, bool remote, FileChecks checks, Timestamp now,
                  ComplianceConfig* config) {
  config->endpoint = fields.String("endpoint").value_or("");
  config->server_name = fields.String("server_name").value_or("");
  Mapping tls = remote ? fields.Required("tls") : fields.Optional("tls");
  config->tls = ReadTlsFiles(tls);
  if (checks != FileChecks::kNone) {
    // Who starts it again may not be able to renew, and its clock may be set right later.
    const auto valid_at = checks == FileChecks::kAll ? std::optional(now) : std::nullopt;
    CheckTlsFiles(config->tls, TlsSide::kClient, valid_at, tls);
  }
  Mapping circuit = fields.Optional("circuit");
  config->circuit.failures =
      circuit.Integer("failures", 1, 10'000).value_or(config->circuit.failures);
  config->circuit.open_for =
      circuit.Duration("open_for", std::chrono::milliseconds(100), std::chrono::minutes(5))
          .value_or(config->circuit.open_for);
}

}  // namespace

ComplianceConfig ReadCompliance(Mapping fields, FileChecks checks, Timestamp now) {
  ComplianceConfig config;
  config.deadline =
      fields.Duration("deadline", std::chrono::milliseconds(10), std::chrono::seconds(60))
          .value_or(config.deadline);
  config.policy_directory = ReadPolicyDirectory(fields.Optional("embedded"), checks);
  const bool remote = fields.Has("endpoint");
  if (remote == fields.Has("embedded")) {
    fields.Mistake("", "must have either embedded or endpoint");
  }
  ReadEndpoint(fields, remote, checks, now, &config);
  if (!remote) {
    for (const char* name : {"tls", "server_name", "circuit"}) {
      if (fields.Has(name)) fields.Mistake(name, "belongs to endpoint, which is not given");
    }
    return config;
  }
  const auto address = ParseHostPort(config.endpoint);
  if (!config.endpoint.empty() && (!address.has_value() || address->port == 0)) {
    fields.Mistake("endpoint", "must be host:port, port 1 to 65535");
  }
  if (config.server_name.empty()) config.server_name = address.value_or(HostPort()).host;
  return config;
}

}  // namespace hourglass::issuance
