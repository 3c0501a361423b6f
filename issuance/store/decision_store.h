// The role of the store that keeps decisions against somebody.
#ifndef HOURGLASS_ISSUANCE_STORE_DECISION_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_DECISION_STORE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/decision_records.h"
#include "issuance/store/page.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

// The contract that all roles share stands at Store (issuance/store/store.h). Events are also
// written by BlockStore::Block and DirectoryStore::PutUsers, each in the transaction of the change
// itself. Of one tenant they become visible in the order of their sequences, whoever writes them:
// who has read one reads none with a lower sequence later on.
class DecisionStore {
 public:
  virtual ~DecisionStore() = default;
  DecisionStore(const DecisionStore&) = delete;
  DecisionStore& operator=(const DecisionStore&) = delete;

  // Writes all in one transaction, the events as far as they are untold. A refusal whose verdict id
  // the tenant has already is left out. Errors: TENANT_UNKNOWN.
  virtual absl::Status KeepRefusals(absl::Span<const RefusalRecord> refusals,
                                    absl::Span<const UntoldEvent> events) = 0;
  // Newest first. Pages as Page says.
  virtual absl::StatusOr<Page<RefusalRecord>> ListRefusals(absl::string_view tenant_id,
                                                           const RefusalFilter& filter,
                                                           int page_size,
                                                           absl::string_view page_token) = 0;
  // As DeviceStore::PutDevice, with the event where it is untold.
  virtual absl::Status PutDeviceTelling(const DeviceRecord& device, const UntoldEvent& event) = 0;
  // As DeviceStore::RemoveDevice, with the event.
  virtual absl::Status RemoveDeviceTelling(const DecisionEvent& event) = 0;

  // At most `limit` with a higher sequence than `after`, in its order.
  virtual absl::StatusOr<std::vector<DecisionEvent>> ListEvents(absl::string_view tenant_id,
                                                                std::uint64_t after, int limit) = 0;
  // Nothing where it is not there, or not any more.
  virtual absl::StatusOr<std::optional<DecisionEvent>> FindEvent(absl::string_view tenant_id,
                                                                 std::uint64_t sequence) = 0;
  // The sequence of the newest event of each tenant that ever had one.
  virtual absl::StatusOr<std::map<std::string, std::uint64_t>> NewestEvents() = 0;

  // Deletes refusals of before `refusals_before`, and events before the first that is not of before
  // `events_before`, but not a tenant's newest. In portions, so that nobody waits for long.
  virtual absl::Status DropDecisions(Timestamp refusals_before, Timestamp events_before) = 0;

 protected:
  DecisionStore() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_DECISION_STORE_H_
