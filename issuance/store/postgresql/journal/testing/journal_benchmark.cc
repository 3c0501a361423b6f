// What the journal costs a certificate in PostgreSQL and in the process that writes it: an intent
// and a release, each in a transaction of its own, on a server of the program's own with fsync.
//
//   journal_benchmark [COUNT [PARTITIONS]]   COUNT certificates for each size of batch, 20000 where
//                                            none is given, in a journal of PARTITIONS more
#include <dirent.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/postgresql/engine/connection_pool.h"
#include "issuance/store/postgresql/journal/postgresql_journal.h"
#include "issuance/store/testing/fill_journal.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/postgresql_cluster.h"

namespace hourglass::issuance::postgresql {
namespace {

double Seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// The fields of /proc/PID/stat from the third on (proc(5)); none where there is no such process.
std::vector<std::string> StatOf(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return {};
  std::istringstream fields(text.substr(end_of_name + 1));
  return {std::istream_iterator<std::string>(fields), {}};
}

double Ticks(const std::vector<std::string>& stat, std::size_t first, std::size_t count) {
  double ticks = 0;
  for (std::size_t i = first; i < first + count && i < stat.size(); ++i) {
    ticks += std::strtod(stat[i].c_str(), nullptr);
  }
  return ticks;
}

// CPU seconds of the postmaster, of its children that are there, and of those that ended.
double ServerSeconds(const std::string& postmaster) {
  constexpr std::size_t kParent = 1, kUserTime = 11;
  double ticks = Ticks(StatOf(postmaster), kUserTime, 4);
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc"), &closedir);
  while (const dirent* const entry = readdir(folder.get())) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    const std::vector<std::string> stat = StatOf(entry->d_name);
    if (stat.size() > kUserTime && stat[kParent] == postmaster) ticks += Ticks(stat, kUserTime, 2);
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

struct Server {
  std::string postmaster;
  std::unique_ptr<Connection> superuser;

  absl::StatusOr<std::int64_t> LogOctets() {
    return superuser->QueryInteger("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint");
  }
};

absl::StatusOr<Server> ServerOf(const PostgresqlCluster& cluster, const std::string& database) {
  Server server;
  ASSIGN_OR_RETURN(server.superuser, Connection::Open(cluster.SuperuserOf(database)));
  ASSIGN_OR_RETURN(Rows rows,
                   server.superuser->Query("SELECT split_part(pg_read_file('postmaster.pid'), "
                                           "E'\\n', 1)"));
  rows.Next();
  server.postmaster = rows.TakeOctets();
  return server;
}

std::vector<std::vector<JournalWrite>> Batches(std::int64_t count, std::int64_t size,
                                               std::int64_t& next) {
  std::vector<std::vector<JournalWrite>> batches;
  for (std::int64_t i = 0; i < count / size; ++i) {
    std::vector<JournalWrite> intents, releases;
    for (std::int64_t j = 0; j < size; ++j) {
      intents.push_back(SyntheticIntent(next++, kSampleTenant));
      releases.push_back(SyntheticRelease(std::get<Intent>(intents.back())));
    }
    batches.push_back(std::move(intents));
    batches.push_back(std::move(releases));
  }
  return batches;
}

absl::Status Write(JournalStore& journal, const std::vector<std::vector<JournalWrite>>& batches) {
  for (const std::vector<JournalWrite>& batch : batches) {
    ASSIGN_OR_RETURN(const std::vector<absl::Status> statuses, journal.AppendToJournal(batch));
    for (const absl::Status& status : statuses) RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

absl::Status Measure(JournalStore& journal, Server& server, std::int64_t count, std::int64_t size,
                     std::int64_t& next) {
  // The records are made before the clock starts, and the connection's statements are prepared.
  RETURN_IF_ERROR(Write(journal, Batches(size * 16, size, next)));
  const std::vector<std::vector<JournalWrite>> batches = Batches(count, size, next);
  RETURN_IF_ERROR(server.superuser->Execute("CHECKPOINT"));
  ASSIGN_OR_RETURN(const std::int64_t octets_before, server.LogOctets());
  const double server_before = ServerSeconds(server.postmaster);
  const double cpu_before = Seconds(CLOCK_PROCESS_CPUTIME_ID);
  const double wall_before = Seconds(CLOCK_MONOTONIC);
  RETURN_IF_ERROR(Write(journal, batches));
  const double wall = Seconds(CLOCK_MONOTONIC) - wall_before;
  const double cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_before;
  const double server_cpu = ServerSeconds(server.postmaster) - server_before;
  ASSIGN_OR_RETURN(const std::int64_t octets_after, server.LogOctets());
  const double certificates = static_cast<double>(count / size * size);
  std::printf(
      "batches of %-3d %8.1f us CPU of PostgreSQL %8.1f us CPU of the client %8.1f us wall "
      "%8.0f octets of log\n",
      static_cast<int>(size), 1e6 * server_cpu / certificates, 1e6 * cpu / certificates,
      1e6 * wall / certificates, static_cast<double>(octets_after - octets_before) / certificates);
  std::fflush(stdout);
  return absl::OkStatus();
}

absl::Status Run(std::int64_t count, std::int64_t partitions) {
  ASSIGN_OR_RETURN(const std::unique_ptr<PostgresqlCluster> cluster, PostgresqlCluster::Start());
  ASSIGN_OR_RETURN(const std::string database, cluster->CreatePreparedDatabase());
  ASSIGN_OR_RETURN(Server server, ServerOf(*cluster, database));
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> owner,
                   Connection::Open(cluster->OwnerOf(database)));
  RETURN_IF_ERROR(owner->Execute(
      "INSERT INTO tenants (tenant_id, display_name, created_at, epoch, revision, primary_root, "
      "root_name_key) VALUES ('contoso', '', 0, 1, 2, 'root-1', '')"));
  ServerDemands demands;
  demands.synchronous_standby = false;
  ASSIGN_OR_RETURN(const std::unique_ptr<ConnectionPool> pool,
                   ConnectionPool::Open(cluster->ServiceOf(database), demands));
  PostgresqlJournal journal(pool.get(), std::chrono::hours(24));
  for (std::int64_t i = 0; i <= partitions; ++i) {
    RETURN_IF_ERROR(journal.MakePartitionsAhead(SampleTime() + i * std::chrono::hours(24)));
  }
  // So that the indices are as deep as they are later.
  std::int64_t next = 0;
  RETURN_IF_ERROR(Write(journal, Batches(100000, 500, next)));
  for (const std::int64_t size : {1, 8, 32}) {
    RETURN_IF_ERROR(Measure(journal, server, count, size, next));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace hourglass::issuance::postgresql

int main(int argc, char** argv) {
  std::int64_t count = 20000, partitions = 0;
  if (argc > 3 || (argc > 1 && !absl::SimpleAtoi(argv[1], &count)) ||
      (argc > 2 && !absl::SimpleAtoi(argv[2], &partitions)) || count < 32) {
    std::fprintf(stderr, "usage: journal_benchmark [COUNT [PARTITIONS]]\n");
    return 2;
  }
  const absl::Status status = hourglass::issuance::postgresql::Run(count, partitions);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
