// What every Store must do, whatever it is made of: one suite, run for each kind.
#ifndef HOURGLASS_TESTS_CONFORMANCE_STORE_CONFORMANCE_H_
#define HOURGLASS_TESTS_CONFORMANCE_STORE_CONFORMANCE_H_

#include <gtest/gtest.h>

#include <memory>

#include "absl/status/statusor.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// A place for one store, empty at first, that goes with this object.
class StorePlace {
 public:
  virtual ~StorePlace() = default;
  // Another Store of the same content, as another process would have one. Must go before this
  // object.
  virtual absl::StatusOr<std::unique_ptr<Store>> Open() = 0;
};

using StorePlaceMaker = std::unique_ptr<StorePlace> (*)();

// Instantiate with a StorePlaceMaker for each kind of store.
class StoreConformance : public testing::TestWithParam<StorePlaceMaker> {
 protected:
  void SetUp() override;

  const std::unique_ptr<StorePlace> place_ = GetParam()();
  std::unique_ptr<Store> store_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_TESTS_CONFORMANCE_STORE_CONFORMANCE_H_
