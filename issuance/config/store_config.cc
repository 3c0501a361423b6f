#include "issuance/config/store_config.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "issuance/base/tenant_id.h"
#include "issuance/config/tls_files.h"

namespace hourglass::issuance {
namespace {

using yaml::Mapping;

constexpr int kDefaultPort = 5432;
constexpr std::size_t kMaxReplicaName = 40;  // application_name has 63, and says more
constexpr std::size_t kMaxIdentifier = 63;   // of PostgreSQL, NAMEDATALEN - 1
constexpr std::size_t kMaxPassword = 1000;
constexpr std::size_t kMinReason = 10;
constexpr std::size_t kMaxReason = 256;
constexpr absl::string_view kStandby[] = {"required", "waived"};
constexpr char kServers[] = "servers";
// What a clock may stand before the newest record (kStepTolerance, issuance/timekeeping/
// time_rules.h): a replica that starts finds records that others dated.
constexpr std::chrono::minutes kMaxClockDifference(1);

bool IsSocket(const HostPort& server) { return absl::StartsWith(server.host, "/"); }

bool IsOfThisMachine(const HostPort& server) {
  return IsSocket(server) || server.host == "localhost" || server.host == "::1" ||
         (absl::StartsWith(server.host, "127.") &&
          std::all_of(server.host.begin(), server.host.end(),
                      [](unsigned char c) { return absl::ascii_isdigit(c) || c == '.'; }));
}

// `HOST:PORT`, `/FOLDER` or `/FOLDER:PORT`.
std::optional<HostPort> ParseServer(absl::string_view text) {
  if (!absl::StartsWith(text, "/")) {
    std::optional<HostPort> server = ParseHostPort(text);
    return server.has_value() && server->port > 0 ? server : std::nullopt;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return HostPort{std::string(text), kDefaultPort};
  const std::optional<HostPort> port = ParseHostPort(absl::StrCat("s", text.substr(colon)));
  if (!port.has_value() || port->port == 0) return std::nullopt;
  return HostPort{std::string(text.substr(0, colon)), port->port};
}

std::vector<HostPort> ReadServers(Mapping fields) {
  std::vector<HostPort> servers;
  const std::vector<std::string> listed = fields.Strings(kServers);
  if (!fields.Has(kServers)) fields.Mistake(kServers, "is missing");
  std::set<std::string> seen;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    std::optional<HostPort> server = ParseServer(listed[i]);
    if (!server.has_value()) {
      fields.ItemMistake(kServers, i,
                         "must be host:port, port 1 to 65535, or the folder of a socket, which "
                         "begins with /");
    } else if (!seen.insert(absl::StrCat(server->host, " ", server->port)).second) {
      fields.ItemMistake(kServers, i, "is listed twice");
    } else {
      servers.push_back(*std::move(server));
    }
  }
  return servers;
}

std::string ReadIdentifier(Mapping fields, const char* name) {
  std::string identifier = fields.RequiredString(name);
  if (identifier.size() > kMaxIdentifier) {
    fields.Mistake(name, absl::StrCat("must be at most ", kMaxIdentifier, " octets"));
  }
  return identifier;
}

std::string ReadReplica(Mapping fields) {
  std::string replica = fields.RequiredString("replica");
  if (!replica.empty() && (!IsTenantId(replica) || replica.size() > kMaxReplicaName)) {
    fields.Mistake("replica", absl::StrCat("must be 1 to ", kMaxReplicaName,
                                           " characters a-z, 0-9 and inner hyphens"));
  }
  return replica;
}

// Without it what was released is lost with the server, so that whoever wants it so has to say why.
std::string ReadWaiver(Mapping fields) {
  const bool waived = fields.Choice("synchronous_standby", kStandby) == "waived";
  std::string reason = fields.String("waiver_reason").value_or("");
  if (!waived) {
    if (fields.Has("waiver_reason")) {
      fields.Mistake("waiver_reason", "does nothing unless synchronous_standby is waived");
    }
    return "";
  }
  if (!fields.Has("waiver_reason")) {
    fields.Mistake("synchronous_standby",
                   "takes waiver_reason: why certificates may be forgotten with the server");
  } else if (!reason.empty() && (reason.size() < kMinReason || reason.size() > kMaxReason)) {
    fields.Mistake("waiver_reason",
                   absl::StrCat("must be ", kMinReason, " to ", kMaxReason, " octets of words"));
  }
  return reason;
}

std::optional<std::string> ReadSystemIdentifier(Mapping fields) {
  std::optional<std::string> identifier = fields.String("system_identifier");
  std::uint64_t number = 0;
  if (identifier.has_value() &&
      (!std::all_of(identifier->begin(), identifier->end(), absl::ascii_isdigit) ||
       !absl::SimpleAtoi(*identifier, &number) || number == 0)) {
    fields.Mistake("system_identifier",
                   "must be the decimal number that pg_controldata shows as the database's");
  }
  return identifier;
}

// Where there is no TLS: nobody else than this machine may hear the password and the journal.
void ReadPlain(Mapping fields, PostgresqlConfig* config) {
  config->plain = fields.Bool("plain").value_or(false);
  const auto& servers = config->servers;
  if (!config->plain) {
    if (std::any_of(servers.begin(), servers.end(), IsSocket)) {
      fields.Mistake(kServers, "names a socket, which has no TLS: set plain: true");
    }
    return;
  }
  if (!std::all_of(servers.begin(), servers.end(), IsOfThisMachine)) {
    fields.Mistake("plain", "is for sockets and loopback only, and servers names others");
  }
}

TlsFiles ReadTlsOf(Mapping fields, PostgresqlConfig* config) {
  for (auto& [name, path] : {std::pair{"ca_file", &config->ca_file},
                             std::pair{"certificate_file", &config->certificate_file},
                             std::pair{"key_file", &config->key_file}}) {
    *path = fields.Path(name).value_or("");
    if (config->plain && fields.Has(name)) fields.Mistake(name, "does nothing while plain is true");
  }
  if (config->plain) return {};
  if (!fields.Has("ca_file")) fields.Mistake("ca_file", "is missing");
  if (fields.Has("certificate_file") != fields.Has("key_file")) {
    const bool has_key = fields.Has("key_file");
    fields.Mistake(has_key ? "key_file" : "certificate_file",
                   absl::StrCat("takes ", has_key ? "certificate_file" : "key_file", ", too"));
  }
  return {config->certificate_file, config->key_file, config->ca_file};
}

// What is wrong with the password in a file, or "" and the password.
std::string MistakeInPasswordFile(const std::string& path, std::string* password) {
  if (std::string mistake = MistakeInSecretFile(path); !mistake.empty()) return mistake;
  std::ifstream in(path, std::ios::binary);
  *password = std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  if (!in.is_open() || in.bad()) return "cannot be read";
  absl::string_view line = *password;
  if (!absl::ConsumeSuffix(&line, "\n")) line = *password;
  absl::ConsumeSuffix(&line, "\r");
  if (line.empty() || line.size() > kMaxPassword ||
      std::any_of(line.begin(), line.end(), [](char c) { return c == '\n' || c == '\0'; })) {
    return absl::StrCat("must hold one line of 1 to ", kMaxPassword, " octets, the password");
  }
  *password = std::string(line);
  return "";
}

void CheckFiles(const PostgresqlConfig& config, const TlsFiles& tls, FileChecks checks,
                Timestamp now, Mapping fields) {
  if (checks == FileChecks::kNone) return;
  if (!config.password_file.empty()) {
    std::string password;
    const std::string mistake = MistakeInPasswordFile(config.password_file, &password);
    if (!mistake.empty()) fields.Mistake("password_file", mistake);
  }
  CheckTlsFiles(
      tls, TlsSide::kClient, checks == FileChecks::kAll ? std::optional(now) : std::nullopt, fields,
      {.certificate = "certificate_file", .private_key = "key_file", .trusted_roots = "ca_file"});
}

PostgresqlConfig ReadPostgresql(Mapping fields, FileChecks checks, Timestamp now) {
  PostgresqlConfig config;
  config.replica = ReadReplica(fields);
  config.servers = ReadServers(fields);
  config.database = ReadIdentifier(fields, "database");
  config.user = ReadIdentifier(fields, "user");
  config.password_file = fields.Path("password_file").value_or("");
  ReadPlain(fields, &config);
  const TlsFiles tls = ReadTlsOf(fields, &config);
  config.waiver_reason = ReadWaiver(fields);
  config.system_identifier = ReadSystemIdentifier(fields);
  config.operation_timeout =
      fields.Duration("operation_timeout", std::chrono::milliseconds(500), std::chrono::seconds(60))
          .value_or(config.operation_timeout);
  config.connections = fields.Integer("connections", 1, 64).value_or(config.connections);
  config.largest_clock_difference =
      fields.Seconds("largest_clock_difference", std::chrono::seconds(1), kMaxClockDifference)
          .value_or(config.largest_clock_difference);
  CheckFiles(config, tls, checks, now, fields);
  return config;
}

}  // namespace

StoreConfig ReadStore(Mapping fields, FileChecks checks, Timestamp now) {
  StoreConfig store;
  Mapping postgresql = fields.present() ? fields.Required("postgresql") : fields;
  if (postgresql.present()) store.postgresql = ReadPostgresql(postgresql, checks, now);
  return store;
}

absl::StatusOr<std::string> ReadPasswordFile(const std::string& path) {
  std::string password;
  const std::string mistake = MistakeInPasswordFile(path, &password);
  if (mistake.empty()) return password;
  return Error(ErrorReason::kConfigurationInvalid, "store.postgresql.password_file", mistake);
}

}  // namespace hourglass::issuance
