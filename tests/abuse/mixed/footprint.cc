#include "tests/abuse/mixed/footprint.h"

#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/abuse/process_memory.h"

namespace hourglass {

Footprint FootprintOf(int pid) {
  Footprint footprint;
  footprint.megabytes = ResidentMegabytes(pid);
  footprint.peak_megabytes = PeakMegabytes(pid);
  std::error_code error;
  for ([[maybe_unused]] const auto& thread :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/task"), error)) {
    ++footprint.threads;
  }
  for (const auto& entry :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/fd"), error)) {
    const std::string target = std::filesystem::read_symlink(entry.path(), error).string();
    if (absl::StartsWith(target, "socket:")) {
      ++footprint.sockets;
    } else {
      ++(absl::StrContains(target, "/data/") ? footprint.data_files : footprint.other_descriptors);
    }
  }
  return footprint;
}

}  // namespace hourglass
