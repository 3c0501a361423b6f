#include "tests/failover/replicas.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::failover {
namespace {

constexpr int kPatienceSeconds = 120;
constexpr char kServing[] = "\"event\":\"serving\"";

std::string NameOf(int replica) { return absl::StrCat("berlin-", replica + 1); }

}  // namespace

Replicas::Replicas(const PatroniCluster& cluster, Standby standby) {
  const TemporaryDirectory& folder = files_.directory();
  const std::string password_file =
      folder.Write("db.password", absl::StrCat(PatroniCluster::service_password(), "\n"));
  chmod(password_file.c_str(), S_IRUSR | S_IWUSR);
  const std::string servers =
      absl::StrJoin(cluster.servers(), ", ", [](std::string* out, const Endpoint& server) {
        absl::StrAppend(out, "\"", server.InWords(), "\"");
      });
  const std::string base = ReadFileOrDie(files_.config_file());
  for (int i = 0; i < kCount; ++i) {
    const std::string name = NameOf(i);
    std::string store =
        absl::StrCat("store:\n  postgresql:\n    replica: ", name, "\n    servers: [", servers,
                     "]\n    database: ", PatroniCluster::kDatabase,
                     "\n    user: ", PatroniCluster::service_user(),
                     "\n    password_file: db.password\n    ca_file: ", cluster.ca_file(), "\n");
    if (standby == Standby::kWaived) {
      absl::StrAppend(&store,
                      "    synchronous_standby: waived\n"
                      "    waiver_reason: a test of what is lost then\n");
    }
    folder.Write(name + ".yaml",
                 absl::StrCat(absl::StrReplaceAll(base, {{"address_file: address",
                                                          "address_file: " + name + ".address"}}),
                              store));
  }
}

std::string Replicas::ConfigFile(int replica) const {
  return files_.directory().File(NameOf(replica) + ".yaml");
}

bool Replicas::Start() {
  processes_.clear();
  addresses_.clear();
  for (int i = 0; i < kCount; ++i) {
    const std::string address_file = files_.directory().File(NameOf(i) + ".address");
    unlink(address_file.c_str());
    processes_.push_back(std::make_unique<BackgroundProcess>(
        std::vector<std::string>{"setpriv", "--pdeathsig=TERM", Daemon::kProgram, "--config",
                                 ConfigFile(i)},
        files_.directory().File(NameOf(i) + ".log")));
  }
  for (int i = 0; i < kCount; ++i) {
    if (!WaitForLog(i, kServing)) return false;
    const std::string address = ReadFileOrDie(files_.directory().File(NameOf(i) + ".address"));
    addresses_.emplace_back(absl::StripSuffix(address, "\n"));
  }
  return true;
}

bool Replicas::Stop() {
  bool all_well = true;
  for (const auto& process : processes_) all_well = process->Stop(SIGTERM) == 0 && all_well;
  return all_well;
}

CommandResult Replicas::Try(const std::string& option) const {
  return RunCommand({Daemon::kProgram, "--config", ConfigFile(0), option});
}

ServiceClient& Replicas::client(int replica) {
  files_.Connect(addresses_[static_cast<std::size_t>(replica)]);
  return files_;
}

std::string Replicas::LogOf(int replica) const {
  return processes_[static_cast<std::size_t>(replica)]->Log();
}

bool Replicas::WaitForLog(int replica, const std::string& text) {
  return processes_[static_cast<std::size_t>(replica)]->WaitForLog(text, kPatienceSeconds);
}

}  // namespace hourglass::failover
