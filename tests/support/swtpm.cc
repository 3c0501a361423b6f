#include "tests/support/swtpm.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace hourglass {
namespace {

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::abort();
}

// `0x…` or decimal, after `name:` in what tpm2_getcap says.
int PropertyOf(const std::string& properties, absl::string_view name) {
  for (const absl::string_view line : absl::StrSplit(properties, '\n')) {
    const std::vector<std::string> parts = absl::StrSplit(line, ": ");
    if (parts.size() == 2 && parts[0] == name) {
      int value = 0;
      const bool hexadecimal = parts[1].rfind("0x", 0) == 0;
      if (hexadecimal ? absl::SimpleHexAtoi(parts[1], &value)
                      : absl::SimpleAtoi(parts[1], &value)) {
        return value;
      }
    }
  }
  Die(absl::StrCat("tpm2_getcap does not say ", name, ": ", properties));
}

}  // namespace

Swtpm::Swtpm() : sockets_("/tmp/swtpm.XXXXXX") {
  if (mkdtemp(sockets_.data()) == nullptr) Die("cannot make a folder for swtpm's sockets");
  std::filesystem::create_directory(directory_.File("state"));
  Start();
}

Swtpm::~Swtpm() {
  process_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(sockets_, ignored);
}

std::string Swtpm::Tcti() const { return absl::StrCat("swtpm:path=", sockets_, "/s"); }

std::vector<std::string> Swtpm::ToolEnvironment() const {
  return {absl::StrCat("TPM2TOOLS_TCTI=", Tcti()), "TSS2_LOG=all+NONE"};
}

void Swtpm::Start() {
  if (process_ != nullptr) Die("swtpm runs already");
  for (const char* left : {"/s", "/s.ctrl", "/pid"}) unlink((sockets_ + left).c_str());
  // swtpm takes relative paths too, but then answers every command with 0x101.
  const std::string state = std::filesystem::absolute(directory_.File("state"));
  process_ = std::make_unique<BackgroundProcess>(
      std::vector<std::string>{
          "swtpm", "socket", "--tpm2", "--tpmstate", absl::StrCat("dir=", state), "--server",
          absl::StrCat("type=unixio,path=", sockets_, "/s"), "--ctrl",
          absl::StrCat("type=unixio,path=", sockets_, "/s.ctrl"), "--flags",
          "not-need-init,startup-clear", "--pid", absl::StrCat("file=", sockets_, "/pid")},
      directory_.File("log"));
  // It writes its process id once both sockets listen.
  for (int i = 0; i < 3000 && process_->Running(); ++i) {
    std::error_code missing;
    if (std::filesystem::file_size(sockets_ + "/pid", missing) > 0 && !missing) return;
    const timespec ten_milliseconds = {0, 10'000'000};
    nanosleep(&ten_milliseconds, nullptr);
  }
  Die(absl::StrCat("swtpm does not start: ", process_->Log()));
}

void Swtpm::Kill() { process_.reset(); }

void Swtpm::Stop() {
  if (process_ != nullptr) process_->Stop(SIGTERM);
  process_.reset();
}

void Swtpm::Freeze() { kill(process_->pid(), SIGSTOP); }

void Swtpm::Thaw() { kill(process_->pid(), SIGCONT); }

CommandResult Swtpm::Tool(const std::vector<std::string>& command) const {
  return RunCommand(command, "", ToolEnvironment());
}

std::string Swtpm::ToolOrDie(const std::vector<std::string>& command) const {
  const CommandResult result = Tool(command);
  if (result.exit_code != 0) Die(absl::StrCat(command[0], " failed: ", result.output));
  return result.output;
}

int Swtpm::WrongPins() const {
  return PropertyOf(ToolOrDie({"tpm2_getcap", "properties-variable"}), "TPM2_PT_LOCKOUT_COUNTER");
}

void Swtpm::ClearLockout() const { ToolOrDie({"tpm2_dictionarylockout", "--clear-lockout"}); }

void Swtpm::ExtendRegister(int number) const {
  ToolOrDie({"tpm2_pcrextend", absl::StrCat(number, ":sha256=", std::string(64, 'a'))});
}

void Swtpm::ResetRegister(int number) const { ToolOrDie({"tpm2_pcrreset", absl::StrCat(number)}); }

std::string Swtpm::Leftovers() const {
  std::string left;
  for (const char* kind :
       {"handles-transient", "handles-loaded-session", "handles-saved-session"}) {
    absl::StrAppend(&left, ToolOrDie({"tpm2_getcap", kind}));
  }
  return left;
}

}  // namespace hourglass
