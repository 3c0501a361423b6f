// The section `compliance`: where verdicts come from.
#ifndef HOURGLASS_ISSUANCE_CONFIG_COMPLIANCE_CONFIG_H_
#define HOURGLASS_ISSUANCE_CONFIG_COMPLIANCE_CONFIG_H_

#include <chrono>
#include <string>

#include "issuance/base/clock.h"
#include "issuance/config/keys_config.h"
#include "issuance/config/tls_files.h"
#include "issuance/yaml/mapping.h"

namespace hourglass::issuance {

// When a compliance service elsewhere is not asked about a tenant for a while.
struct CircuitConfig {
  int failures = 5;                                              // in a row, 1 to 10000
  std::chrono::milliseconds open_for = std::chrono::seconds(2);  // 100 ms to 5 minutes
};

struct ComplianceConfig {
  // Exactly one of the two is set: the folder of policy files of the embedded engine, or
  // `host:port` of another service.
  std::string policy_directory;
  std::string endpoint;  // port 1 to 65535
  // With endpoint: mutual TLS to it; the name that its certificate must carry (default: the host).
  TlsFiles tls;
  std::string server_name;
  CircuitConfig circuit;
  std::chrono::milliseconds deadline = std::chrono::seconds(2);  // 10 ms to 60 s
};

// What `fields` says. Looks at files as `checks` says, and at certificates as of `now`. A mistake
// of the document is a field that is missing, malformed or does nothing, or a file that is not what
// it should be. Safe to call from several threads, each with a document of its own.
ComplianceConfig ReadCompliance(yaml::Mapping fields, FileChecks checks, Timestamp now);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_COMPLIANCE_CONFIG_H_
