// What tests of services stand on (service_test.h), with all that makes roots of software keys.
#ifndef HOURGLASS_ISSUANCE_SERVICES_TESTING_SERVICE_WITH_KEYS_TEST_H_
#define HOURGLASS_ISSUANCE_SERVICES_TESTING_SERVICE_WITH_KEYS_TEST_H_

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "hsm/store/key_store.h"
#include "issuance/authorities/tenants.h"
#include "issuance/base/entropy.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/services/testing/service_test.h"

namespace hourglass::issuance {

class ServiceWithKeysTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    hsm::KeyStoreOptions options;
    options.software_directory = directory_.File("keys");
    ASSERT_OK_AND_ASSIGN(keys_, hsm::KeyStore::Create(options));
    tenants_.emplace(store_.get(), keys_.get(), IssuingConfig(),
                     std::map<std::string, IssuingConfig>());
    roots_.emplace(store_.get(), keys_.get(), &*tenants_, &entropy_, &clock_);
    ASSERT_OK(store_->CreateTenant(SampleTenant()));
  }

  // A STAGED root of contoso.
  RootRecord MakeRoot(const std::string& key_uri = "", bool issuing_sub_keys = false) {
    RootOrder order;
    order.tenant_id = std::string(kSampleTenant);
    order.duration = std::chrono::hours(24 * 365);
    order.key_type = hsm::KeyType::kEcP256;
    order.key_reach = KeyReach::kEveryTenant;
    order.key_uri = key_uri;
    order.issuing_sub_keys = issuing_sub_keys;
    const auto root = roots_->Create(order);
    EXPECT_OK(root);
    return root.ok() ? *root : RootRecord();
  }

  // Whether the software key is there.
  bool HasKey(const std::string& uri) { return keys_->Open(uri).ok(); }

  SystemEntropy entropy_;
  std::unique_ptr<hsm::KeyStore> keys_;
  std::optional<Tenants> tenants_;
  std::optional<RootAdministration> roots_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_TESTING_SERVICE_WITH_KEYS_TEST_H_
