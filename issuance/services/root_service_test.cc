#include "issuance/services/root_service.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/services/record_mapper.h"
#include "issuance/services/testing/service_with_keys_test.h"
#include "issuance/store/testing/overtaken_store.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Move = absl::Status (RootService::*)(const Caller&, const v1::MoveRootRequest&, v1::Root*);

LoggedLine Line(const std::string& event, const std::string& root, const std::string& state) {
  return {{"event", event}, {"level", "info"}, {"tenant", "contoso"},
          {"root", root},   {"state", state},  {"caller", "cli"}};
}

class RootServiceTest : public ServiceWithKeysTest {
 protected:
  void SetUp() override {
    ServiceWithKeysTest::SetUp();
    service_.emplace(nullptr, &*roots_, store_.get(), store_.get(), log_.log());
  }

  // A sound request.
  static v1::CreateRootRequest Order() {
    return MessageOf<v1::CreateRootRequest>(
        "tenant_id: 'contoso' duration { seconds: 31536000 } key_type: EC_P256");
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(absl::Status (RootService::*method)(const Caller&, const Request&,
                                                                    Response*),
                                const Request& request) {
    Response response;
    const absl::Status status = ((*service_).*method)(administrator_, request, &response);
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<v1::Root> Create(const v1::CreateRootRequest& request) {
    return Call(&RootService::CreateRoot, request);
  }

  absl::StatusOr<v1::Root> Do(Move move, const std::string& root_id, bool destroy_key = false) {
    v1::MoveRootRequest request;
    request.set_tenant_id("contoso");
    request.set_root_id(root_id);
    request.set_destroy_key(destroy_key);
    return Call(move, request);
  }

  // Nobody is asked whether he trusts it.
  absl::StatusOr<v1::Root> Promote(const std::string& root_id) {
    v1::PromoteRootRequest request;
    request.set_tenant_id("contoso");
    request.set_root_id(root_id);
    request.set_without_relying_parties(true);
    return Call(&RootService::PromoteRoot, request);
  }
  absl::StatusOr<v1::Root> RollBack(const std::string& root_id, const std::string& reason = "") {
    v1::RollBackRootRequest request;
    request.set_tenant_id("contoso");
    request.set_root_id(root_id);
    request.set_reason(reason);
    return Call(&RootService::RollBackRoot, request);
  }

  absl::StatusOr<v1::Root> Get(const std::string& root_id,
                               const std::string& tenant_id = "contoso") {
    v1::GetRootRequest request;
    request.set_tenant_id(tenant_id);
    request.set_root_id(root_id);
    return Call(&RootService::GetRoot, request);
  }

  absl::StatusOr<v1::ListIntermediatesResponse> Intermediates(std::uint32_t page_size,
                                                              const std::string& page_token = "",
                                                              const std::string& root = "root-1") {
    v1::ListIntermediatesRequest request;
    request.set_tenant_id("fabrikam");
    request.set_root_id(root);
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    return Call(&RootService::ListIntermediates, request);
  }

  std::optional<RootService> service_;
};

TEST_F(RootServiceTest, ARootIsMadeAsItWasOrdered) {
  v1::CreateRootRequest request = Order();
  request.set_key_type(v1::EC_P384);
  request.set_key_uri("software:mine");
  request.set_request_id("order-1");
  request.set_issuing_sub_keys(true);
  ASSERT_OK_AND_ASSIGN(const v1::Root root, Create(request));
  EXPECT_EQ(root.root_id(), "r1");
  EXPECT_EQ(root.state(), v1::STAGED);
  EXPECT_EQ(root.key_type(), v1::EC_P384);
  EXPECT_EQ(root.key_uri(), "software:mine");
  EXPECT_TRUE(root.issuing_sub_keys());
  EXPECT_EQ(root.not_after().seconds() - root.created_at().seconds(), 31536000);
  ASSERT_OK_AND_ASSIGN(const RootRecord kept, store_->GetRoot("contoso", "r1"));
  EXPECT_THAT(root, IsMessage(ToProto(kept)));
  EXPECT_EQ(kept.request_id, "order-1");
  EXPECT_THAT(Logged(), ElementsAre(Line("root_created", "r1", "STAGED")));
}

TEST_F(RootServiceTest, WhatIsNotOrderedIsNotMade) {
  ASSERT_OK_AND_ASSIGN(const v1::Root root, Create(Order()));
  EXPECT_FALSE(root.issuing_sub_keys());
  EXPECT_EQ(root.key_uri(), "software:hourglass-contoso-r1");
  EXPECT_EQ(root.key_type(), v1::EC_P256);
}

TEST_F(RootServiceTest, SaysWhichFieldOfAnOrderIsWrong) {
  struct Refused {
    const char* order;
    ErrorReason reason;
    const char* field;
  };
  const auto missing = ErrorReason::kFieldMissing;
  const auto invalid = ErrorReason::kFieldInvalid;
  const Refused table[] = {
      {"key_type: EC_P256", missing, "duration"},
      {"key_type: EC_P256 duration {}", invalid, "duration"},
      {"key_type: EC_P256 duration { seconds: 86399 }", invalid, "duration"},
      {"key_type: EC_P256 duration { seconds: 31536000 nanos: 1 }", invalid, "duration"},
      {"key_type: EC_P256 duration { seconds: 31536000 nanos: -1 }", invalid, "duration"},
      {"key_type: EC_P256 duration { seconds: -31536000 }", invalid, "duration"},
      {"key_type: EC_P256 duration { seconds: 9223372036854775807 }", invalid, "duration"},
      {"duration { seconds: 31536000 }", missing, "key_type"},
      {"duration { seconds: 31536000 } key_type: EC_P256 request_id: 'a b'", invalid, "request_id"},
  };
  for (const Refused& refused : table) {
    auto request = MessageOf<v1::CreateRootRequest>(refused.order);
    request.set_tenant_id("contoso");
    EXPECT_THAT(Create(request), FailsWith(refused.reason, refused.field)) << refused.order;
  }
  v1::CreateRootRequest request = Order();
  request.set_key_type(static_cast<v1::KeyType>(6));
  EXPECT_THAT(Create(request), FailsWith(invalid, "key_type"));
  request = Order();
  request.set_request_id(std::string(65, 'x'));
  EXPECT_THAT(Create(request), FailsWith(invalid, "request_id"));
  request = Order();
  request.set_tenant_id("unknown");
  EXPECT_THAT(Create(request), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_EQ(store_->ListRoots("contoso")->size(), 0u);
  EXPECT_THAT(Logged(), IsEmpty());
  request = Order();
  request.set_request_id(std::string(64, 'x'));
  EXPECT_OK(Create(request));
}

TEST_F(RootServiceTest, OnlyWhoIsBoundToEveryTenantNamesAKeyThatIsNoTenants) {
  v1::CreateRootRequest request = Order();
  request.set_key_uri("software:mine");
  administrator_.all_tenants = false;
  administrator_.tenants = {"contoso"};
  EXPECT_THAT(Create(request), FailsWith(ErrorReason::kKeyNotPermitted, "key_uri"));
  request.set_key_uri("software:hourglass-contoso-r1");
  EXPECT_OK(Create(request));
  administrator_.all_tenants = true;
  administrator_.tenants = {};
  request.set_key_uri("software:mine");
  EXPECT_OK(Create(request));
}

TEST_F(RootServiceTest, ATenantsFirstRootCanBeMadeAndPromotedAtOnce) {
  v1::CreateRootRequest request = Order();
  request.set_make_primary(true);
  ASSERT_OK_AND_ASSIGN(const v1::Root root, Create(request));
  EXPECT_EQ(root.root_id(), "r1");
  EXPECT_EQ(root.state(), v1::PRIMARY);
  EXPECT_THAT(Logged(), ElementsAre(Line("root_created", "r1", "STAGED"),
                                    Line("root_promoted", "r1", "PRIMARY")));
  ASSERT_OK_AND_ASSIGN(const RootRecord kept, store_->GetRoot("contoso", "r1"));
  EXPECT_EQ(kept.created_by, "cli");
}

// Nothing was said of relying parties, so that nothing lets it pass.
TEST_F(RootServiceTest, OneMoreRootIsMadeAndNotPromotedAtOnce) {
  ASSERT_OK(Promote(MakeRoot().root_id));
  static_cast<void>(Logged());
  v1::CreateRootRequest request = Order();
  request.set_make_primary(true);
  request.set_request_id("order-1");
  const auto refused = Create(request);
  EXPECT_THAT(refused, FailsWith(ErrorReason::kPromotionBlocked, "root_id"));
  EXPECT_EQ(ObstaclesOf(refused.status()).size(), 1u);
  EXPECT_THAT(Logged(), ElementsAre(Line("root_created", "r2", "STAGED")));
  ASSERT_OK_AND_ASSIGN(const v1::Root made, Get("r2"));
  EXPECT_EQ(made.state(), v1::STAGED);
  // Asked again it is no other root.
  EXPECT_THAT(Create(request), FailsWith(ErrorReason::kPromotionBlocked, "root_id"));
  EXPECT_THAT(Get("r3"), FailsWith(ErrorReason::kRootUnknown, "root_id"));
}

TEST_F(RootServiceTest, RequestIdsOfTheServiceItselfAreRefused) {
  v1::CreateRootRequest request = Order();
  for (const std::string id : {"hourglassd:", "hourglassd:rotation:1"}) {
    request.set_request_id(id);
    EXPECT_THAT(Create(request), FailsWith(ErrorReason::kFieldInvalid, "request_id")) << id;
  }
  EXPECT_THAT(Get("r1"), FailsWith(ErrorReason::kRootUnknown, "root_id"));
  for (const std::string id : {"hourglassd", "Hourglassd:1", "by-hourglassd:1"}) {
    request.set_request_id(id);
    EXPECT_OK(Create(request)) << id;
  }
}

TEST_F(RootServiceTest, ARequestThatComesAgainPromotesWhatItMade) {
  v1::CreateRootRequest request = Order();
  request.set_request_id("order-1");
  ASSERT_OK_AND_ASSIGN(const v1::Root staged, Create(request));
  EXPECT_EQ(staged.state(), v1::STAGED);
  // As where the service was killed in between.
  request.set_make_primary(true);
  ASSERT_OK_AND_ASSIGN(const v1::Root promoted, Create(request));
  EXPECT_EQ(promoted.root_id(), staged.root_id());
  EXPECT_EQ(promoted.state(), v1::PRIMARY);
  EXPECT_THAT(Logged(), ElementsAre(Line("root_created", "r1", "STAGED"),
                                    Line("root_promoted", "r1", "PRIMARY")))
      << "it was made once";
}

TEST_F(RootServiceTest, ARequestThatComesAgainTakesNobodysDecisionBack) {
  v1::CreateRootRequest request = Order();
  request.set_request_id("order-1");
  request.set_make_primary(true);
  ASSERT_OK(Create(request));
  ASSERT_OK(Promote(MakeRoot().root_id));
  static_cast<void>(Logged());
  for (const v1::RootState state : {v1::RETIRING, v1::RETIRED}) {
    ASSERT_OK_AND_ASSIGN(const v1::Root again, Create(request));
    EXPECT_EQ(again.root_id(), "r1");
    EXPECT_EQ(again.state(), state);
    EXPECT_THAT(Logged(), IsEmpty()) << "nothing was done";
    if (state == v1::RETIRING) {
      ASSERT_OK(Do(&RootService::RetireRoot, "r1"));
      static_cast<void>(Logged());
    }
  }
  ASSERT_OK_AND_ASSIGN(const v1::Root primary, Get("r2"));
  EXPECT_EQ(primary.state(), v1::PRIMARY);
}

TEST_F(RootServiceTest, AnotherProcessMayPromoteTheRootOfTheRequest) {
  OvertakenStore store(store_.get());
  RootAdministration roots(&store, keys_.get(), &*tenants_, &entropy_, &clock_);
  service_.emplace(nullptr, &roots, store_.get(), store_.get(), log_.log());
  v1::CreateRootRequest request = Order();
  request.set_request_id("order-1");
  request.set_make_primary(true);
  store.before_change = [&] {
    EXPECT_OK(roots_->Promote({.tenant_id = "contoso", .root_id = "r1", .caller = "cli"}));
  };
  ASSERT_OK_AND_ASSIGN(const v1::Root root, Create(request));
  EXPECT_EQ(root.root_id(), "r1");
  EXPECT_EQ(root.state(), v1::PRIMARY);
  EXPECT_THAT(Logged(), ElementsAre(Line("root_created", "r1", "STAGED")))
      << "who promoted it says so";
}

// What it is refused for stays the answer where nobody promoted it.
TEST_F(RootServiceTest, AnotherProcessMayDiscardTheRootOfTheRequest) {
  OvertakenStore store(store_.get());
  RootAdministration roots(&store, keys_.get(), &*tenants_, &entropy_, &clock_);
  service_.emplace(nullptr, &roots, store_.get(), store_.get(), log_.log());
  v1::CreateRootRequest request = Order();
  request.set_make_primary(true);
  store.before_change = [&] { EXPECT_OK(roots_->Discard("contoso", "r1", KeyFate::kKeep)); };
  EXPECT_THAT(Create(request), FailsWith(ErrorReason::kPrimaryChanged));
}

TEST_F(RootServiceTest, RootsAreListedByGeneration) {
  v1::ListRootsRequest request;
  v1::ListRootsResponse response;
  request.set_tenant_id("contoso");
  ASSERT_OK(service_->ListRoots(administrator_, request, &response));
  EXPECT_EQ(response.roots_size(), 0);
  for (int i = 0; i < 3; ++i) MakeRoot();
  ASSERT_OK(Do(&RootService::DiscardRoot, "r2"));
  ASSERT_OK(service_->ListRoots(administrator_, request, &response));
  ASSERT_EQ(response.roots_size(), 3);
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(const v1::Root got, Get(absl::StrCat("r", i + 1)));
    EXPECT_THAT(response.roots(i), IsMessage(got));
  }
  request.set_tenant_id("unknown");
  EXPECT_THAT(service_->ListRoots(administrator_, request, &response),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
}

TEST_F(RootServiceTest, EveryMethodLooksAtTheRootsId) {
  const auto expect = [&](const std::string& root_id, ErrorReason reason) {
    EXPECT_THAT(Get(root_id), FailsWith(reason, "root_id"));
    EXPECT_THAT(Intermediates(0, "", root_id), FailsWith(reason, "root_id"));
    EXPECT_THAT(Promote(root_id), FailsWith(reason, "root_id"));
    EXPECT_THAT(RollBack(root_id), FailsWith(reason, "root_id"));
    for (const Move move : {&RootService::RetireRoot, &RootService::DiscardRoot}) {
      EXPECT_THAT(Do(move, root_id), FailsWith(reason, "root_id"));
    }
  };
  ASSERT_OK(AddSamplePrimary(*store_, "fabrikam"));
  MakeRoot();
  static_cast<void>(Logged());
  expect("", ErrorReason::kFieldMissing);
  expect(std::string(64, 'r'), ErrorReason::kFieldInvalid);
  expect("r 1", ErrorReason::kFieldInvalid);
  expect(std::string(63, 'r'), ErrorReason::kRootUnknown);
  EXPECT_THAT(Get("r1", "fabrikam"), FailsWith(ErrorReason::kRootUnknown, "root_id"));
  EXPECT_THAT(Logged(), IsEmpty());
  EXPECT_OK(Get("r1"));
  EXPECT_OK(Intermediates(0));
}

TEST_F(RootServiceTest, IntermediatesAreListedPageByPage) {
  ASSERT_OK(AddSamplePrimary(*store_, "fabrikam"));
  std::vector<IntermediateRecord> records;
  for (int i = 0; i < 3; ++i) {
    records.push_back(SampleIntermediate(i, "fabrikam"));
    records[i].intended_at = SampleTime(i);
    ASSERT_OK(store_->AddIntermediate(records[i]));
  }
  ASSERT_OK(store_->ReleaseIntermediate("fabrikam", "root-1", records[2].serial_number, "DER",
                                        SampleTime(9)));
  records[2].certificate = "DER";
  records[2].released_at = SampleTime(9);
  ASSERT_OK_AND_ASSIGN(const v1::ListIntermediatesResponse first, Intermediates(2));
  ASSERT_EQ(first.intermediates_size(), 2);
  ASSERT_OK_AND_ASSIGN(const v1::ListIntermediatesResponse last,
                       Intermediates(2, first.next_page_token()));
  ASSERT_EQ(last.intermediates_size(), 1);
  EXPECT_EQ(last.next_page_token(), "");
  // The newest first.
  EXPECT_THAT(first.intermediates(0), IsMessage(ToProto(records[2])));
  EXPECT_THAT(first.intermediates(1), IsMessage(ToProto(records[1])));
  EXPECT_THAT(last.intermediates(0), IsMessage(ToProto(records[0])));
  EXPECT_THAT(Intermediates(1001), FailsWith(ErrorReason::kFieldInvalid, "page_size"));
  EXPECT_THAT(Intermediates(2, "forged"), FailsWith(ErrorReason::kFieldInvalid, "page_token"));
}

TEST_F(RootServiceTest, EachMoveIsAnsweredAndLogged) {
  for (int i = 0; i < 3; ++i) MakeRoot();
  ASSERT_OK(Promote("r3"));
  static_cast<void>(Logged());
  const auto expect = [this](const std::string& event, const absl::StatusOr<v1::Root>& moved,
                             const std::string& id, v1::RootState state) {
    ASSERT_OK(moved);
    EXPECT_EQ(moved->root_id(), id);
    EXPECT_EQ(moved->state(), state);
    ASSERT_OK_AND_ASSIGN(const v1::Root got, Get(id));
    EXPECT_THAT(*moved, IsMessage(got));
    EXPECT_THAT(Logged(), ElementsAre(Line(event, id, v1::RootState_Name(state))));
    EXPECT_TRUE(HasKey(moved->key_uri())) << "nobody said that it may go";
  };
  expect("root_promoted", Promote("r1"), "r1", v1::PRIMARY);
  expect("root_discarded", Do(&RootService::DiscardRoot, "r2"), "r2", v1::DISCARDED);
  expect("root_rolled_back", RollBack("r3"), "r3", v1::PRIMARY);
  expect("root_retired", Do(&RootService::RetireRoot, "r1"), "r1", v1::RETIRED);
}

TEST_F(RootServiceTest, AMoveThatIsRefusedIsNotLogged) {
  ASSERT_OK(Promote(MakeRoot().root_id));
  static_cast<void>(Logged());
  EXPECT_THAT(Promote("r1"), FailsWith(ErrorReason::kRootMoveIllegal, "root_id"));
  EXPECT_THAT(RollBack("r1"), FailsWith(ErrorReason::kRootMoveIllegal, "root_id"));
  for (const Move move : {&RootService::RetireRoot, &RootService::DiscardRoot}) {
    EXPECT_THAT(Do(move, "r1"), FailsWith(ErrorReason::kRootMoveIllegal, "root_id"));
  }
  EXPECT_THAT(Logged(), IsEmpty());
}

TEST_F(RootServiceTest, APromotionWithNothingSaidIsHeldUp) {
  ASSERT_OK(Promote(MakeRoot().root_id));
  MakeRoot();
  static_cast<void>(Logged());
  v1::PromoteRootRequest request;
  request.set_tenant_id("contoso");
  request.set_root_id("r2");
  const auto refused = Call(&RootService::PromoteRoot, request);
  EXPECT_THAT(refused, FailsWith(ErrorReason::kPromotionBlocked, "root_id"));
  const std::vector<PromotionObstacle> obstacles = ObstaclesOf(refused.status());
  ASSERT_EQ(obstacles.size(), 1u);
  EXPECT_EQ(obstacles[0].kind, PromotionObstacle::Kind::kNoRelyingParty);
  EXPECT_THAT(Logged(), IsEmpty());
  request.set_without_relying_parties(true);
  EXPECT_OK(Call(&RootService::PromoteRoot, request));
}

TEST_F(RootServiceTest, WhyARootWasPromotedAnywayIsLoggedAndRecorded) {
  ASSERT_OK(Promote(MakeRoot().root_id));
  MakeRoot();
  static_cast<void>(Logged());
  v1::PromoteRootRequest request;
  request.set_tenant_id("contoso");
  request.set_root_id("r2");
  for (const std::string& reason : {std::string(257, 'x'), std::string("a\nb")}) {
    request.set_override_reason(reason);
    EXPECT_THAT(Call(&RootService::PromoteRoot, request),
                FailsWith(ErrorReason::kFieldInvalid, "override_reason"));
  }
  request.set_override_reason("the old key leaked");
  ASSERT_OK(Call(&RootService::PromoteRoot, request));
  LoggedLine line = Line("root_promoted", "r2", "PRIMARY");
  line["override_reason"] = "the old key leaked";
  EXPECT_THAT(Logged(), ElementsAre(line));
  for (const std::string& reason : {std::string(257, 'x'), std::string("a\nb")}) {
    EXPECT_THAT(RollBack("r1", reason), FailsWith(ErrorReason::kFieldInvalid, "reason"));
  }
  ASSERT_OK(RollBack("r1", "it did not"));
  line = Line("root_rolled_back", "r1", "PRIMARY");
  line["why"] = "it did not";
  EXPECT_THAT(Logged(), ElementsAre(line));
  ASSERT_OK_AND_ASSIGN(const Page<AdministrativeAction> page,
                       store_->ListAdministrativeActions("contoso", 100, ""));
  std::vector<std::string> recorded;
  for (const AdministrativeAction& action : page.records) {
    if (action.reason.empty() || action.action == "root_demoted") continue;
    recorded.push_back(absl::StrCat(action.action, " of ", action.subject, " by ", action.caller,
                                    ": ", action.reason));
  }
  EXPECT_THAT(recorded, ElementsAre("root_rolled_back of r1 by cli: it did not",
                                    "root_promoted of r2 by cli: the old key leaked"));
}

TEST_F(RootServiceTest, AKeyGoesWithItsRootWhereThatIsSaid) {
  for (int i = 0; i < 3; ++i) MakeRoot();
  ASSERT_OK(Promote("r2"));
  ASSERT_OK(Promote("r3"));
  const std::pair<std::string, Move> ends[] = {{"r1", &RootService::DiscardRoot},
                                               {"r2", &RootService::RetireRoot}};
  for (const auto& [id, end] : ends) {
    ASSERT_OK_AND_ASSIGN(const v1::Root ended, Do(end, id, true));
    EXPECT_TRUE(ended.has_key_destroyed_at());
    EXPECT_FALSE(HasKey(ended.key_uri()));
    EXPECT_THAT(Do(end, id, true), FailsWith(ErrorReason::kKeyDestroyed, "destroy_key"));
  }
}

TEST_F(RootServiceTest, WhoDestroyedAKeyIsLogged) {
  MakeRoot();
  MakeRoot();
  std::optional<RootAdministration> roots(std::in_place, store_.get(), keys_.get(), &*tenants_,
                                          &entropy_, &clock_, *log_.log());
  service_.emplace(nullptr, &*roots, store_.get(), store_.get(), log_.log());
  ASSERT_OK(Do(&RootService::DiscardRoot, "r1", true));
  ASSERT_OK(Promote("r2"));
  ASSERT_OK(Promote(MakeRoot().root_id));
  ASSERT_OK(Do(&RootService::RetireRoot, "r2", true));
  // It has a copy of the log, and the last copy writes what is left.
  service_.reset();
  roots.reset();
  std::vector<std::string> destroyed;
  for (const LoggedLine& line : Logged()) {
    if (line.at("event") != "key_destroyed") continue;
    destroyed.push_back(absl::StrCat(line.at("root"), " by ", line.at("caller")));
  }
  EXPECT_THAT(destroyed, ElementsAre("r1 by cli", "r2 by cli"));
}

}  // namespace
}  // namespace hourglass::issuance
