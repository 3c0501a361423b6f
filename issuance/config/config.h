// The service's configuration file.
#ifndef HOURGLASS_ISSUANCE_CONFIG_CONFIG_H_
#define HOURGLASS_ISSUANCE_CONFIG_CONFIG_H_

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/store/key_store.h"
#include "issuance/base/clock.h"
#include "issuance/config/access_config.h"
#include "issuance/config/compliance_config.h"
#include "issuance/config/identity_config.h"
#include "issuance/config/issuing_config.h"
#include "issuance/config/keys_config.h"
#include "issuance/config/request_limits_config.h"
#include "issuance/config/store_config.h"
#include "issuance/config/tls_files.h"
#include "issuance/identity/caller.h"

namespace hourglass::issuance {

struct LimitsConfig {
  int workers = 32;  // requests under way at once, 1 to 1024
  int queue_length =
      1024;  // requests that wait for a worker, 1 to 100000; more are refused with OVERLOADED
  int loaded_tenants = 20'000;  // kept ready to issue at most, 100 to 1000000
  // Open at once at most, in all and of one IPv4 address or one /64 of IPv6: 16 to 100000.
  int connections = 4096;
  int connections_per_source = 1024;
  RequestLimitsConfig requests;
};

struct JournalConfig {
  // How long records are kept, 1 to 36500 days: longer than any certificate lives. Without it, for
  // ever.
  std::optional<std::chrono::seconds> retention;
  // How long refusals and events of decisions are kept, 2 to 3650 days: longer than any certificate
  // lives.
  std::chrono::seconds decisions = std::chrono::hours(24 * 30);
};

// Whose configuration it is.
enum class Program {
  kHourglassd,
  // hourglass-compliance: decides, and issues nothing. Its file has no `keys`, `issuing` and
  // `metrics`, of a tenant `access` alone, and its `compliance` is `embedded`.
  kCompliance,
};

struct Config {
  Program program = Program::kHourglassd;
  std::string
      program_version;       // of the program that read it, which sets this; no field of the file
  std::string account;       // that the service takes where root starts it; empty: none
  std::string listen;        // `host:port`; port 0 takes a free one
  std::string address_file;  // where the address listened on is written once the service is ready;
                             // may be empty
  std::string data_directory;
  TlsFiles tls;
  std::vector<std::string> revocation_lists;  // files, see RevocationLists
  std::vector<Caller> callers;
  hsm::KeyStoreOptions keys;
  IssuingConfig issuing;
  std::map<std::string, IssuingConfig> tenants;
  std::map<std::string, AccessConfig> access;      // of the same tenants
  std::map<std::string, IdentityConfig> identity;  // of the same tenants
  ComplianceConfig compliance;
  LimitsConfig limits;
  JournalConfig journal;
  StoreConfig store;
  std::string metrics_listen;      // `host:port` of the metrics; empty: none
  std::string log_level = "info";  // debug, info, warning, error
  bool log_personal_data = true;   // whether the log names users and devices
};

// Parses YAML. Paths that are not absolute are taken from the folder of `file_name`. Errors:
// CONFIGURATION_INVALID with a message that names every mistake, one a line, as `FILE:LINE: FIELD:
// what is wrong`: unreadable YAML, unknown, duplicate, missing or malformed fields. Opens no other
// file. Safe to call from several threads.
absl::StatusOr<Config> ParseConfig(absl::string_view yaml, absl::string_view file_name,
                                   Program program = Program::kHourglassd);

// Reads and parses the file, and checks that the files it names can be read, that nobody but root
// and this process's user may change them (file_trust.h), and that they are what they should be:
// certificates that do, a private key that fits, folders, PINs, programs, modules that are there;
// with kAll also that certificates are valid at `now`, and that no module is missing. Each mistake
// as above.
absl::StatusOr<Config> LoadConfig(absl::string_view file_name, FileChecks checks, Timestamp now,
                                  Program program = Program::kHourglassd);

// The same with kStart, for which it does not matter when it is.
absl::StatusOr<Config> LoadConfig(absl::string_view file_name);

// Where keys.account is given, LoadConfig leaves alone what key holders use: PINs, modules, folders
// of tokens. This looks at them, as LoadConfig would, and is to be called as that account, which
// need not be able to read the configuration: `yaml` is its text.
absl::Status CheckKeyholderFiles(absl::string_view yaml, absl::string_view file_name,
                                 FileChecks checks);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_CONFIG_H_
