#include "issuance/compliance/policy_files.h"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "issuance/tenant_id.h"
#include "issuance/yaml/file.h"

namespace hourglass::issuance {
namespace {

// Time stamps of files are as coarse as the kernel's tick: a file that is younger than this may
// change once more under the same stamp.
constexpr std::chrono::nanoseconds kSettlesAfter = std::chrono::seconds(2);

std::int64_t Nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

PolicyFiles::Entry PolicyFiles::Read(const std::string& path, const Stamp& stamp) {
  // The machine's clock and no other, for that is what stamps are taken from.
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  Entry entry;
  entry.stamp = stamp;
  entry.settled = now - std::chrono::nanoseconds(stamp.changed) > kSettlesAfter;
  const auto text = yaml::ReadConfigurationFile(path);
  auto policy = text.ok() ? ParsePolicy(*text, path) : text.status();
  entry.result.status = policy.status();
  if (policy.ok()) {
    entry.result.policy = std::make_shared<const CompliancePolicy>(*std::move(policy));
  }
  return entry;
}

PolicyFiles::Result PolicyFiles::Get(absl::string_view tenant_id) {
  if (!IsTenantId(tenant_id)) return {};
  const std::string path = absl::StrCat(directory_, "/", tenant_id, ".yaml");
  struct stat about = {};
  if (stat(path.c_str(), &about) != 0) {
    const int why = errno;
    const std::lock_guard<std::mutex> lock(mutex_);
    entries_.erase(tenant_id);
    if (why == ENOENT) return {};
    return {Error(ErrorReason::kConfigurationInvalid, "",
                  absl::StrCat(path, ":1: cannot be read: ", std::strerror(why))),
            nullptr, true};
  }
  // Taken before the file is read: a change between the two shows as another stamp the next time.
  const Stamp stamp = {about.st_dev, about.st_ino, about.st_size, Nanoseconds(about.st_mtim),
                       Nanoseconds(about.st_ctim)};
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto known = entries_.find(tenant_id);
    if (known != entries_.end() && known->second.settled && known->second.stamp == stamp) {
      return known->second.result;
    }
  }
  Entry entry = Read(path, stamp);
  Result result = entry.result;
  result.read_anew = true;
  const std::lock_guard<std::mutex> lock(mutex_);
  // Should another thread have read a newer file meanwhile, the stamp shows it the next time.
  entries_.insert_or_assign(tenant_id, std::move(entry));
  return result;
}

}  // namespace hourglass::issuance
