#include "tests/support/machine.h"

#include <filesystem>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hourglass {
namespace {

// The first child of a process; -1 where it has none.
pid_t ChildOf(pid_t process) {
  const std::string children =
      RunCommand({"cat", absl::StrCat("/proc/", process, "/task/", process, "/children")}).output;
  int child = -1;
  return absl::SimpleAtoi(children.substr(0, children.find(' ')), &child) ? child : -1;
}

std::vector<std::string> Entering(pid_t pid) {
  return {"nsenter", "--target", absl::StrCat(pid), "--mount", "--net", "--pid", "--uts"};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Machine>> Machine::Make(const std::string& name) {
  auto machine = absl::WrapUnique(new Machine(name));
  std::filesystem::create_directory(machine->directory_.File("root"));
  machine->process_ = std::make_unique<BackgroundProcess>(
      std::vector<std::string>{"unshare", "--mount", "--pid", "--fork", "--kill-child",
                               "--mount-proc", "bash", "tests/support/machine-init",
                               machine->directory_.File("root"), name,
                               std::filesystem::absolute("tests/support/systemctl.py")},
      machine->directory_.File("log"));
  const bool ready = machine->process_->WaitForLog("the machine is ready");
  machine->pid_ = ready ? ChildOf(machine->process_->pid()) : -1;
  if (machine->pid_ > 0) return machine;
  return absl::FailedPreconditionError(
      absl::StrCat("no namespaces here: ", machine->process_->Log()));
}

CommandResult Machine::Run(const std::string& commands, const std::string& input) const {
  std::vector<std::string> command = Entering(pid_);
  for (const char* word : {"bash", "-ec"}) command.emplace_back(word);
  command.push_back(absl::StrCat("cd ", kHome, "\n", commands));
  return RunCommand(command, input,
                    {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                     absl::StrCat("HOME=", kHome)});
}

std::string Machine::WhyNoTun() const {
  const CommandResult result = Run("ip tuntap add dev probe mode tun && ip link del probe");
  return result.exit_code == 0 ? "" : absl::StrCat("no TUN device: ", result.output);
}

void Machine::Write(const std::string& path, absl::string_view content) const {
  Run(absl::StrCat("mkdir -p \"$(dirname ", path, ")\" && cat >", path), std::string(content));
}

absl::Status Machine::Join(const Machine& one, const std::string& address_of_one,
                           const Machine& other, const std::string& address_of_other) {
  const std::string to_other = absl::StrCat("to-", other.name());
  const std::string to_one = absl::StrCat("to-", one.name());
  // The other's process as the test's /proc shows it: its own is not seen from within this one.
  const CommandResult cable = RunCommand({"nsenter", "--target", absl::StrCat(one.pid()), "--net",
                                          "ip", "link", "add", to_other, "type", "veth", "peer",
                                          "name", to_one, "netns", absl::StrCat(other.pid())});
  if (cable.exit_code != 0) return absl::FailedPreconditionError(cable.output);
  const CommandResult here = one.Run(absl::StrCat("ip address add ", address_of_one, " dev ",
                                                  to_other, " && ip link set ", to_other, " up"));
  if (here.exit_code != 0) return absl::FailedPreconditionError(here.output);
  const CommandResult there = other.Run(absl::StrCat("ip address add ", address_of_other, " dev ",
                                                     to_one, " && ip link set ", to_one, " up"));
  return there.exit_code == 0 ? absl::OkStatus() : absl::FailedPreconditionError(there.output);
}

}  // namespace hourglass
