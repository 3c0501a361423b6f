// A store in which somebody else comes first.
#ifndef HOURGLASS_ISSUANCE_STORE_TESTING_OVERTAKEN_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_TESTING_OVERTAKEN_STORE_H_

#include <functional>
#include <utility>

#include "issuance/store/testing/forwarding_store.h"

namespace hourglass::issuance {

// Lets something else happen right before it changes roots, and right after.
class OvertakenStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::Status ChangeRootStates(absl::string_view tenant_id, std::uint64_t expected_revision,
                                absl::Span<const RootStateChange> changes,
                                const RootChangeOrder& order) override {
    if (before_change) std::exchange(before_change, nullptr)();
    const absl::Status changed =
        ForwardingStore::ChangeRootStates(tenant_id, expected_revision, changes, order);
    if (after_change) std::exchange(after_change, nullptr)();
    return changed;
  }

  // Called once each.
  std::function<void()> before_change;
  std::function<void()> after_change;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TESTING_OVERTAKEN_STORE_H_
