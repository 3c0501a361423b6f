#include "tests/abuse/mixed/footprint.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hourglass {

Footprint FootprintOf(int pid) {
  Footprint footprint;
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  std::string name;
  double value = 0;
  while (status >> name) {
    if (name == "VmRSS:" && status >> value) footprint.megabytes = value / 1000;
    if (name == "VmHWM:" && status >> value) footprint.peak_megabytes = value / 1000;
    if (name == "Threads:" && status >> value) footprint.threads = static_cast<int>(value);
  }
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/fd"), error)) {
    const std::string target = std::filesystem::read_symlink(entry.path(), error).string();
    ++(absl::StartsWith(target, "socket:") ? footprint.sockets : footprint.other_descriptors);
  }
  return footprint;
}

}  // namespace hourglass
