#include "tests/failover/process_tree.h"

#include <signal.h>
#include <time.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <system_error>

namespace hourglass::failover {
namespace {

std::string ContentOf(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

// State 0 where there is no process any more.
RunningProcess Look(pid_t pid) {
  RunningProcess process;
  process.pid = pid;
  const std::string folder = "/proc/" + std::to_string(pid);
  const std::string stat = ContentOf(folder + "/stat");
  // The name before it may hold anything.
  const std::size_t end_of_name = stat.rfind(") ");
  if (end_of_name == std::string::npos) return process;
  std::istringstream(stat.substr(end_of_name + 2)) >> process.state >> process.parent;
  if (process.state == 'Z' || process.state == 'X') process.state = 0;
  process.title = ContentOf(folder + "/cmdline");
  std::replace(process.title.begin(), process.title.end(), '\0', ' ');
  return process;
}

std::multimap<pid_t, RunningProcess> ChildrenByParent() {
  std::multimap<pid_t, RunningProcess> children;
  std::error_code gone;
  for (std::filesystem::directory_iterator entry("/proc", gone), end; entry != end;
       entry.increment(gone)) {
    const std::string name = entry->path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    RunningProcess process = Look(static_cast<pid_t>(std::stol(name)));
    if (process.state != 0) children.emplace(process.parent, std::move(process));
  }
  return children;
}

void WaitAMoment() {
  const timespec two_milliseconds = {0, 2'000'000};
  nanosleep(&two_milliseconds, nullptr);
}

bool IsStopped(const RunningProcess& process) {
  const char state = Look(process.pid).state;
  return state == 'T' || state == 't' || state == 0;
}

}  // namespace

std::vector<RunningProcess> DescendantsOf(pid_t root) {
  const std::multimap<pid_t, RunningProcess> children = ChildrenByParent();
  std::vector<RunningProcess> descendants;
  std::vector<pid_t> parents = {root};
  while (!parents.empty()) {
    std::vector<pid_t> next;
    for (const pid_t parent : parents) {
      const auto [begin, end] = children.equal_range(parent);
      for (auto child = begin; child != end; ++child) {
        next.push_back(child->second.pid);
        descendants.push_back(child->second);
      }
    }
    parents = std::move(next);
  }
  return descendants;
}

void Stop(const std::vector<RunningProcess>& processes) {
  for (const RunningProcess& process : processes) kill(process.pid, SIGSTOP);
  // A signal to another process takes effect a little later.
  for (const RunningProcess& process : processes) {
    while (!IsStopped(process)) WaitAMoment();
  }
}

void StopDescendants(pid_t root) {
  for (;;) {
    std::vector<RunningProcess> running = DescendantsOf(root);
    std::erase_if(running, [](const RunningProcess& process) { return process.state == 'T'; });
    if (running.empty()) return;
    Stop(running);
  }
}

void ContinueDescendants(pid_t root) {
  for (const RunningProcess& process : DescendantsOf(root)) kill(process.pid, SIGCONT);
}

}  // namespace hourglass::failover
