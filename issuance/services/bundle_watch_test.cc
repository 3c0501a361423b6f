// Trust bundles over the wire, and above all the streams of them.
#include "issuance/services/bundle_watch.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "hourglass/v1/trust_bundles.grpc.pb.h"
#include "hsm/store/testing/forwarding_key_store.h"
#include "issuance/calls/testing/call_server.h"
#include "issuance/rotation/testing/rotated_tenant.h"
#include "issuance/services/trust_bundle_service.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/forwarding_store.h"
#include "tests/support/door.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr char kGateway[] = "gateway";                 // a relying party of contoso
constexpr char kOtherGateway[] = "other-gateway";      // another
constexpr char kForeignGateway[] = "foreign-gateway";  // of fabrikam
constexpr char kWatch[] = "/hourglass.v1.TrustBundleService/WatchTrustBundle";

std::vector<Caller> CallersWithGateways() {
  std::vector<Caller> callers = TestCallers();
  for (const char* name : {kGateway, kOtherGateway, kForeignGateway}) {
    Caller& gateway = callers.emplace_back();
    gateway.name = name;
    gateway.identity = std::string("uri:spiffe://contoso.example/") + name;
    gateway.roles = {Role::kRelyingParty};
    gateway.tenants = {name == kForeignGateway ? "fabrikam" : "contoso"};
  }
  return callers;
}

// Whoever opens a key waits at the door, where there is one.
class HeldKeys final : public hsm::ForwardingKeyStore {
 public:
  using ForwardingKeyStore::ForwardingKeyStore;

  absl::StatusOr<std::unique_ptr<hsm::SigningKey>> Open(absl::string_view uri) override {
    if (Door* const held = door.load()) {
      EXPECT_TRUE(held->Pass());
    }
    if (away && uri == away_uri) return Error(ErrorReason::kKeyUnavailable, uri, "is away");
    return ForwardingKeyStore::Open(uri);
  }

  std::atomic<Door*> door = nullptr;
  std::atomic<bool> away = false;
  std::string away_uri;  // set while nobody opens a key
};

class FailingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::StatusOr<TenantRecord> GetTenant(absl::string_view tenant_id) override {
    if (fails) return Error(ErrorReason::kJournalUnavailable, "", "the disk is gone");
    return ForwardingStore::GetTenant(tenant_id);
  }

  absl::Status NoteFetched(absl::string_view tenant_id, absl::string_view identity,
                           std::uint64_t version, Timestamp now) override {
    if (noting_fails) return Error(ErrorReason::kJournalUnavailable, "", "the disk is gone");
    ++noted;
    if (Door* const held = noting_door.load()) {
      EXPECT_TRUE(held->Pass());
    }
    return ForwardingStore::NoteFetched(tenant_id, identity, version, now);
  }

  std::atomic<bool> fails = false;
  std::atomic<bool> noting_fails = false;
  std::atomic<int> noted = 0;
  std::atomic<Door*> noting_door = nullptr;
};

// The client's side of a stream.
class Follower {
 public:
  Follower(std::unique_ptr<v1::TrustBundleService::Stub> stub, const std::string& tenant_id)
      : stub_(std::move(stub)) {
    // Only what is broken comes to it.
    context_.set_deadline(std::chrono::system_clock::now() + Door::kNever);
    v1::WatchTrustBundleRequest request;
    request.set_tenant_id(tenant_id);
    reader_ = stub_->WatchTrustBundle(&context_, request);
  }

  // Of the next bundle; 0 where the stream ends.
  std::uint64_t NextVersion() {
    v1::TrustBundle bundle;
    return reader_->Read(&bundle) ? bundle.version() : 0;
  }
  v1::TrustBundle Next() {
    v1::TrustBundle bundle;
    EXPECT_TRUE(reader_->Read(&bundle));
    return bundle;
  }
  // When nothing more comes.
  grpc::Status End() {
    EXPECT_EQ(NextVersion(), 0u) << "no more bundles";
    return reader_->Finish();
  }
  void HangUp() { context_.TryCancel(); }

 private:
  const std::unique_ptr<v1::TrustBundleService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::TrustBundle>> reader_;
};

class BundleWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(sqlite_, OpenSqliteStore(directory_.File("store.sqlite")));
    store_.emplace(sqlite_.get());
    hsm::KeyStoreOptions options;
    options.software_directory = directory_.File("keys");
    ASSERT_OK_AND_ASSIGN(software_, hsm::KeyStore::Create(options));
    keys_.emplace(software_.get());
    bundles_.emplace(&*store_, &*keys_, EventLog::Silent());
    contoso_.emplace(sqlite_.get(), software_.get(), &wire_.clock());
    contoso_->StagePrimary();
    Start({}, {});
  }
  void TearDown() override { Stop(); }

  void Stop() {
    if (service_.has_value()) service_->StopWatches();
    wire_.Stop();
    service_.reset();
  }
  void Start(const CallLimits& limits, const CallPoolOptions& options) {
    Stop();
    wire_.Limit(limits, options);
    service_.emplace(wire_.calls(), &*bundles_, &*store_, &*store_, &wire_.clock(), wire_.log());
    wire_.Serve(&*service_);
  }

  std::unique_ptr<Follower> Follow(absl::string_view caller = kGateway,
                                   const std::string& tenant_id = "contoso") {
    return std::make_unique<Follower>(wire_.As<v1::TrustBundleService>(caller), tenant_id);
  }
  grpc::Status Get(absl::string_view caller, const std::string& tenant_id = "contoso") {
    grpc::ClientContext context;
    v1::GetTrustBundleRequest request;
    request.set_tenant_id(tenant_id);
    v1::TrustBundle bundle;
    return wire_.As<v1::TrustBundleService>(caller)->GetTrustBundle(&context, request, &bundle);
  }
  grpc::Status Acknowledge(absl::string_view caller, const std::string& tenant_id = "contoso") {
    grpc::ClientContext context;
    v1::AcknowledgeTrustBundleRequest request;
    request.set_tenant_id(tenant_id);
    v1::RelyingParty party;
    return wire_.As<v1::TrustBundleService>(caller)->AcknowledgeTrustBundle(&context, request,
                                                                            &party);
  }

  void Register(const std::string& identity) {
    RelyingPartyRecord party;
    party.tenant_id = "contoso";
    party.name = party.identity = identity;
    ASSERT_OK(sqlite_->AddRelyingParty(party, {wire_.clock().Now(), "cli", ""}));
  }
  // After what was sent is noted: a stream ends only then.
  std::uint64_t FetchedBy(const std::string& identity) {
    service_->StopWatches();
    wire_.calls()->StopTakingCalls(std::chrono::hours(1));
    const auto parties = sqlite_->ListRelyingParties("contoso");
    EXPECT_OK(parties);
    for (const RelyingPartyRecord& party : *parties) {
      if (party.identity == identity) return party.fetched_version;
    }
    ADD_FAILURE() << "no " << identity;
    return 0;
  }

  TemporaryDirectory directory_;
  CallServer wire_{CallersWithGateways()};
  std::unique_ptr<Store> sqlite_;
  std::optional<FailingStore> store_;
  std::unique_ptr<hsm::KeyStore> software_;
  std::optional<HeldKeys> keys_;
  std::optional<TrustBundles> bundles_;
  std::optional<RotatedTenant> contoso_;
  std::optional<TrustBundleService> service_;
};

TEST_F(BundleWatchTest, TheFirstBundleComesAtOnceAndTheNextAfterAChange) {
  const auto follower = Follow();
  const v1::TrustBundle first = follower->Next();
  EXPECT_EQ(first.tenant_id(), "contoso");
  EXPECT_EQ(first.version(), 2u);
  EXPECT_THAT(first.roots(), ElementsAre(contoso_->Root("r1").certificate));
  ASSERT_OK_AND_ASSIGN(const auto kept, bundles_->Get("contoso"));
  EXPECT_EQ(first.SerializeAsString(), ToProto(*kept).SerializeAsString());
  EXPECT_EQ(first.signatures_size(), 1);
  contoso_->Stage();
  const v1::TrustBundle next = follower->Next();
  EXPECT_EQ(next.version(), 3u);
  EXPECT_THAT(next.roots(),
              ElementsAre(contoso_->Root("r1").certificate, contoso_->Root("r2").certificate));
  contoso_->Promote("r2");
  EXPECT_EQ(follower->Next().signatures_size(), 2);
  EXPECT_THAT(wire_.failures().Totals(), IsEmpty());
}

TEST_F(BundleWatchTest, EveryFollowerIsTold) {
  std::vector<std::unique_ptr<Follower>> followers;
  for (const char* caller : {kGateway, kOtherGateway, kGateway}) {
    followers.push_back(Follow(caller));
    EXPECT_EQ(followers.back()->NextVersion(), 2u);
  }
  contoso_->Stage();
  for (const auto& follower : followers) EXPECT_EQ(follower->NextVersion(), 3u);
}

TEST_F(BundleWatchTest, NewsForNothingAreNoBundle) {
  RotatedTenant fabrikam(sqlite_.get(), software_.get(), &wire_.clock(), "fabrikam");
  const auto follower = Follow();
  EXPECT_EQ(follower->NextVersion(), 2u);
  for (int i = 0; i < 10; ++i) sqlite_->changes().Publish("contoso");
  fabrikam.StagePrimary();
  contoso_->Stage();
  EXPECT_EQ(follower->NextVersion(), 3u) << "and not 2 once more";
}

TEST_F(BundleWatchTest, OfChangesThatComeTogetherTheLastIsSent) {
  Door door;
  keys_->door = &door;
  const auto follower = Follow();
  EXPECT_TRUE(door.HasMet(1));
  for (int i = 0; i < 5; ++i) contoso_->Stage();
  door.Open();
  EXPECT_EQ(follower->NextVersion(), 2u) << "was read before";
  EXPECT_EQ(follower->NextVersion(), 7u);
}

TEST_F(BundleWatchTest, WhatIsSentIsNotedOnceAVersion) {
  Register(kGateway);
  Register(kOtherGateway);
  // As followers do every ten minutes.
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Follow()->NextVersion(), 2u);
    Start({}, {});  // when all streams have ended
  }
  EXPECT_EQ(store_->noted, 1);
  EXPECT_EQ(FetchedBy(kGateway), 2u);
  EXPECT_EQ(FetchedBy(kOtherGateway), 0u);
}

TEST_F(BundleWatchTest, WhatWasSentIsNotedAlsoWhereTheCallerHangsUp) {
  Register(kGateway);
  Door door;
  store_->noting_door = &door;
  const auto follower = Follow();
  EXPECT_EQ(follower->NextVersion(), 2u);
  EXPECT_TRUE(door.HasMet(1));
  follower->HangUp();
  EXPECT_EQ(follower->End().error_code(), grpc::StatusCode::CANCELLED);
  door.Open();
  EXPECT_EQ(FetchedBy(kGateway), 2u);
}

TEST_F(BundleWatchTest, WhatCannotBeNotedIsSentAllTheSame) {
  Register(kGateway);
  store_->noting_fails = true;
  const auto follower = Follow();
  EXPECT_EQ(follower->NextVersion(), 2u);
  contoso_->Stage();
  EXPECT_EQ(follower->NextVersion(), 3u);
  EXPECT_EQ(FetchedBy(kGateway), 0u);
  EXPECT_THAT(wire_.failures().Totals(), IsEmpty()) << "no call failed";
  const std::vector<LoggedLine> logged = wire_.TakeLog();
  ASSERT_EQ(logged.size(), 2u);
  EXPECT_EQ(logged[0].at("event"), "bundle_fetch_not_noted");
}

TEST_F(BundleWatchTest, WhoWasSentTooFewSignaturesIsSentTheRest) {
  contoso_->StagePrimary();
  Stop();
  bundles_.emplace(&*store_, &*keys_, EventLog::Silent(), TrustBundles::kMostKept,
                   std::chrono::seconds(0));
  keys_->away_uri = contoso_->Root("r1").key_uri;
  keys_->away = true;
  Start({}, {});
  const std::atomic<bool> stopping = false;
  const auto follower = Follow();
  const v1::TrustBundle first = follower->Next();
  EXPECT_EQ(first.signatures_size(), 1);
  bundles_->TryAgain(stopping);
  keys_->away = false;
  bundles_->TryAgain(stopping);
  const v1::TrustBundle second = follower->Next();
  EXPECT_EQ(second.version(), first.version());
  EXPECT_EQ(second.document(), first.document());
  EXPECT_EQ(second.signatures_size(), 2) << "and not the first once more";
  bundles_->TryAgain(stopping);
  contoso_->Stage();
  EXPECT_EQ(follower->NextVersion(), first.version() + 1) << "and the complete one only once";
}

TEST_F(BundleWatchTest, ATenantThatHasNoRootsYetCanBeFollowed) {
  RotatedTenant fabrikam(sqlite_.get(), software_.get(), &wire_.clock(), "fabrikam");
  const auto follower = Follow(kForeignGateway, "fabrikam");
  const v1::TrustBundle first = follower->Next();
  EXPECT_EQ(first.tenant_id(), "fabrikam");
  EXPECT_EQ(first.version(), 0u);
  EXPECT_EQ(first.document(), "");
  fabrikam.Stage();
  EXPECT_EQ(follower->NextVersion(), 1u);
}

TEST_F(BundleWatchTest, EachMethodIsForWhoMayCallIt) {
  EXPECT_THAT(Follow(kStranger)->End(), RefusedWith(v1::CALLER_UNKNOWN));
  for (const char* caller : {kBroker, kAdministrator, kAuditor, kDeviceReporter}) {
    EXPECT_THAT(Follow(caller)->End(), RefusedWith(v1::ROLE_NOT_PERMITTED)) << caller;
    EXPECT_THAT(Acknowledge(caller), RefusedWith(v1::ROLE_NOT_PERMITTED)) << caller;
  }
  EXPECT_THAT(Get(kDeviceReporter), RefusedWith(v1::ROLE_NOT_PERMITTED));
  const auto not_bound = RefusedWith(v1::TENANT_NOT_PERMITTED, "tenant_id");
  EXPECT_THAT(Follow(kForeignGateway)->End(), not_bound);
  EXPECT_THAT(Acknowledge(kForeignGateway), not_bound);
  EXPECT_THAT(Get(kForeignGateway), not_bound);
  EXPECT_THAT(Follow(kGateway, "")->End(), RefusedWith(v1::FIELD_MISSING, "tenant_id"));
  EXPECT_THAT(Follow(kForeignGateway, "fabrikam")->End(),
              RefusedWith(v1::TENANT_UNKNOWN, "tenant_id"));
  // Who may is served, and told what is wrong with what it says.
  EXPECT_EQ(Follow(kGateway)->NextVersion(), 2u);
  EXPECT_THAT(Acknowledge(kGateway), RefusedWith(v1::FIELD_MISSING, "version"));
  for (const char* caller : {kGateway, kBroker, kAdministrator, kAuditor}) {
    EXPECT_THAT(Get(caller), Succeeded()) << caller;
  }
}

TEST_F(BundleWatchTest, AMessageThatIsNoneIsRefusedToWhoSentIt) {
  EXPECT_THAT(wire_.Send(kGateway, kWatch, "\xff"), RefusedWith(v1::FIELD_INVALID, ""));
  std::vector<LoggedLine> logged = wire_.TakeLog();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0]["event"], "call_failed");
  EXPECT_EQ(logged[0]["method"], "WatchTrustBundle");
  EXPECT_EQ(logged[0]["caller"], kGateway);
  EXPECT_THAT(wire_.Send(kStranger, kWatch, "\xff"), RefusedWith(v1::CALLER_UNKNOWN));
  EXPECT_THAT(wire_.failures().Totals(), ElementsAre(Pair(ErrorReason::kFieldInvalid, 1),
                                                     Pair(ErrorReason::kCallerUnknown, 1)));
}

TEST_F(BundleWatchTest, TheStopEndsEveryStream) {
  std::vector<std::unique_ptr<Follower>> followers;
  for (int i = 0; i < 5; ++i) {
    followers.push_back(Follow());
    EXPECT_EQ(followers.back()->NextVersion(), 2u);
  }
  service_->StopWatches();
  for (const auto& follower : followers) EXPECT_THAT(follower->End(), RefusedWith(v1::STOPPING));
  EXPECT_THAT(Follow()->End(), RefusedWith(v1::STOPPING));
  contoso_->Stage();
  // All are done with, or this would wait for them.
  wire_.calls()->StopTakingCalls(std::chrono::hours(1));
  EXPECT_THAT(wire_.failures().Totals(), IsEmpty()) << "that is no failure";
}

TEST_F(BundleWatchTest, TheStopWaitsForWhoIsLooking) {
  Door door;
  keys_->door = &door;
  const auto follower = Follow();
  EXPECT_TRUE(door.HasMet(1));
  service_->StopWatches();
  wire_.calls()->StopTakingCalls(std::chrono::milliseconds(0));
  door.Open();
  EXPECT_THAT(follower->End(), RefusedWith(v1::STOPPING)) << "without the bundle";
  wire_.calls()->StopTakingCalls(std::chrono::hours(1));
}

TEST_F(BundleWatchTest, AllMayHangUpAtOnce) {
  CallLimits limits;
  limits.watches_of_a_caller = 100;
  Start(limits, {});
  std::vector<std::unique_ptr<Follower>> followers;
  for (int i = 0; i < 100; ++i) {
    followers.push_back(Follow());
    EXPECT_EQ(followers.back()->NextVersion(), 2u);
  }
  // Some while they are told of changes.
  std::future<void> changes = std::async(std::launch::async, [this] {
    for (int i = 0; i < 5; ++i) contoso_->Stage();
  });
  for (const auto& follower : followers) follower->HangUp();
  changes.get();
  for (const auto& follower : followers) {
    while (follower->NextVersion() != 0) {
    }
    EXPECT_EQ(follower->End().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_EQ(Follow()->NextVersion(), 7u);
  service_->StopWatches();
  wire_.calls()->StopTakingCalls(std::chrono::hours(1));
  EXPECT_THAT(wire_.TakeLog(), IsEmpty()) << "to hang up is no failure";
}

TEST_F(BundleWatchTest, WhoHangsUpWhileItsBundleIsSignedIsLetGo) {
  Door door;
  keys_->door = &door;
  const auto follower = Follow();
  EXPECT_TRUE(door.HasMet(1));
  follower->HangUp();
  EXPECT_EQ(follower->End().error_code(), grpc::StatusCode::CANCELLED);
  door.Open();
  service_->StopWatches();
  wire_.calls()->StopTakingCalls(std::chrono::hours(1));
}

TEST_F(BundleWatchTest, ACallerHasSoManyAndAnotherHasItsOwn) {
  CallLimits limits;
  limits.watches_of_a_caller = 2;
  Start(limits, {});
  auto first = Follow();
  const auto second = Follow();
  EXPECT_EQ(first->NextVersion(), 2u);
  EXPECT_EQ(second->NextVersion(), 2u);
  const grpc::Status refused = Follow()->End();
  EXPECT_THAT(refused, RefusedWith(v1::OVERLOADED));
  EXPECT_TRUE(ErrorDetailOf(refused)->has_retry_delay());
  EXPECT_EQ(Follow(kOtherGateway)->NextVersion(), 2u);
  EXPECT_THAT(Get(kGateway), Succeeded()) << "calls are bounded by themselves";
  // Whoever goes makes room, as soon as the service knows.
  first->HangUp();
  std::uint64_t version = 0;
  while (version == 0) {
    const auto next = Follow();
    version = next->NextVersion();
    if (version == 0) {
      EXPECT_THAT(next->End(), RefusedWith(v1::OVERLOADED));
    }
  }
  EXPECT_EQ(version, 2u);
}

TEST_F(BundleWatchTest, WhereNoMoreMayWaitTheStreamEnds) {
  CallPoolOptions options;
  options.listing_threads = 1;
  options.listings_waiting = 1;
  Start({}, options);
  Door door;
  keys_->door = &door;
  const auto served = Follow();
  EXPECT_TRUE(door.HasMet(1));
  // Of these two one waits, and the other has no room.
  std::vector<std::unique_ptr<Follower>> both;
  both.push_back(Follow());
  both.push_back(Follow());
  std::counting_semaphore<2> ended(0);
  std::vector<std::future<std::uint64_t>> versions;
  for (const auto& follower : both) {
    versions.push_back(std::async(std::launch::async, [&] {
      const std::uint64_t version = follower->NextVersion();
      ended.release();
      return version;
    }));
  }
  EXPECT_TRUE(ended.try_acquire_for(Door::kNever)) << "one has no room";
  door.Open();
  EXPECT_EQ(served->NextVersion(), 2u);
  const std::vector<std::uint64_t> got = {versions[0].get(), versions[1].get()};
  EXPECT_THAT(got, testing::UnorderedElementsAre(0u, 2u));
  EXPECT_THAT(both[got[0] == 0 ? 0 : 1]->End(), RefusedWith(v1::OVERLOADED));
}

TEST_F(BundleWatchTest, WhoHoldsTooMuchIsSentAway) {
  const auto follower = Follow();
  EXPECT_EQ(follower->NextVersion(), 2u);
  {
    const CallBounds::Ticket held =
        wire_.calls()->bounds().Take(kGateway, CallLimits().octets_of_a_caller);
    contoso_->Stage();
    EXPECT_THAT(follower->End(), RefusedWith(v1::OVERLOADED));
  }
  EXPECT_EQ(Follow()->NextVersion(), 3u);
}

// The edge ends the connection; where a bundle is due first, the stream says why.
TEST_F(BundleWatchTest, ACertificateIsLookedAtForEachBundle) {
  const auto follower = Follow();
  EXPECT_EQ(follower->NextVersion(), 2u);
  contoso_->Stage();
  EXPECT_EQ(follower->NextVersion(), 3u);
  wire_.clock().Advance(std::chrono::hours(24 * 60));
  contoso_->Stage();
  EXPECT_THAT(follower->End(), RefusedWith(v1::CALLER_CERTIFICATE_EXPIRED));
  EXPECT_THAT(wire_.failures().Totals(),
              ElementsAre(Pair(ErrorReason::kCallerCertificateExpired, 1)));
}

TEST_F(BundleWatchTest, WhatFailsEndsTheStreamWithItsReason) {
  const auto follower = Follow();
  EXPECT_EQ(follower->NextVersion(), 2u);
  store_->fails = true;
  contoso_->Stage();
  EXPECT_THAT(follower->End(), RefusedWith(v1::JOURNAL_UNAVAILABLE));
  store_->fails = false;
  std::vector<LoggedLine> logged = wire_.TakeLog();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0]["reason"], "JOURNAL_UNAVAILABLE");
  EXPECT_EQ(logged[0]["caller"], kGateway);
  const auto again = Follow();
  EXPECT_EQ(again->NextVersion(), 3u);
  ASSERT_OK(software_->Destroy(contoso_->Root("r1").key_uri));
  contoso_->Stage();
  EXPECT_THAT(again->End(), RefusedWith(v1::KEY_UNAVAILABLE));
  contoso_->Promote("r2");
  EXPECT_EQ(Follow()->NextVersion(), 5u);
}

}  // namespace
}  // namespace hourglass::issuance
