#include "issuance/rotation/testing/many_tenants.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ca/issuers/root_certificate.h"
#include "ca/issuers/root_states.h"
#include "hsm/base/status_macros.h"
#include "issuance/rotation/root_administration.h"

namespace hourglass::issuance {
namespace {

// More than the processors: half of the work waits for the disk.
constexpr int kThreadsPerProcessor = 4;

class Maker {
 public:
  Maker(const TenantsToMake& order, Store* store, hsm::KeyStore* keys, Entropy* entropy,
        const Clock* clock)
      : order_(order), store_(store), keys_(keys), entropy_(entropy), clock_(clock) {}

  absl::Status Make(const std::string& tenant_id) {
    TenantRecord tenant;
    tenant.tenant_id = tenant_id;
    tenant.display_name = absl::StrCat("Tenant ", tenant_id);
    tenant.created_at = clock_->Now();
    RETURN_IF_ERROR(store_->CreateTenant(tenant));
    for (int i = 0; i < order_.roots_per_tenant; ++i) RETURN_IF_ERROR(AddRoot(tenant));
    RETURN_IF_ERROR(Change(tenant_id, {{RootIdOf(1), kStaged, kPrimary}}));
    if (order_.roots_per_tenant < 3) return absl::OkStatus();
    return Change(tenant_id,
                  {{RootIdOf(1), kPrimary, kRetiring}, {RootIdOf(2), kStaged, kPrimary}});
  }

 private:
  static constexpr auto kStaged = ca::RootState::kStaged;
  static constexpr auto kPrimary = ca::RootState::kPrimary;
  static constexpr auto kRetiring = ca::RootState::kRetiring;

  absl::Status AddRoot(const TenantRecord& tenant) {
    ASSIGN_OR_RETURN(const int generation, store_->ReserveGeneration(tenant.tenant_id));
    ASSIGN_OR_RETURN(
        const std::string name,
        keys_->DefaultUri(absl::StrCat("hourglass-", tenant.tenant_id, "-r", generation)));
    ASSIGN_OR_RETURN(const std::string uri, keys_->CanonicalUri(name));
    RETURN_IF_ERROR(store_->PlanKey({tenant.tenant_id, generation, uri, ""}));
    ASSIGN_OR_RETURN(const std::unique_ptr<hsm::SigningKey> key,
                     keys_->Generate(uri, order_.key_type));
    ca::RootSpecification specification;
    specification.display_name = tenant.display_name;
    specification.generation = generation;
    specification.now = std::chrono::floor<std::chrono::seconds>(clock_->Now());
    specification.duration = order_.duration;
    ASSIGN_OR_RETURN(specification.serial_entropy, entropy_->Take(ca::kSerialSize));
    ASSIGN_OR_RETURN(const ca::RootCertificate certificate, ca::IssueRoot(specification, *key));
    RootRecord root;
    root.tenant_id = tenant.tenant_id;
    root.root_id = RootIdOf(generation);
    root.generation = generation;
    root.key_type = order_.key_type;
    root.key_uri = uri;
    root.key_made_for_root = true;
    root.certificate = certificate.der();
    root.not_before = certificate.not_before();
    root.not_after = certificate.not_after();
    root.created_at = clock_->Now();
    root.state_since = root.created_at;
    return store_->AddRoot(root);
  }

  absl::Status Change(const std::string& tenant_id, const std::vector<RootStateChange>& changes) {
    ASSIGN_OR_RETURN(const TenantRecord tenant, store_->GetTenant(tenant_id));
    return store_->ChangeRootStates(tenant_id, tenant.revision, changes, {clock_->Now()});
  }

  const TenantsToMake& order_;
  Store* const store_;
  hsm::KeyStore* const keys_;
  Entropy* const entropy_;
  const Clock* const clock_;
};

}  // namespace

std::string TenantIdOf(int number) { return absl::StrFormat("t%05d", number); }

absl::StatusOr<std::vector<std::string>> MakeTenants(const TenantsToMake& order, Store* store,
                                                     hsm::KeyStore* keys, Entropy* entropy,
                                                     const Clock* clock) {
  std::vector<std::string> tenant_ids;
  for (int i = 0; i < order.tenants; ++i) tenant_ids.push_back(TenantIdOf(i));
  Maker maker(order, store, keys, entropy, clock);
  std::atomic<std::size_t> next = 0;
  const auto make_some = [&]() -> absl::Status {
    for (std::size_t i = next++; i < tenant_ids.size(); i = next++) {
      RETURN_IF_ERROR(maker.Make(tenant_ids[i]));
    }
    return absl::OkStatus();
  };
  const unsigned processors = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::future<absl::Status>> threads;
  for (unsigned i = 0; i < kThreadsPerProcessor * processors; ++i) {
    threads.push_back(std::async(std::launch::async, make_some));
  }
  absl::Status status;
  for (std::future<absl::Status>& thread : threads) status.Update(thread.get());
  RETURN_IF_ERROR(status);
  return tenant_ids;
}

}  // namespace hourglass::issuance
