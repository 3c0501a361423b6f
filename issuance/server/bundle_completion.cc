#include "issuance/server/bundle_completion.h"

namespace hourglass::issuance {

BundleCompletion::BundleCompletion(TrustBundles* bundles)
    : trying_(TrustBundles::kRetry, [this, bundles] { bundles->TryAgain(stopping_); }) {}

}  // namespace hourglass::issuance
