// The section `store`: which database keeps what the service knows.
#ifndef HOURGLASS_ISSUANCE_CONFIG_STORE_CONFIG_H_
#define HOURGLASS_ISSUANCE_CONFIG_STORE_CONFIG_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "issuance/base/clock.h"
#include "issuance/base/host_port.h"
#include "issuance/config/keys_config.h"
#include "issuance/yaml/mapping.h"

namespace hourglass::issuance {

// A cluster of PostgreSQL, for several machines.
struct PostgresqlConfig {
  // Not empty. A host that begins with `/` is the folder of a socket. Ports 1 to 65535.
  std::vector<HostPort> servers;
  std::string database;  // 1 to 63 octets, as `user`
  std::string user;
  std::string password_file;  // empty: the server asks for none
  // Without TLS; every server is then a socket or of this machine.
  bool plain = false;
  // PEM files. `ca_file` is there unless `plain`; the other two are both there or both empty.
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
  // What this process is called among the replicas: 1 to 40 of a-z, 0-9 and inner hyphens.
  std::string replica;
  // Why no synchronous standby is demanded; empty: one is. 10 to 256 octets.
  std::string waiver_reason;
  std::optional<std::string> system_identifier;                           // decimal, 1 to 2^64 - 1
  std::chrono::milliseconds operation_timeout = std::chrono::seconds(5);  // 500 ms to 60 s
  int connections = 4;                                                    // that issue, 1 to 64
  // From the database's clock, and from other replicas'. 1 s to 1 min.
  std::chrono::seconds largest_clock_difference = std::chrono::seconds(30);

  bool demands_standby() const { return waiver_reason.empty(); }
};

// Without `postgresql`, SQLite in the data directory.
struct StoreConfig {
  std::optional<PostgresqlConfig> postgresql;
};

// Reads the section. With `checks`, also whether the files it names can be read, nobody else may
// change them (issuance/base/file_trust.h), and they are what they should be: one line that is a
// password, certificates, a key that fits; with kAll also that the certificates are valid at `now`.
// Mistakes are the document's. Safe to call from several threads, each with a document of its own.
StoreConfig ReadStore(yaml::Mapping fields, FileChecks checks, Timestamp now);

// The password in a file: its one line, without its end. Errors: CONFIGURATION_INVALID with field
// `store.postgresql.password_file`: MistakeInSecretFile (tls_files.h), or it holds no such line.
absl::StatusOr<std::string> ReadPasswordFile(const std::string& path);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_STORE_CONFIG_H_
