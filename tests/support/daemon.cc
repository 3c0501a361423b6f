#include "tests/support/daemon.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace hourglass {
namespace {

// With what one laptop needs that asks for all that tests do.
std::string WithUnlimitedDevices(const std::string& more) {
  constexpr absl::string_view kUnlimited = "limits: {device_requests: {unlimited: true}";
  if (!absl::StrContains(more, "limits: {")) return absl::StrCat(more, kUnlimited, "}\n");
  return absl::StrReplaceAll(more, {{"limits: {", absl::StrCat(kUnlimited, ", ")}});
}

}  // namespace

Daemon::Daemon() : address_file_(directory_.File("address")) {
  mkdir(data_directory().c_str(), 0700);
  mkdir(directory_.File("policies").c_str(), 0700);
  directory_.Write("policies/contoso.yaml", kTestPolicy);
  directory_.Write("policies/fabrikam.yaml", kTestPolicy);
  Configure(absl::StrCat("{tokens: [\"", token_.Uri(), "\"]}"), data_directory());
}

Daemon::~Daemon() = default;

void Daemon::Configure(const std::string& keys, const std::string& data_directory,
                       const std::string& more) {
  const TlsCredential server = tls().Server();
  std::string yaml = absl::StrCat(
      "listen: 127.0.0.1:0\n", "address_file: address\n", "data_directory: ", data_directory, "\n",
      "tls:\n", "  certificate: ", server.certificate_file, "\n",
      "  private_key: ", server.private_key_file, "\n",
      "  trusted_roots: ", tls().trusted_roots_file(), "\n", "keys: ", keys, "\n",
      "compliance: {embedded: {policy_directory: policies}}\n", WithUnlimitedDevices(more),
      // The last: tests add some.
      "callers:\n");
  for (const issuance::Caller& caller : TestCallers()) {
    absl::StrAppend(&yaml, "  - {name: ", caller.name, ", identity: \"", caller.identity,
                    "\", roles: [", issuance::RoleName(caller.roles.front()), "], tenants: [",
                    caller.all_tenants ? "\"*\"" : absl::StrJoin(caller.tenants, ", "), "]}\n");
  }
  config_file_ = directory_.Write("hourglassd.yaml", yaml);
}

bool Daemon::Start(const std::vector<std::string>& prefix) {
  unlink(address_file_.c_str());
  std::vector<std::string> command = prefix;
  command.insert(command.end(), {kProgram, "--config", config_file_});
  process_ = std::make_unique<BackgroundProcess>(command, directory_.File("log"));
  // Written whole when the service is ready; a minute is a bound for slow machines.
  for (int i = 0; i < 6000 && process_->Running(); ++i) {
    if (access(address_file_.c_str(), R_OK) == 0) {
      const std::string line = ReadFileOrDie(address_file_);
      Connect(std::string(absl::StripSuffix(line, "\n")));
      return true;
    }
    const timespec ten_milliseconds = {0, 10'000'000};
    nanosleep(&ten_milliseconds, nullptr);
  }
  return false;
}

namespace {

// pid (name) state parent …, proc(5); the name is cut to 15 characters.
struct ProcessStat {
  std::string name;
  std::string state;
  int parent = -1;
};

ProcessStat StatOf(int pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string text;
  std::getline(file, text);
  ProcessStat stat;
  const std::size_t name = text.find('('), name_end = text.rfind(')');
  if (name == std::string::npos || name_end == std::string::npos) return stat;
  stat.name = text.substr(name + 1, name_end - name - 1);
  std::istringstream(text.substr(name_end + 1)) >> stat.state >> stat.parent;
  return stat;
}

}  // namespace

std::vector<int> Daemon::Keyholders() const {
  std::vector<int> pids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    int pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    const ProcessStat stat = StatOf(pid);
    if (stat.name != "hourglass-keyho" || stat.state == "Z") continue;
    // A child of the service's starts them.
    if (StatOf(stat.parent).parent == process_->pid()) pids.push_back(pid);
  }
  return pids;
}

void Daemon::Kill() { process_->Stop(SIGKILL); }

int Daemon::Stop() { return process_->Stop(SIGTERM); }

std::string Daemon::LastLogged(const std::string& name) {
  const std::string before = absl::StrCat("\"", name, "\":\"");
  if (!WaitForLog(before)) return "";
  // The last line may not be whole.
  const std::string all = Log();
  const std::string log = all.substr(0, all.rfind('\n') + 1);
  const std::size_t at = log.rfind(before);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + before.size();
  return log.substr(begin, log.find('"', begin) - begin);
}

std::string Daemon::Log() const { return ReadFileOrDie(directory_.File("log")); }

}  // namespace hourglass
