// What every Store must do, whatever it is made of: a suite for each of its roles, run for each
// kind.
#ifndef HOURGLASS_TESTS_CONFORMANCE_STORE_CONFORMANCE_H_
#define HOURGLASS_TESTS_CONFORMANCE_STORE_CONFORMANCE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
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

class StoreConformance : public testing::TestWithParam<StorePlaceMaker> {
 protected:
  void SetUp() override;

  const std::unique_ptr<StorePlace> place_ = GetParam()();
  std::unique_ptr<Store> store_;
};

class TenantStoreConformance : public StoreConformance {};
class RootKeyStoreConformance : public StoreConformance {};
class IntermediateStoreConformance : public StoreConformance {};
class JournalStoreConformance : public StoreConformance {};
class DeviceStoreConformance : public StoreConformance {};
class RelyingPartyStoreConformance : public StoreConformance {};
class AdministrativeJournalStoreConformance : public StoreConformance {};
class PolicyStoreConformance : public StoreConformance {};
class DirectoryStoreConformance : public StoreConformance {};
class BlockStoreConformance : public StoreConformance {};
class DeviceKeyStoreConformance : public StoreConformance {};
class DecisionFactsStoreConformance : public StoreConformance {};
class DecisionStoreConformance : public StoreConformance {};
// Of several stores of one content.
class StoreReplicasConformance : public StoreConformance {};

// What the calls of this thread tell of before they return. What a store tells of by threads of its
// own is left out: a change through another store, or for nothing, which may come at any time
// (TenantStore::changes).
class NewsOfThisThread {
 public:
  // Calls `listener`, too, if there is one. For one thread.
  explicit NewsOfThisThread(Store& store, TenantChanges::Listener listener = nullptr);

  // The tenants since the last call of this, in order.
  std::vector<std::string> Take() { return std::exchange(told_, {}); }

 private:
  std::vector<std::string> told_;
  const TenantChanges::Subscription subscription_;
};

// Moves one root of the sample tenant.
absl::Status Move(Store& store, std::uint64_t revision, const std::string& root_id,
                  ca::RootState from, ca::RootState to);

std::vector<std::string> RequestIds(const std::vector<JournalRecord>& records);

// All pages of the sample tenant's journal one after the other; `{"error"}` where a page fails or
// is too long.
std::vector<std::string> ListAll(Store& store, const JournalFilter& filter, int page_size);

// What was done to this tenant since it is there, newest first, one `ACTION SUBJECT` each; `error`
// where the store does not say.
std::vector<std::string> ActionsOf(Store& store, absl::string_view tenant_id = "contoso");

// All of them, for a kind of store.
#define HOURGLASS_INSTANTIATE_STORE_CONFORMANCE(name, maker)                                     \
  INSTANTIATE_TEST_SUITE_P(name, TenantStoreConformance, testing::Values(maker));                \
  INSTANTIATE_TEST_SUITE_P(name, RootKeyStoreConformance, testing::Values(maker));               \
  INSTANTIATE_TEST_SUITE_P(name, IntermediateStoreConformance, testing::Values(maker));          \
  INSTANTIATE_TEST_SUITE_P(name, JournalStoreConformance, testing::Values(maker));               \
  INSTANTIATE_TEST_SUITE_P(name, DeviceStoreConformance, testing::Values(maker));                \
  INSTANTIATE_TEST_SUITE_P(name, RelyingPartyStoreConformance, testing::Values(maker));          \
  INSTANTIATE_TEST_SUITE_P(name, AdministrativeJournalStoreConformance, testing::Values(maker)); \
  INSTANTIATE_TEST_SUITE_P(name, PolicyStoreConformance, testing::Values(maker));                \
  INSTANTIATE_TEST_SUITE_P(name, DirectoryStoreConformance, testing::Values(maker));             \
  INSTANTIATE_TEST_SUITE_P(name, BlockStoreConformance, testing::Values(maker));                 \
  INSTANTIATE_TEST_SUITE_P(name, DeviceKeyStoreConformance, testing::Values(maker));             \
  INSTANTIATE_TEST_SUITE_P(name, DecisionFactsStoreConformance, testing::Values(maker));         \
  INSTANTIATE_TEST_SUITE_P(name, DecisionStoreConformance, testing::Values(maker));              \
  INSTANTIATE_TEST_SUITE_P(name, StoreReplicasConformance, testing::Values(maker))

}  // namespace hourglass::issuance

#endif  // HOURGLASS_TESTS_CONFORMANCE_STORE_CONFORMANCE_H_
