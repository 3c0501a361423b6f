#include "issuance/server/timed_rotation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <string>

#include "hsm/store/key_store.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/forwarding_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

TEST(AnyRotationPolicyTest, OneTenantIsEnough) {
  Config config;
  EXPECT_FALSE(AnyRotationPolicy(config));
  config.tenants["contoso"];
  EXPECT_FALSE(AnyRotationPolicy(config));
  config.tenants["fabrikam"].rotation.mode = RotationMode::kDryRun;
  EXPECT_TRUE(AnyRotationPolicy(config));
  config.tenants.clear();
  config.issuing.rotation.mode = RotationMode::kAutomatic;
  EXPECT_TRUE(AnyRotationPolicy(config));
}

// Tells when tenants were listed for the first time.
class WatchedStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::StatusOr<std::vector<TenantRecord>> ListTenants() override {
    if (!told_) listed_.set_value();
    told_ = true;
    return ForwardingStore::ListTenants();
  }
  void WaitForListing() { listed_.get_future().wait(); }

 private:
  bool told_ = false;  // for the one thread of a TimedRotation
  std::promise<void> listed_;
};

// The next pass would be a minute later: what is seen here is the first.
TEST(TimedRotationTest, PassesAtOnceAndStopsWhileItWaits) {
  const TemporaryDirectory directory;
  ASSERT_OK_AND_ASSIGN(const auto sqlite, OpenSqliteStore(directory.File("store.sqlite")));
  hsm::KeyStoreOptions options;
  options.software_directory = directory.File("keys");
  ASSERT_OK_AND_ASSIGN(const auto keys, hsm::KeyStore::Create(options));
  ManualClock clock;
  SystemEntropy entropy;
  const EventLog log = EventLog::Silent();
  WatchedStore store(sqlite.get());
  Tenants tenants(sqlite.get(), keys.get(), IssuingConfig(),
                  std::map<std::string, IssuingConfig>());
  RootAdministration roots(sqlite.get(), keys.get(), &tenants, &entropy, &clock);
  TimedRotation rotation(&store, &roots, &tenants, &clock, &log);
  store.WaitForListing();
}

}  // namespace
}  // namespace hourglass::issuance
