// A PostgreSQL server of the test's own.
#ifndef HOURGLASS_TESTS_SUPPORT_POSTGRESQL_CLUSTER_H_
#define HOURGLASS_TESTS_SUPPORT_POSTGRESQL_CLUSTER_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/postgresql/engine/connection_parameters.h"

namespace hourglass {

struct PostgresqlClusterOptions {
  // Takes the cluster's folder. Short, since a socket's path may have at most 107 characters, and
  // in reach of nobody's where this is root.
  std::string parent = "/tmp";
  // More lines of postgresql.conf, each with its end; they win over the others.
  std::string settings = "";
};

// A cluster in a folder of its own, with data checksums and fsync, stopped and deleted with
// this object. It listens on a socket in that folder and, with TLS by a certificate of the test's
// own for `db.test` and 127.0.0.1, on a free port of loopback. Run by root it runs as `nobody`
// (initdb refuses root), for which a test must not be in the sandbox (tag no-sandbox). Roles:
// `owner`, which owns the databases, `service`, and the superuser `postgres`; passwords by SCRAM.
// Where PostgreSQL 15 is missing, or does not start, the error says so.
//
// Safe to call from several threads, but for what stops or changes it. The server ends when the
// thread ends that ran it (Start, Shared, Run, RunPromoted): let that be the test's own.
class PostgresqlCluster {
 public:
  // For one test alone.
  static absl::StatusOr<std::unique_ptr<PostgresqlCluster>> Start(
      const PostgresqlClusterOptions& options = {});
  // One for all tests of this process that do not stop or change it; started when first asked for.
  static PostgresqlCluster& Shared();
  virtual ~PostgresqlCluster() = default;

  // An empty database, or one with the schema prepared for `service`, and its name. Names are not
  // used twice.
  virtual absl::StatusOr<std::string> CreateDatabase() = 0;
  virtual absl::StatusOr<std::string> CreatePreparedDatabase() = 0;

  // Over the socket, without TLS.
  virtual issuance::postgresql::ConnectionParameters OwnerOf(const std::string& database) const = 0;
  virtual issuance::postgresql::ConnectionParameters ServiceOf(
      const std::string& database) const = 0;
  // Over loopback with TLS, as `service`; `host` is `db.test`.
  virtual issuance::postgresql::ConnectionParameters TlsServiceOf(
      const std::string& database) const = 0;
  // As the superuser, over the socket.
  virtual issuance::postgresql::ConnectionParameters SuperuserOf(
      const std::string& database) const = 0;

  // The first process of the server that runs, whose children do its work.
  virtual pid_t pid() const = 0;

  // `-m immediate`, as a crash, also of one that is paused; then Run starts it again with what it
  // has, on the same socket and port.
  virtual absl::Status Crash() = 0;
  // `-m fast`: tells each connection that it is over, and loses nothing. Then Run as after Crash.
  virtual absl::Status ShutDown() = 0;
  virtual absl::Status Run() = 0;
  // Crash, then Run as a standby that is promoted: with what it has, on the next timeline.
  virtual absl::Status RunPromoted() = 0;
  // Stops and continues all processes of the server (SIGSTOP, SIGCONT). They stand when Pause
  // returns.
  virtual void Pause() = 0;
  virtual void Resume() = 0;
};

// Asks the server until the one value that `sql` gives is true: for what another connection is
// about to do, as pg_stat_activity and pg_locks tell it. An error after a minute.
absl::Status WaitUntilTrue(issuance::postgresql::Connection& connection, absl::string_view sql,
                           absl::Span<const issuance::postgresql::Value> values = {});

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_POSTGRESQL_CLUSTER_H_
