#include "issuance/services/rotation_service.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/config/issuing_config.h"
#include "issuance/rotation/tenant_quota.h"
#include "issuance/rotation/trust_bundles.h"
#include "issuance/services/record_mapper.h"
#include "issuance/services/rotation_mapper.h"
#include "issuance/services/testing/service_with_keys_test.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr hours kYear(24 * 365);

class RotationServiceTest : public ServiceWithKeysTest {
 protected:
  void SetUp() override {
    ServiceWithKeysTest::SetUp();
    bundles_.emplace(store_.get(), keys_.get(), EventLog::Silent());
    Configure({});
  }

  void Configure(const IssuingConfig& contoso) {
    service_.reset();
    roots_.reset();
    tenants_.emplace(store_.get(), keys_.get(), IssuingConfig(),
                     std::map<std::string, IssuingConfig>{{"contoso", contoso}});
    roots_.emplace(store_.get(), keys_.get(), &*tenants_, &entropy_, &clock_);
    service_.emplace(nullptr, RotationService::Means{.store = store_.get(),
                                                     .roots = &*roots_,
                                                     .tenants = &*tenants_,
                                                     .bundles = &*bundles_,
                                                     .clock = &clock_,
                                                     .log = log_.log()});
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(absl::Status (RotationService::*method)(const Caller&,
                                                                        const Request&, Response*),
                                const std::string& request) {
    Response response;
    const absl::Status status =
        ((*service_).*method)(administrator_, MessageOf<Request>(request), &response);
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<v1::RelyingParty> Register(const std::string& request) {
    return Call(&RotationService::RegisterRelyingParty, "tenant_id: 'contoso' " + request);
  }
  absl::StatusOr<v1::RelyingParty> Remove(const std::string& request) {
    return Call(&RotationService::RemoveRelyingParty, "tenant_id: 'contoso' " + request);
  }
  absl::StatusOr<v1::RelyingParty> Attest(const std::string& name, std::uint64_t version,
                                          const std::string& reason = "installed by hand") {
    return Call(&RotationService::AttestRelyingParty,
                absl::StrCat("tenant_id: 'contoso' name: '", name, "' version: ", version,
                             " reason: '", reason, "'"));
  }
  absl::StatusOr<v1::Rotation> Get() {
    return Call(&RotationService::GetRotation, "tenant_id: 'contoso'");
  }
  absl::StatusOr<v1::PlanRotationResponse> Plan(const std::string& request = "") {
    return Call(&RotationService::PlanRotation, "tenant_id: 'contoso' " + request);
  }
  std::vector<std::string> Names(const std::string& tenant_id = "contoso") {
    const auto listed =
        Call(&RotationService::ListRelyingParties, "tenant_id: '" + tenant_id + "'");
    EXPECT_OK(listed);
    std::vector<std::string> names;
    if (!listed.ok()) return names;
    for (const v1::RelyingParty& party : listed->relying_parties()) names.push_back(party.name());
    return names;
  }

  void Promote(const std::string& root_id) {
    ASSERT_OK(roots_->Promote(
        {.tenant_id = "contoso", .root_id = root_id, .without_relying_parties = true}));
  }

  std::uint64_t Version() { return store_->GetTenant("contoso")->revision; }

  // Of each action of this name who did it to whom and why, the newest first.
  std::vector<std::string> Recorded(const std::string& name) {
    const auto page = store_->ListAdministrativeActions("contoso", 100, "");
    EXPECT_OK(page);
    std::vector<std::string> actions;
    for (const AdministrativeAction& action : page->records) {
      if (action.action != name) continue;
      actions.push_back(absl::StrCat(action.caller, " ", action.subject, " ", action.reason));
    }
    return actions;
  }

  std::optional<TrustBundles> bundles_;
  std::optional<RotationService> service_;
};

TEST_F(RotationServiceTest, ARelyingPartyIsRegisteredListedAndRemoved) {
  ASSERT_OK_AND_ASSIGN(const v1::RelyingParty speaks,
                       Register("name: 'vpn-2' identity: 'VPN gateway 2' kind: 'strongswan'"));
  EXPECT_THAT(speaks, IsMessage([&] {
                auto wanted = MessageOf<v1::RelyingParty>(
                    "tenant_id: 'contoso' name: 'vpn-2' identity: 'VPN gateway 2' "
                    "kind: 'strongswan'");
                *wanted.mutable_registered_at() = ToProto(clock_.now);
                return wanted;
              }()));
  ASSERT_OK_AND_ASSIGN(const v1::RelyingParty manual, Register("name: 'nps-1' manual: true"));
  EXPECT_TRUE(manual.manual());
  EXPECT_THAT(Names(), ElementsAre("nps-1", "vpn-2"));
  ASSERT_OK_AND_ASSIGN(const std::vector<RelyingPartyRecord> kept,
                       store_->ListRelyingParties("contoso"));
  EXPECT_THAT(manual, IsMessage(ToProto(kept[0])));
  EXPECT_THAT(speaks, IsMessage(ToProto(kept[1])));

  ASSERT_OK_AND_ASSIGN(const v1::RelyingParty removed,
                       Remove("name: 'vpn-2' reason: 'was scrapped'"));
  EXPECT_THAT(removed, IsMessage(speaks));
  EXPECT_THAT(Names(), ElementsAre("nps-1"));
  EXPECT_THAT(Recorded("relying_party_registered"), ElementsAre("cli nps-1 ", "cli vpn-2 "));
  EXPECT_THAT(Recorded("relying_party_removed"), ElementsAre("cli vpn-2 was scrapped"));
  std::vector<std::string> logged;
  for (const LoggedLine& line : Logged()) {
    logged.push_back(absl::StrCat(line.at("event"), " ", line.at("tenant"), " ",
                                  line.at("relying_party"), " ", line.at("caller"), " ",
                                  line.at("why")));
  }
  EXPECT_THAT(logged, ElementsAre("relying_party_registered contoso vpn-2 cli ",
                                  "relying_party_registered contoso nps-1 cli ",
                                  "relying_party_removed contoso vpn-2 cli was scrapped"));
}

TEST_F(RotationServiceTest, SaysWhichFieldOfARelyingPartyIsWrong) {
  struct Refused {
    std::string request;
    ErrorReason reason;
    const char* field;
  };
  const auto missing = ErrorReason::kFieldMissing;
  const auto invalid = ErrorReason::kFieldInvalid;
  const Refused table[] = {
      {"identity: 'gateway'", missing, "name"},
      {"name: 'a b' identity: 'gateway'", invalid, "name"},
      {"name: '" + std::string(65, 'n') + "' identity: 'gateway'", invalid, "name"},
      {"name: 'vpn-1'", missing, "identity"},
      {"name: 'vpn-1' identity: 'a\\nb'", invalid, "identity"},
      {"name: 'vpn-1' identity: '" + std::string(65, 'i') + "'", invalid, "identity"},
      {"name: 'vpn-1' identity: 'gateway' manual: true", invalid, "identity"},
      {"name: 'vpn-1' identity: 'gateway' kind: 'a b'", invalid, "kind"},
      {"name: 'vpn-1' identity: 'gateway' kind: '" + std::string(65, 'k') + "'", invalid, "kind"},
  };
  for (const Refused& refused : table) {
    EXPECT_THAT(Register(refused.request), FailsWith(refused.reason, refused.field))
        << refused.request;
  }
  EXPECT_THAT(Call(&RotationService::RegisterRelyingParty,
                   "tenant_id: 'unknown' name: 'vpn-1' identity: 'gateway'"),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_THAT(Logged(), IsEmpty());
  const std::string longest(64, 'x');
  EXPECT_OK(Register(
      absl::StrCat("name: '", longest, "' identity: '", longest, "' kind: '", longest, "'")));
}

TEST_F(RotationServiceTest, NamesAndIdentitiesAreOfOne) {
  ASSERT_OK(Register("name: 'vpn-1' identity: 'gateway'"));
  EXPECT_THAT(Register("name: 'vpn-1' identity: 'other'"),
              FailsWith(ErrorReason::kRelyingPartyExists, "name"));
  EXPECT_THAT(Register("name: 'vpn-2' identity: 'gateway'"),
              FailsWith(ErrorReason::kRelyingPartyExists, "identity"));
  EXPECT_OK(Register("name: 'nps-1' manual: true"));
  EXPECT_OK(Register("name: 'nps-2' manual: true"));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  EXPECT_OK(Call(&RotationService::RegisterRelyingParty,
                 "tenant_id: 'fabrikam' name: 'vpn-1' identity: 'gateway'"));
  EXPECT_THAT(Names(), ElementsAre("nps-1", "nps-2", "vpn-1"));
  EXPECT_THAT(Names("fabrikam"), ElementsAre("vpn-1"));
}

TEST_F(RotationServiceTest, RelyingPartiesAreBounded) {
  for (std::size_t i = 1; i < kMaxRelyingParties; ++i) {
    RelyingPartyRecord party;
    party.tenant_id = "contoso";
    party.name = absl::StrCat("vpn-", i);
    party.identity = party.name;
    ASSERT_OK(store_->AddRelyingParty(party, {SampleTime(), "cli", ""}));
  }
  ASSERT_OK(Register("name: 'last' manual: true"));
  EXPECT_THAT(Register("name: 'more' manual: true"),
              FailsWith(ErrorReason::kQuotaExceeded, "tenant_id"));
  ASSERT_OK(Remove("name: 'vpn-1' reason: 'is gone'"));
  EXPECT_OK(Register("name: 'more' manual: true"));
}

TEST_F(RotationServiceTest, OnlyWhatIsThereIsRemovedAndForAReason) {
  ASSERT_OK(Register("name: 'vpn-1' identity: 'gateway'"));
  EXPECT_THAT(Remove("reason: 'is gone'"), FailsWith(ErrorReason::kFieldMissing, "name"));
  EXPECT_THAT(Remove("name: 'vpn-1'"), FailsWith(ErrorReason::kFieldMissing, "reason"));
  EXPECT_THAT(Remove("name: 'vpn-1' reason: '" + std::string(257, 'x') + "'"),
              FailsWith(ErrorReason::kFieldInvalid, "reason"));
  EXPECT_THAT(Remove("name: 'vpn-2' reason: 'is gone'"),
              FailsWith(ErrorReason::kRelyingPartyUnknown, "name"));
  for (const char* method : {"ListRelyingParties", "GetRotation", "PlanRotation"}) {
    const std::string request = "tenant_id: 'unknown'";
    const absl::Status status = method == std::string("ListRelyingParties")
                                    ? Call(&RotationService::ListRelyingParties, request).status()
                                : method == std::string("GetRotation")
                                    ? Call(&RotationService::GetRotation, request).status()
                                    : Call(&RotationService::PlanRotation, request).status();
    EXPECT_THAT(status, FailsWith(ErrorReason::kTenantUnknown, "tenant_id")) << method;
  }
  EXPECT_THAT(Names(), ElementsAre("vpn-1"));
}

TEST_F(RotationServiceTest, AnAdministratorAttestsForAManualOne) {
  MakeRoot();
  Promote("r1");
  ASSERT_OK(Register("name: 'nps-1' manual: true"));
  static_cast<void>(Logged());
  ASSERT_OK_AND_ASSIGN(const v1::RelyingParty attested, Attest("nps-1", Version()));
  ASSERT_OK_AND_ASSIGN(const auto bundle, bundles_->Get("contoso"));
  EXPECT_EQ(attested.acknowledged_version(), Version());
  EXPECT_EQ(attested.acknowledged_sha256(), bundle->document_sha256);
  EXPECT_EQ(attested.acknowledged_by(), "cli");
  EXPECT_THAT(attested.acknowledged_at(), IsMessage(ToProto(clock_.now)));
  EXPECT_THAT(Recorded("relying_party_attested"), ElementsAre("cli nps-1 installed by hand"));
  // Said again, nothing changes.
  clock_.now += std::chrono::minutes(1);
  ASSERT_OK_AND_ASSIGN(const v1::RelyingParty again, Attest("nps-1", Version(), "once more"));
  EXPECT_THAT(again, IsMessage(attested));
  EXPECT_THAT(Recorded("relying_party_attested"), SizeIs(1));
  const std::vector<LoggedLine> logged = Logged();
  ASSERT_THAT(logged, SizeIs(1));
  EXPECT_EQ(logged[0].at("event"), "relying_party_attested");
  EXPECT_EQ(logged[0].at("version"), absl::StrCat(Version()));
  EXPECT_EQ(logged[0].at("why"), "installed by hand");
}

TEST_F(RotationServiceTest, OnlyWhatIsSoIsAttested) {
  MakeRoot();
  Promote("r1");
  ASSERT_OK(Register("name: 'nps-1' manual: true"));
  ASSERT_OK(Register("name: 'vpn-1' identity: 'gateway'"));
  EXPECT_THAT(Attest("", 1), FailsWith(ErrorReason::kFieldMissing, "name"));
  EXPECT_THAT(Attest("nps-1", 0), FailsWith(ErrorReason::kFieldMissing, "version"));
  EXPECT_THAT(Attest("nps-1", Version(), ""), FailsWith(ErrorReason::kFieldMissing, "reason"));
  EXPECT_THAT(Attest("nps-2", Version()), FailsWith(ErrorReason::kRelyingPartyUnknown, "name"));
  EXPECT_THAT(Attest("vpn-1", Version()), FailsWith(ErrorReason::kFieldInvalid, "name"));
  EXPECT_THAT(Attest("nps-1", Version() + 1), FailsWith(ErrorReason::kBundleUnknown, "version"));
  EXPECT_THAT(Attest("nps-1", Version() - 1), FailsWith(ErrorReason::kBundleOutdated, "version"));
  EXPECT_THAT(Call(&RotationService::AttestRelyingParty,
                   "tenant_id: 'unknown' name: 'nps-1' version: 1 reason: 'r'"),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_THAT(Recorded("relying_party_attested"), IsEmpty());
  EXPECT_OK(Attest("nps-1", Version()));
}

TEST_F(RotationServiceTest, ShowsWhereTheRotationStands) {
  for (int i = 0; i < 4; ++i) MakeRoot();
  Promote("r1");
  Promote("r2");
  ASSERT_OK(roots_->Discard("contoso", "r3", KeyFate::kKeep));
  ASSERT_OK(Register("name: 'nps-1' manual: true"));
  ASSERT_OK_AND_ASSIGN(const v1::Rotation rotation, Get());
  EXPECT_EQ(rotation.tenant_id(), "contoso");
  EXPECT_EQ(rotation.bundle_version(), Version());
  std::vector<std::string> roots;
  for (const v1::Root& root : rotation.roots()) {
    roots.push_back(absl::StrCat(root.root_id(), " ", v1::RootState_Name(root.state())));
  }
  EXPECT_THAT(roots, ElementsAre("r1 RETIRING", "r2 PRIMARY", "r4 STAGED"));
  ASSERT_THAT(rotation.relying_parties(), SizeIs(1));
  EXPECT_EQ(rotation.relying_parties(0).name(), "nps-1");
  EXPECT_THAT(rotation.policy(), IsMessage(ToProto(RotationPolicy())));
  ASSERT_THAT(rotation.obstacles(), SizeIs(1));
  EXPECT_EQ(rotation.obstacles(0).kind(), v1::PromotionObstacle::NOT_ACKNOWLEDGED);
  EXPECT_EQ(rotation.obstacles(0).relying_party(), "nps-1");
  // r1 has signed nothing, so that it can go.
  ASSERT_TRUE(rotation.has_next_step());
  EXPECT_EQ(rotation.next_step().action(), v1::RotationStep::RETIRE);
  EXPECT_EQ(rotation.next_step().root_id(), "r1");

  ASSERT_OK(Attest("nps-1", Version()));
  ASSERT_OK_AND_ASSIGN(const v1::Rotation free, Get());
  EXPECT_THAT(free.obstacles(), IsEmpty());
}

TEST_F(RotationServiceTest, TheKeyOfTheStagedRootIsTried) {
  MakeRoot();
  Promote("r1");
  const RootRecord staged = MakeRoot();
  ASSERT_OK(keys_->Destroy(staged.key_uri));
  ASSERT_OK_AND_ASSIGN(const v1::Rotation rotation, Get());
  std::vector<v1::PromotionObstacle::Kind> kinds;
  for (const v1::PromotionObstacle& obstacle : rotation.obstacles()) {
    kinds.push_back(obstacle.kind());
  }
  EXPECT_THAT(kinds, ElementsAre(v1::PromotionObstacle::NO_RELYING_PARTY,
                                 v1::PromotionObstacle::KEY_CANNOT_SIGN));
}

TEST_F(RotationServiceTest, ATenantWithoutRootsHasNoRotation) {
  ASSERT_OK_AND_ASSIGN(const v1::Rotation rotation, Get());
  EXPECT_EQ(rotation.bundle_version(), 0u);
  EXPECT_THAT(rotation.roots(), IsEmpty());
  EXPECT_THAT(rotation.obstacles(), IsEmpty());
  EXPECT_FALSE(rotation.has_next_step());
  ASSERT_OK_AND_ASSIGN(const v1::PlanRotationResponse plan, Plan());
  EXPECT_THAT(plan.steps(), IsEmpty());
  EXPECT_THAT(plan.policy(), IsMessage(ToProto(RotationPolicy())));
}

// What the planner says is its own tests' to show; here, that it is asked with the tenant's policy.
TEST_F(RotationServiceTest, ThePlanIsOfTheTenantsPolicy) {
  IssuingConfig config;
  config.rotation.mode = RotationMode::kAutomatic;
  config.rotation.stage_before_expiry = hours(24 * 100);
  config.rotation.promote_before_expiry = hours(24 * 50);
  Configure(config);
  MakeRoot();
  Promote("r1");
  ASSERT_OK_AND_ASSIGN(const RootRecord root, store_->GetRoot("contoso", "r1"));
  RotationFacts facts;
  facts.roots = {root};
  facts.leaf_lifetime = config.profile.lifetime;
  facts.now = std::chrono::floor<std::chrono::seconds>(clock_.now);
  const auto expect = [&](const std::string& request, ca::Time until) {
    ASSERT_OK_AND_ASSIGN(const v1::PlanRotationResponse plan, Plan(request));
    EXPECT_THAT(plan.policy(), IsMessage(ToProto(config.rotation)));
    const std::vector<RotationStep> steps = PlanSteps(facts, config.rotation, until);
    ASSERT_EQ(plan.steps_size(), static_cast<int>(steps.size()));
    for (int i = 0; i < plan.steps_size(); ++i) {
      EXPECT_THAT(plan.steps(i), IsMessage(ToProto(steps[static_cast<std::size_t>(i)])));
    }
  };
  expect("", root.not_after);
  expect("horizon { seconds: 315360000 }", facts.now + 10 * kYear);
  ASSERT_OK_AND_ASSIGN(const v1::PlanRotationResponse plan, Plan());
  ASSERT_GE(plan.steps_size(), 1);
  EXPECT_EQ(plan.steps(0).action(), v1::RotationStep::STAGE);
  EXPECT_EQ(plan.steps(0).due_at().seconds(),
            (root.not_after - hours(24 * 100)).time_since_epoch().count());
}

TEST_F(RotationServiceTest, AHorizonIsBounded) {
  for (const char* horizon : {"seconds: -1", "seconds: 1 nanos: 1", "seconds: 948672001",
                              "seconds: 9223372036854775807"}) {
    EXPECT_THAT(Plan(absl::StrCat("horizon { ", horizon, " }")),
                FailsWith(ErrorReason::kFieldInvalid, "horizon"))
        << horizon;
  }
  EXPECT_OK(Plan("horizon { seconds: 948672000 }"));
  EXPECT_OK(Plan("horizon { }"));
}

}  // namespace
}  // namespace hourglass::issuance
