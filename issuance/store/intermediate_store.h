// The role of the store that keeps issuing intermediates.
#ifndef HOURGLASS_ISSUANCE_STORE_INTERMEDIATE_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_INTERMEDIATE_STORE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/page.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

// The contract that all roles share stands at Store (issuance/store/store.h).
class IntermediateStore {
 public:
  virtual ~IntermediateStore() = default;
  IntermediateStore(const IntermediateStore&) = delete;
  IntermediateStore& operator=(const IntermediateStore&) = delete;

  // Records an intermediate before it is signed. Errors: TENANT_UNKNOWN; PRIMARY_CHANGED unless its
  // epoch is the tenant's and its root the tenant's PRIMARY (promise 6); INTERNAL_ERROR for one
  // that is released, or whose (tenant, root, serial) is there already.
  virtual absl::Status AddIntermediate(const IntermediateRecord& intermediate) = 0;
  // Records what the root's key signed, before anything is signed with the sub-key. Errors:
  // CERTIFICATE_UNKNOWN without such an intermediate; PRIMARY_CHANGED unless its epoch is the
  // tenant's and its root the tenant's PRIMARY; INTERNAL_ERROR if it was released already.
  virtual absl::Status ReleaseIntermediate(absl::string_view tenant_id, absl::string_view root_id,
                                           absl::string_view serial_number,
                                           absl::string_view certificate,
                                           Timestamp released_at) = 0;
  // Errors: CERTIFICATE_UNKNOWN.
  virtual absl::StatusOr<IntermediateRecord> GetIntermediate(absl::string_view tenant_id,
                                                             absl::string_view root_id,
                                                             absl::string_view serial_number) = 0;
  // Of one root, newest first. Pages as Page says.
  virtual absl::StatusOr<Page<IntermediateRecord>> ListIntermediates(
      absl::string_view tenant_id, absl::string_view root_id, int page_size,
      absl::string_view page_token) = 0;

 protected:
  IntermediateStore() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_INTERMEDIATE_STORE_H_
