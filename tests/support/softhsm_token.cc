#include "tests/support/softhsm_token.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"

namespace hourglass {
namespace {

void RunOrDie(const std::vector<std::string>& command) {
  const CommandResult result = RunCommand(command);
  if (result.exit_code == 0) return;
  std::fprintf(stderr, "%s failed: %s\n", command[0].c_str(), result.output.c_str());
  std::abort();
}

}  // namespace

SofthsmToken::SofthsmToken(const std::vector<std::string>& labels) : labels_(labels) {
  const std::string tokens = directory_.File("tokens");
  mkdir(tokens.c_str(), 0700);
  pin_file_ = directory_.Write("pin", pin() + "\n");
  chmod(pin_file_.c_str(), 0600);
  const std::string configuration = directory_.Write(
      "softhsm2.conf", absl::StrCat("directories.tokendir = ", tokens,
                                    "\nobjectstore.backend = file\nlog.level = ERROR\n"
                                    "slots.removable = false\nlibrary.reset_on_fork = true\n"));
  setenv("SOFTHSM2_CONF", configuration.c_str(), 1);
  std::set<std::string> known;
  for (const std::string& label : labels_) {
    RunOrDie({"softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "97531086",
              "--pin", pin()});
    for (const auto& entry : std::filesystem::directory_iterator(tokens)) {
      if (known.insert(entry.path()).second) folders_[label] = entry.path();
    }
  }
}

std::string SofthsmToken::Uri(absl::string_view label) const {
  return absl::StrCat("pkcs11:token=", label.empty() ? labels_[0] : std::string(label),
                      "?module-path=", kModulePath, "&pin-source=file:", pin_file_);
}

const std::string& SofthsmToken::Folder(absl::string_view label) const {
  return folders_.at(std::string(label));
}

CommandResult SofthsmToken::Tool(const std::vector<std::string>& arguments,
                                 absl::string_view label) const {
  std::vector<std::string> command = {
      "pkcs11-tool", "--module", kModulePath,     "--login",
      "--pin",       pin(),      "--token-label", label.empty() ? labels_[0] : std::string(label)};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return RunCommand(command);
}

}  // namespace hourglass
