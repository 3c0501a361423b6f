#include "issuance/compliance/policy_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "issuance/base/tenant_id.h"
#include "issuance/yaml/file.h"

namespace hourglass::issuance {
namespace {

// After what time a file that could not be read is tried again: doubled with each failure.
constexpr std::chrono::milliseconds kRetryAfter(100);
constexpr std::chrono::milliseconds kRetryAtMost(5000);

bool HoldsPolicies(const std::string& directory) {
  std::error_code error;
  for (auto file = std::filesystem::directory_iterator(directory, error);
       !error && file != std::filesystem::directory_iterator(); file.increment(error)) {
    if (file->path().extension() == ".yaml") return true;
  }
  return false;
}

}  // namespace

PolicyFiles::PolicyFiles(std::string directory, const Clock* clock, std::function<Time()> now)
    : directory_(std::move(directory)), clock_(clock), now_(std::move(now)) {
  struct stat about = {};
  if (stat(directory_.c_str(), &about) == 0) folder_.emplace(about.st_dev, about.st_ino);
}

absl::StatusOr<PolicyFiles::Entry> PolicyFiles::Read(const std::string& path,
                                                     const FileStamp& stamp) const {
  const Timestamp now = clock_->Now();
  Entry entry;
  entry.stamp = stamp;
  entry.settled = HasSettled(stamp, now);
  const auto text = yaml::ReadDocument(path);
  if (absl::IsUnavailable(text.status())) return text.status();
  auto policy = text.ok() ? ParsePolicy(*text, path) : text.status();
  entry.result.status = policy.status();
  if (policy.ok()) {
    entry.result.policy = std::make_shared<const CompliancePolicy>(*std::move(policy));
  }
  return entry;
}

std::optional<PolicyFiles::Result> PolicyFiles::Known(absl::string_view tenant_id,
                                                      const FileStamp& stamp) {
  const MutexLock lock(mutex_);
  const auto known = entries_.find(tenant_id);
  if (known == entries_.end() || known->second.failures > 0) return std::nullopt;
  if (!known->second.settled || known->second.stamp != stamp) return std::nullopt;
  return known->second.result;
}

std::optional<PolicyFiles::Result> PolicyFiles::RecentFailure(absl::string_view tenant_id) {
  const MutexLock lock(mutex_);
  const auto known = entries_.find(tenant_id);
  if (known == entries_.end() || known->second.failures == 0) return std::nullopt;
  if (now_() >= known->second.again_at) return std::nullopt;
  return known->second.result;
}

PolicyFiles::Result PolicyFiles::Failed(absl::string_view tenant_id, absl::string_view message) {
  const MutexLock lock(mutex_);
  Entry& entry = entries_[tenant_id];
  entry.again_at =
      now_() + std::min(kRetryAtMost, kRetryAfter * (1 << std::min(entry.failures, 8)));
  ++entry.failures;
  entry.result = {Error(ErrorReason::kComplianceUnavailable, "", message), nullptr, false};
  Result result = entry.result;
  result.read_anew = true;
  return result;
}

// Why a file that is not there may be one that cannot be seen; empty where there is none.
std::string PolicyFiles::WhyUnseen(const std::string& path) {
  struct stat about = {};
  if (lstat(path.c_str(), &about) == 0) return "it is a link that leads nowhere";
  if (stat(directory_.c_str(), &about) != 0) {
    return absl::StrCat("its folder cannot be seen: ", std::strerror(errno));
  }
  const FolderId seen(about.st_dev, about.st_ino);
  const MutexLock lock(mutex_);
  // Another folder of this name is a new set of policies, or else the empty place where the file
  // system with the policies was mounted.
  if (folder_.has_value() && *folder_ != seen && !HoldsPolicies(directory_)) {
    return "its folder is not the one that it was, and holds no policy: was a file system "
           "unmounted?";
  }
  folder_ = seen;
  return "";
}

PolicyFiles::Result PolicyFiles::Get(absl::string_view tenant_id) {
  if (!IsTenantId(tenant_id)) return {};
  if (std::optional<Result> failure = RecentFailure(tenant_id)) return *std::move(failure);
  const std::string path = absl::StrCat(directory_, "/", tenant_id, ".yaml");
  struct stat about = {};
  if (stat(path.c_str(), &about) != 0) {
    const int error = errno;
    const std::string why = error == ENOENT ? WhyUnseen(path) : std::strerror(error);
    if (!why.empty()) return Failed(tenant_id, absl::StrCat(path, ":1: cannot be read: ", why));
    const MutexLock lock(mutex_);
    entries_.erase(tenant_id);
    return {};
  }
  const FileStamp stamp = StampOf(about);
  if (std::optional<Result> known = Known(tenant_id, stamp)) return *std::move(known);
  absl::StatusOr<Entry> entry = Read(path, stamp);
  if (!entry.ok()) return Failed(tenant_id, entry.status().message());
  Result result = entry->result;
  result.read_anew = true;
  const MutexLock lock(mutex_);
  // Should another thread have read a newer file meanwhile, the stamp shows it the next time.
  entries_.insert_or_assign(tenant_id, *std::move(entry));
  return result;
}

}  // namespace hourglass::issuance
