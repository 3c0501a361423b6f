#include "tests/abuse/process_memory.h"

#include <fstream>
#include <sstream>
#include <string>

namespace hourglass {
namespace {

double Megabytes(int pid, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    std::istringstream words(line);
    std::string key;
    double kilobytes = 0;
    words >> key >> kilobytes;
    if (key == name + ":") return kilobytes * 1024 / 1e6;
  }
  return 0;
}

}  // namespace

double ResidentMegabytes(int pid) { return Megabytes(pid, "VmRSS"); }

double PeakMegabytes(int pid) { return Megabytes(pid, "VmHWM"); }

}  // namespace hourglass
