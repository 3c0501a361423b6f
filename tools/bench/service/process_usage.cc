#include "tools/bench/service/process_usage.h"

#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hourglass::bench {
namespace {

// The number after `name:` in a file of lines `name: number …`.
std::optional<double> NumberIn(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  std::string word;
  for (double number = 0; file >> word;) {
    if (word == absl::StrCat(name, ":") && file >> number) return number;
    file.clear();
  }
  return std::nullopt;
}

// What follows `pid (name) ` in the process's stat: state, parent, …; none of a process that is
// gone.
std::vector<std::string> StatOf(const std::string& process) {
  std::ifstream file(absl::StrCat("/proc/", process, "/stat"));
  std::string stat;
  std::getline(file, stat);
  // The name may hold anything.
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(stat.substr(name_end + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

// proc(5) counts from the process id on, from 1.
constexpr std::size_t kState = 3 - 3, kParent = 4 - 3, kEndedUser = 16 - 3, kEndedSystem = 17 - 3;

}  // namespace

double CpuMicroseconds(pid_t process) {
  clockid_t clock;
  timespec time = {};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

double CpuMicroseconds(const std::vector<pid_t>& processes) {
  double sum = 0;
  for (const pid_t process : processes) sum += CpuMicroseconds(process);
  return sum;
}

std::vector<pid_t> ChildrenOf(pid_t process) {
  std::vector<pid_t> children;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    pid_t candidate = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &candidate)) continue;
    const std::vector<std::string> stat = StatOf(entry.path().filename().string());
    if (stat.size() <= kParent || stat[kState] == "Z") continue;
    if (stat[kParent] == absl::StrCat(process)) children.push_back(candidate);
  }
  return children;
}

double CpuMicrosecondsWithChildren(pid_t process) {
  const double running = CpuMicroseconds(process) + CpuMicroseconds(ChildrenOf(process));
  const std::vector<std::string> stat = StatOf(absl::StrCat(process));
  double user = 0, system = 0;
  if (stat.size() <= kEndedSystem || !absl::SimpleAtod(stat[kEndedUser], &user) ||
      !absl::SimpleAtod(stat[kEndedSystem], &system)) {
    return running;
  }
  return running + (user + system) * 1e6 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double ResidentMegabytes(pid_t process) {
  return NumberIn(absl::StrCat("/proc/", process, "/status"), "VmRSS").value_or(0) * 1024 / 1e6;
}

double ResidentMegabytes(const std::vector<pid_t>& processes) {
  double sum = 0;
  for (const pid_t process : processes) sum += ResidentMegabytes(process);
  return sum;
}

std::optional<Written> WrittenBy(pid_t process) {
  const std::string path = absl::StrCat("/proc/", process, "/io");
  const auto by_calls = NumberIn(path, "wchar"), to_disk = NumberIn(path, "write_bytes");
  if (!by_calls.has_value() || !to_disk.has_value()) return std::nullopt;
  return Written{*by_calls, *to_disk};
}

double MachineBusyMicroseconds() {
  // cpu user nice system idle iowait irq softirq steal …, in ticks.
  std::ifstream file("/proc/stat");
  std::string name;
  double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, soft = 0;
  file >> name >> user >> nice >> system >> idle >> waiting >> interrupts >> soft;
  return (user + nice + system + interrupts + soft) * 1e6 /
         static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace hourglass::bench
