// The pipeline where a tenant's certificates are signed by an issuing sub-key.
#ifndef HOURGLASS_ISSUANCE_PIPELINE_TESTING_SUB_KEY_PIPELINE_FIXTURE_H_
#define HOURGLASS_ISSUANCE_PIPELINE_TESTING_SUB_KEY_PIPELINE_FIXTURE_H_

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "issuance/authorities/sub_keys.h"
#include "issuance/log/event_log.h"
#include "issuance/pipeline/testing/pipeline_fixture.h"

namespace hourglass::issuance {

class SubKeyPipelineTest : public PipelineTest {
 protected:
  void SetUp() override {
    PipelineTest::SetUp();
    StartProcess();
    RootOrder order;
    order.tenant_id = "contoso";
    order.duration = std::chrono::hours(24 * 365);
    order.key_type = hsm::KeyType::kEcP256;
    order.issuing_sub_keys = true;
    ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(order));
    ASSERT_OK(roots_->Promote(
        {.tenant_id = "contoso", .root_id = root.root_id, .without_relying_parties = true}));
  }

  // What another start of the service has: the same store and keys, and no sub-key.
  void StartProcess() {
    pipeline_.reset();
    roots_.reset();
    tenants_.reset();
    sub_keys_.reset();
    IssuingConfig issuing;
    issuing.sub_key.enabled = true;
    sub_keys_.emplace(&*store_, &entropy_, &clock_, EventLog::Silent());
    tenants_.emplace(&*store_, keys_.get(), issuing, std::map<std::string, IssuingConfig>(),
                     &*sub_keys_);
    roots_.emplace(&*store_, keys_.get(), &*tenants_, &entropy_, &clock_);
    pipeline_.emplace(&*tenants_, &*compliance_, &*journal_, &entropy_, &clock_);
  }

  std::optional<SubKeys> sub_keys_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_PIPELINE_TESTING_SUB_KEY_PIPELINE_FIXTURE_H_
