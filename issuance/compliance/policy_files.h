// Where the policy of a tenant comes from.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_POLICY_FILES_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_POLICY_FILES_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/base/file_stamp.h"
#include "issuance/compliance/policy.h"

namespace hourglass::issuance {

// The policies of a folder, `TENANT_ID.yaml` each. Safe to call from several threads.
class PolicyFiles {
 public:
  struct Result {
    // OK with a policy; OK without one where the tenant has no file; CONFIGURATION_INVALID with the
    // file's mistakes; or COMPLIANCE_UNAVAILABLE where the file could not be read, or its folder is
    // not the one that it was: what it says is not known then.
    absl::Status status;
    std::shared_ptr<const CompliancePolicy> policy;
    // Whether the file was read for this answer, or the answer is known from before.
    bool read_anew = false;
  };

  using Time = std::chrono::steady_clock::time_point;

  // `clock` is the machine's, which stamps of files are taken from, and must outlive this object;
  // `now` paces what is tried again.
  PolicyFiles(std::string directory, const Clock* clock,
              std::function<Time()> now = std::chrono::steady_clock::now);

  // What the file says now: each call looks whether it has changed, and reads it only then or when
  // it is first asked for. What was parsed is remembered, with its mistakes; what could not be read
  // is tried again, after 100 ms first and 5 s at most, though nobody touches the file. Nobody
  // waits for another tenant's file. `tenant_id` must be one (IsTenantId); others have no policy,
  // whatever files there are.
  Result Get(absl::string_view tenant_id);

 private:
  struct Entry {
    FileStamp stamp;
    bool settled = false;
    Result result;
    // Of attempts to read it, in a row; the next one is made at `again_at`.
    int failures = 0;
    Time again_at;
  };
  // Device and inode.
  using FolderId = std::pair<unsigned long long, unsigned long long>;  // NOLINT(google-runtime-int)

  absl::StatusOr<Entry> Read(const std::string& path, const FileStamp& stamp) const;
  std::optional<Result> Known(absl::string_view tenant_id, const FileStamp& stamp);
  std::optional<Result> RecentFailure(absl::string_view tenant_id);
  Result Failed(absl::string_view tenant_id, absl::string_view message);
  std::string WhyUnseen(const std::string& path);

  const std::string directory_;
  const Clock* const clock_;
  const std::function<Time()> now_;
  Mutex mutex_;
  std::optional<FolderId> folder_ ABSL_GUARDED_BY(mutex_);  // the one that was seen last
  absl::flat_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);  // by tenant id
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_POLICY_FILES_H_
