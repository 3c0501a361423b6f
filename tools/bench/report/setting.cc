#include "tools/bench/report/setting.h"

#include <sys/utsname.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace hourglass::bench {
namespace {

// Above this share of the cores, what is measured shares them with something else.
constexpr double kBusyShare = 0.25;

#if defined(__OPTIMIZE__) && defined(NDEBUG)
constexpr bool kOptimised = true;
#else
constexpr bool kOptimised = false;
#endif

std::string Processor() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

std::string Kernel() {
  utsname name;
  if (uname(&name) != 0) return "unknown";
  return absl::StrCat(name.sysname, " ", name.release);
}

}  // namespace

std::vector<std::string> Setting::Warnings() const {
  std::vector<std::string> warnings;
  if (!optimised) warnings.push_back("this is not an optimised build: use bazel build -c opt");
  if (load > kBusyShare * cores) {
    warnings.push_back(absl::StrFormat(
        "the machine was busy when the run began: load %.2f on %d cores", load, cores));
  }
  return warnings;
}

Setting ObserveSetting(bool quick) {
  Setting setting;
  setting.date = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone());
  setting.processor = Processor();
  setting.cores = static_cast<int>(std::thread::hardware_concurrency());
  if (getloadavg(&setting.load, 1) != 1) setting.load = 0;
  setting.kernel = Kernel();
  setting.optimised = kOptimised;
  setting.quick = quick;
  return setting;
}

}  // namespace hourglass::bench
