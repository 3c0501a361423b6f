// Where a PostgreSQL server is, and what is asked of it.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_CONNECTION_PARAMETERS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_CONNECTION_PARAMETERS_H_

#include <chrono>
#include <string>
#include <vector>

namespace hourglass::issuance::postgresql {

struct ServerAddress {
  // A DNS name or an address: with TLS, what the server's certificate must name.
  std::string host;
  int port = 5432;
  // Where not empty, the address that is connected to, and `host` is only what the certificate
  // must name.
  std::string address = "";

  bool operator==(const ServerAddress&) const = default;
};

// How the connection is kept from others.
enum class Transport {
  // TLS 1.2 or later; the server's certificate must be of `ca_file` and name the host
  // (sslmode=verify-full).
  kTls,
  // None. For sockets in the file system, whose `host` begins with `/`, and for loopback.
  kPlain,
};

struct ConnectionParameters {
  // Of one cluster; that one is taken which may be written to. Not empty.
  std::vector<ServerAddress> servers;
  std::string database;
  std::string user;
  // May be empty, where the server asks for none. Never in a message or a log.
  std::string password;
  Transport transport = Transport::kTls;
  std::string ca_file = "";           // PEM; with kTls required
  std::string certificate_file = "";  // PEM, of the client; may be empty
  std::string key_file = "";          // PEM, of that certificate
  // What pg_stat_activity shows: which replica it is. At most 63 octets of printable ASCII.
  std::string application_name = "hourglass";
  // Of each server, the lookup of its name and all its addresses together: to have a session. To
  // find whether the server is fit takes one round trip more.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(3);
  // Of each round trip. When it has passed the connection is closed, and what was asked for may
  // have been done.
  std::chrono::milliseconds operation_timeout = std::chrono::seconds(5);
};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_CONNECTION_PARAMETERS_H_
