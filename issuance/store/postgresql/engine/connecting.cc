#include "issuance/store/postgresql/engine/connecting.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/address_lookup.h"
#include "issuance/store/postgresql/engine/server_errors.h"

namespace hourglass::issuance::postgresql {
namespace {

// No file can be there. libpq takes an empty name as the file in the home folder.
constexpr char kNoFile[] = "/dev/null/none";

using Options = std::vector<std::pair<const char*, std::string>>;

absl::Status Unavailable(absl::string_view why) {
  return Error(ErrorReason::kJournalUnavailable, "", why);
}

bool IsSocketFile(const ServerAddress& server) { return absl::StartsWith(server.host, "/"); }

absl::Status CheckEnvironment(const ConnectionParameters& parameters, bool is_socket_file) {
  std::vector<const char*> harmful = {"PGSERVICE"};
  if (parameters.password.empty()) harmful.push_back("PGPASSWORD");
  if (is_socket_file) harmful.insert(harmful.end(), {"PGHOSTADDR", "PGREQUIREPEER"});
  for (const char* variable : harmful) {
    if (getenv(variable) == nullptr) continue;
    return Unavailable(absl::StrCat("the environment variable ", variable,
                                    " is set, which libpq obeys: it must not be"));
  }
  return absl::OkStatus();
}

absl::Status Check(const ConnectionParameters& parameters, const ServerAddress& server) {
  // Where empty, libpq would take the environment's or the account's.
  if (server.host.empty()) return Unavailable("the server has no name");
  if (parameters.database.empty()) return Unavailable("no database is named");
  if (parameters.user.empty()) return Unavailable("no user is named");
  if (parameters.application_name.empty()) return Unavailable("no application name is given");
  if (parameters.transport == Transport::kTls) {
    if (IsSocketFile(server)) return Unavailable("a socket in the file system has no TLS");
    if (parameters.ca_file.empty()) return Unavailable("TLS needs ca_file");
    if (parameters.certificate_file.empty() != parameters.key_file.empty()) {
      return Unavailable("certificate_file and key_file go together");
    }
  }
  return CheckEnvironment(parameters, IsSocketFile(server));
}

void AddTransport(const ConnectionParameters& parameters, Options& options) {
  const auto file = [](const std::string& name) { return name.empty() ? kNoFile : name; };
  const bool is_tls = parameters.transport == Transport::kTls;
  options.insert(options.end(),
                 {
                     {"sslmode", is_tls ? "verify-full" : "disable"},
                     {"sslrootcert", is_tls ? parameters.ca_file : kNoFile},
                     {"sslcert", is_tls ? file(parameters.certificate_file) : kNoFile},
                     {"sslkey", is_tls ? file(parameters.key_file) : kNoFile},
                     {"sslcrl", kNoFile},
                     {"sslcrldir", kNoFile},
                     {"sslcompression", "0"},
                     {"sslsni", "1"},
                     {"ssl_min_protocol_version", "TLSv1.2"},
                     {"ssl_max_protocol_version", "TLSv1.3"},
                     {"gssencmode", "disable"},
                     {"channel_binding", "prefer"},
                 });
}

Options OptionsOf(const ConnectionParameters& parameters, const ServerAddress& server,
                  const std::string& address) {
  Options options = {
      {"host", server.host},
      {"port", absl::StrCat(server.port)},
      {"dbname", parameters.database},
      {"user", parameters.user},
      {"passfile", kNoFile},
      {"application_name", parameters.application_name},
      {"client_encoding", "UTF8"},
      // What it sets is set again for the session: it is given so that PGOPTIONS is not.
      {"options", "-c client_min_messages=warning"},
      {"target_session_attrs", "any"},
  };
  if (!address.empty()) options.emplace_back("hostaddr", address);
  if (!parameters.password.empty()) options.emplace_back("password", parameters.password);
  AddTransport(parameters, options);
  return options;
}

absl::Status WhyNot(pg_conn* connection, const ConnectionParameters& parameters) {
  std::string words = OneLine(PQerrorMessage(connection));
  if (!parameters.password.empty()) {
    words = absl::StrReplaceAll(words, {{parameters.password, "[password]"}});
  }
  return Unavailable(words.empty() ? "it cannot be connected to" : words);
}

// Goes on where the socket is ready until there is a connection.
absl::Status Complete(pg_conn* connection, const ConnectionParameters& parameters,
                      const Deadline& deadline) {
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    // The socket may be another each time.
    if (!WaitForSocket(PQsocket(connection), state == PGRES_POLLING_READING ? POLLIN : POLLOUT,
                       deadline)) {
      return Unavailable("no connection in time");
    }
    state = PQconnectPoll(connection);
    if (state == PGRES_POLLING_FAILED) return WhyNot(connection, parameters);
  }
  return absl::OkStatus();
}

absl::StatusOr<PgConnection> ConnectToAddress(const ConnectionParameters& parameters,
                                              const ServerAddress& server,
                                              const std::string& address,
                                              const Deadline& deadline) {
  const Options options = OptionsOf(parameters, server, address);
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : options) {
    keywords.push_back(keyword);
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  PgConnection connection(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (connection == nullptr) return Unavailable("out of memory");
  PQsetNoticeReceiver(
      connection.get(), [](void*, const PGresult*) {}, nullptr);
  if (PQstatus(connection.get()) == CONNECTION_BAD) return WhyNot(connection.get(), parameters);
  RETURN_IF_ERROR(Complete(connection.get(), parameters, deadline));
  if (PQsetnonblocking(connection.get(), 1) != 0) return WhyNot(connection.get(), parameters);
  return connection;
}

}  // namespace

absl::StatusOr<PgConnection> ConnectToServer(const ConnectionParameters& parameters,
                                             const ServerAddress& server,
                                             const Deadline& deadline) {
  RETURN_IF_ERROR(Check(parameters, server));
  if (IsSocketFile(server)) return ConnectToAddress(parameters, server, "", deadline);
  ASSIGN_OR_RETURN(
      const std::vector<std::string> addresses,
      LookUpAddresses(server.address.empty() ? server.host : server.address, deadline));
  std::vector<std::string> reasons;
  int left = static_cast<int>(addresses.size());
  for (const std::string& address : addresses) {
    absl::StatusOr<PgConnection> connection =
        ConnectToAddress(parameters, server, address, deadline.Share(left--));
    if (connection.ok() || addresses.size() == 1) return connection;
    reasons.push_back(absl::StrCat(address, ": ", connection.status().message()));
  }
  return Unavailable(absl::StrJoin(reasons, "; "));
}

std::string NameOf(const ServerAddress& server) {
  const bool is_ipv6 = absl::StrContains(server.host, ':');
  return is_ipv6 ? absl::StrCat("[", server.host, "]:", server.port)
                 : absl::StrCat(server.host, ":", server.port);
}

absl::Status NoServerCanBeUsed(absl::Span<const std::string> reasons) {
  return Unavailable(
      absl::StrCat("database: no server can be used: ",
                   reasons.empty() ? "none is named" : absl::StrJoin(reasons, "; ")));
}

}  // namespace hourglass::issuance::postgresql
