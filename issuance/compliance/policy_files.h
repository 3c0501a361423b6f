#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_POLICY_FILES_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_POLICY_FILES_H_

#include <memory>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "issuance/compliance/policy.h"

namespace hourglass::issuance {

// The policies of a folder, `TENANT_ID.yaml` each. Safe to call from several threads.
class PolicyFiles {
 public:
  struct Result {
    // OK with a policy; OK without one where the tenant has no file; or CONFIGURATION_INVALID with
    // the file's mistakes.
    absl::Status status;
    std::shared_ptr<const CompliancePolicy> policy;
    // Whether the file was read for this answer, or the answer is known from before.
    bool read_anew = false;
  };

  explicit PolicyFiles(std::string directory) : directory_(std::move(directory)) {}

  // What the file says now: each call looks whether it has changed, and reads it only then or when
  // it is first asked for. Nobody waits for another tenant's file. `tenant_id` must be one
  // (IsTenantId); others have no policy, whatever files there are.
  Result Get(absl::string_view tenant_id);

 private:
  // How a file is told from what it was.
  struct Stamp {
    unsigned long long device = 0;  // NOLINT(google-runtime-int): as wide as any dev_t and ino_t
    unsigned long long inode = 0;   // NOLINT(google-runtime-int)
    long long size = 0;             // NOLINT(google-runtime-int)
    long long modified = 0;         // NOLINT(google-runtime-int): nanoseconds since 1970
    long long changed = 0;          // NOLINT(google-runtime-int): nanoseconds since 1970

    bool operator==(const Stamp&) const = default;
  };
  struct Entry {
    Stamp stamp;
    bool settled = false;
    Result result;
  };

  static Entry Read(const std::string& path, const Stamp& stamp);

  const std::string directory_;
  std::mutex mutex_;
  absl::flat_hash_map<std::string, Entry> entries_;  // by tenant id; guarded by mutex_
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_POLICY_FILES_H_
