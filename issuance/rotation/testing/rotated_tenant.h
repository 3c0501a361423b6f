// A tenant whose roots a test makes and moves as it likes.
#ifndef HOURGLASS_ISSUANCE_ROTATION_TESTING_ROTATED_TENANT_H_
#define HOURGLASS_ISSUANCE_ROTATION_TESTING_ROTATED_TENANT_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/issuers/root_certificate.h"
#include "ca/issuers/root_states.h"
#include "hsm/base/status_macros.h"
#include "hsm/store/key_store.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/store/store.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {

// Writes to the store what the administration writes, without what it asks first: a promotion waits
// for nobody. The roots are r1, r2 and so on, with software keys. A failure is one of the test.
class RotatedTenant {
 public:
  // Makes the tenant. All must outlive this object.
  RotatedTenant(Store* store, hsm::KeyStore* keys, const Clock* clock,
                std::string tenant_id = "contoso")
      : store_(store), keys_(keys), clock_(clock), tenant_id_(std::move(tenant_id)) {
    TenantRecord tenant;
    tenant.tenant_id = tenant_id_;
    tenant.display_name = tenant_id_;
    tenant.created_at = clock_->Now();
    EXPECT_OK(store_->CreateTenant(tenant));
  }

  const std::string& tenant_id() const { return tenant_id_; }

  // The next root, STAGED.
  RootRecord Stage(hsm::KeyType key_type = hsm::KeyType::kEcP256) {
    absl::StatusOr<RootRecord> root = Add(key_type);
    EXPECT_OK(root);
    return root.ok() ? *std::move(root) : RootRecord();
  }
  // The next root, PRIMARY.
  RootRecord StagePrimary(hsm::KeyType key_type = hsm::KeyType::kEcP256) {
    RootRecord root = Stage(key_type);
    Promote(root.root_id);
    return root;
  }
  // From STAGED or RETIRING, and the primary that there is to RETIRING.
  void Promote(const std::string& root_id) {
    std::vector<RootStateChange> changes = {
        {root_id, Root(root_id).state, ca::RootState::kPrimary}};
    for (const RootRecord& root : Roots()) {
      if (root.state != ca::RootState::kPrimary) continue;
      changes.push_back({root.root_id, root.state, ca::RootState::kRetiring});
    }
    Change(changes);
  }
  // From RETIRING, and from STAGED.
  void Retire(const std::string& root_id) {
    Change({{root_id, ca::RootState::kRetiring, ca::RootState::kRetired}});
  }
  void Discard(const std::string& root_id) {
    Change({{root_id, ca::RootState::kStaged, ca::RootState::kDiscarded}});
  }

  TenantRecord Tenant() const {
    const absl::StatusOr<TenantRecord> tenant = store_->GetTenant(tenant_id_);
    EXPECT_OK(tenant);
    return tenant.value_or(TenantRecord());
  }
  std::vector<RootRecord> Roots() const {
    const absl::StatusOr<std::vector<RootRecord>> roots = store_->ListRoots(tenant_id_);
    EXPECT_OK(roots);
    return roots.value_or(std::vector<RootRecord>());
  }
  RootRecord Root(const std::string& root_id) const {
    const absl::StatusOr<RootRecord> root = store_->GetRoot(tenant_id_, root_id);
    EXPECT_OK(root);
    return root.value_or(RootRecord());
  }

 private:
  absl::StatusOr<RootRecord> Add(hsm::KeyType key_type) {
    ASSIGN_OR_RETURN(const int generation, store_->ReserveGeneration(tenant_id_));
    const std::string uri = absl::StrCat("software:", tenant_id_, "-r", generation);
    RETURN_IF_ERROR(store_->PlanKey({tenant_id_, generation, uri, ""}));
    ASSIGN_OR_RETURN(const std::unique_ptr<hsm::SigningKey> key, keys_->Generate(uri, key_type));
    ca::RootSpecification specification;
    specification.display_name = tenant_id_;
    specification.generation = generation;
    specification.now = std::chrono::floor<std::chrono::seconds>(clock_->Now());
    specification.duration = std::chrono::hours(24 * 365);
    SystemEntropy entropy;
    ASSIGN_OR_RETURN(specification.serial_entropy, entropy.Take(ca::kSerialSize));
    ASSIGN_OR_RETURN(const ca::RootCertificate certificate, ca::IssueRoot(specification, *key));
    RootRecord root;
    root.tenant_id = tenant_id_;
    root.root_id = absl::StrCat("r", generation);
    root.generation = generation;
    root.key_type = key_type;
    root.key_uri = uri;
    root.key_made_for_root = true;
    root.certificate = certificate.der();
    root.not_before = certificate.not_before();
    root.not_after = certificate.not_after();
    root.created_at = clock_->Now();
    root.state_since = root.created_at;
    RETURN_IF_ERROR(store_->AddRoot(root));
    return root;
  }

  void Change(const std::vector<RootStateChange>& changes) {
    RootChangeOrder order;
    order.now = clock_->Now();
    EXPECT_OK(store_->ChangeRootStates(tenant_id_, Tenant().revision, changes, order));
  }

  Store* const store_;
  hsm::KeyStore* const keys_;
  const Clock* const clock_;
  const std::string tenant_id_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_TESTING_ROTATED_TENANT_H_
