#include "tests/conformance/store_conformance.h"

#include "tests/support/status_matchers.h"

namespace hourglass::issuance {

void StoreConformance::SetUp() { ASSERT_OK_AND_ASSIGN(store_, place_->Open()); }

}  // namespace hourglass::issuance
