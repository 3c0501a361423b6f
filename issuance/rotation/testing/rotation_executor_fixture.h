// What the tests of the rotation executor stand on.
#ifndef HOURGLASS_ISSUANCE_ROTATION_TESTING_ROTATION_EXECUTOR_FIXTURE_H_
#define HOURGLASS_ISSUANCE_ROTATION_TESTING_ROTATION_EXECUTOR_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/issuers/root_states.h"
#include "hsm/store/key_store.h"
#include "issuance/authorities/tenants.h"
#include "issuance/base/entropy.h"
#include "issuance/log/testing/captured_log.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/rotation/rotation_executor.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/timekeeping/testing/doubted_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {

inline constexpr std::chrono::hours kDay(24);

// What a process of the service has of it.
struct Process {
  Process(const std::string& database, const hsm::KeyStoreOptions& places,
          const IssuingConfig& contoso, Entropy* entropy, const Clock* clock, const EventLog* log)
      : store(OpenSqliteStore(database).value()),
        keys(hsm::KeyStore::Create(places).value()),
        tenants(store.get(), keys.get(), IssuingConfig(), {{"contoso", contoso}}),
        roots(store.get(), keys.get(), &tenants, entropy, clock),
        executor(store.get(), &roots, &tenants, clock, log) {}

  std::unique_ptr<Store> store;
  std::unique_ptr<hsm::KeyStore> keys;
  Tenants tenants;
  RootAdministration roots;
  RotationExecutor executor;
};

// Contoso has a primary for 100 days, a policy and a relying party; fabrikam has no policy.
class RotationExecutorTest : public testing::Test {
 protected:
  RotationExecutorTest() { contoso_.rotation.mode = RotationMode::kAutomatic; }

  void SetUp() override {
    Restart();
    for (const std::string tenant_id : {"contoso", "fabrikam"}) {
      TenantRecord tenant;
      tenant.tenant_id = tenant_id;
      tenant.display_name = tenant_id;
      tenant.created_at = clock_.Now();
      ASSERT_OK(store().CreateTenant(tenant));
      MakePrimary(tenant_id);
    }
    RelyingPartyRecord party;
    party.tenant_id = "contoso";
    party.name = "vpn";
    party.identity = "gateway";
    ASSERT_OK(store().AddRelyingParty(party, {clock_.Now(), "admin", ""}));
  }

  std::string Database() const { return directory_.File("store.sqlite"); }
  hsm::KeyStoreOptions Places() const {
    hsm::KeyStoreOptions places;
    if (token_uri_.empty()) {
      places.software_directory = directory_.File("keys");
    } else {
      places.tokens = {token_uri_};
    }
    return places;
  }

  void MakePrimary(const std::string& tenant_id) {
    RootOrder order;
    order.tenant_id = tenant_id;
    order.duration = 100 * kDay;
    order.key_type = hsm::KeyType::kEcP256;
    order.issuing_sub_keys = primaries_allow_sub_keys_;
    ASSERT_OK_AND_ASSIGN(const RootRecord root, process_->roots.Create(order));
    PromotionOrder promotion;
    promotion.tenant_id = tenant_id;
    promotion.root_id = root.root_id;
    promotion.without_relying_parties = true;
    ASSERT_OK(process_->roots.Promote(promotion));
  }

  void Restart() {
    process_.reset();
    process_.emplace(Database(), Places(), contoso_, &entropy_, &clock_, log_.log());
  }

  Store& store() { return *process_->store; }
  void Pass() { process_->executor.Pass(); }
  void Advance(std::chrono::seconds by) { clock_.now += by; }

  void Acknowledge() {
    ASSERT_OK_AND_ASSIGN(const TenantRecord tenant, store().GetTenant("contoso"));
    ASSERT_OK(
        store().Acknowledge({"contoso", "vpn", "gateway", tenant.revision, std::string(32, 'h')},
                            {clock_.Now(), "gateway", ""}));
  }

  std::vector<RootRecord> Roots() { return store().ListRoots("contoso").value(); }
  // `r1 PRIMARY`, by generation.
  std::vector<std::string> States() {
    std::vector<std::string> states;
    for (const RootRecord& root : Roots()) {
      states.push_back(absl::StrCat(root.root_id, " ", ca::RootStateName(root.state)));
    }
    return states;
  }
  // What the journal says that the service did, the oldest first.
  std::vector<std::string> Done() {
    std::vector<std::string> done;
    const auto page = store().ListAdministrativeActions("contoso", 100, "");
    EXPECT_OK(page);
    for (const AdministrativeAction& action : page->records) {
      if (action.caller != kRotationCaller) continue;
      done.insert(done.begin(), absl::StrCat(action.action, " ", action.subject));
    }
    return done;
  }
  // `rotation_blocked r2`, of what was said since the last time.
  std::vector<std::string> Said() {
    std::vector<std::string> said;
    for (LoggedLine& line : log_.Take()) {
      said.push_back(absl::StrCat(line["event"], " ", line["action"], line["root"]));
      last_line_ = line;
    }
    return said;
  }

  std::size_t KeyFiles() {
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& file :
         std::filesystem::directory_iterator(directory_.File("keys"))) {
      ++files;
    }
    return files;
  }

  const TemporaryDirectory directory_;
  DoubtedClock clock_{SystemClock().Now()};
  SystemEntropy entropy_;
  CapturedLog log_;
  LoggedLine last_line_;
  IssuingConfig contoso_;
  bool primaries_allow_sub_keys_ = false;
  std::string token_uri_;  // empty: keys in files
  std::optional<Process> process_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_TESTING_ROTATION_EXECUTOR_FIXTURE_H_
