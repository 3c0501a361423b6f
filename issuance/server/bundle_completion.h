// Lets trust bundles be completed that not all of their roots could sign.
#ifndef HOURGLASS_ISSUANCE_SERVER_BUNDLE_COMPLETION_H_
#define HOURGLASS_ISSUANCE_SERVER_BUNDLE_COMPLETION_H_

#include <atomic>

#include "issuance/base/recurring.h"
#include "issuance/rotation/trust_bundles.h"

namespace hourglass::issuance {

// Tries at once and every TrustBundles::kRetry from then on (TrustBundles::TryAgain): whoever
// watches a bundle waits, and asks for nothing.
class BundleCompletion {
 public:
  // Starts. `bundles` must outlive this object.
  explicit BundleCompletion(TrustBundles* bundles);
  // Waits for the tenant that is being tried: for as long as its tokens take to answer.
  ~BundleCompletion() { stopping_ = true; }
  BundleCompletion(const BundleCompletion&) = delete;
  BundleCompletion& operator=(const BundleCompletion&) = delete;

 private:
  std::atomic<bool> stopping_ = false;
  const Recurring trying_;  // the last: it uses what is above
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_BUNDLE_COMPLETION_H_
