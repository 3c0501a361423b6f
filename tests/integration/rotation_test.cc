// Roots from creation to retirement, and what they mean for those who issue (promises 1 and 6).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "hourglass/v1/trust_bundles.grpc.pb.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/service_in_process.h"

namespace hourglass {
namespace {

class RotationTest : public testing::Test {
 protected:
  grpc::Status Issue(const v1::IssueCertificateRequest& request,
                     v1::IssueCertificateResponse* response) {
    return service_.Issue(request, response);
  }
  grpc::Status Issue() { return service_.Issue(service_.Request()); }

  using Move = grpc::Status (v1::RootService::Stub::*)(grpc::ClientContext*,
                                                       const v1::MoveRootRequest&, v1::Root*);
  grpc::Status Do(Move move, const std::string& root_id, v1::Root* root = nullptr,
                  bool destroy_key = false) {
    v1::MoveRootRequest request;
    request.set_tenant_id("contoso");
    request.set_root_id(root_id);
    request.set_destroy_key(destroy_key);
    v1::Root unused;
    grpc::ClientContext context;
    return (service_.As<v1::RootService>(kAdministrator).get()->*move)(
        &context, request, root != nullptr ? root : &unused);
  }

  grpc::Status Promote(const std::string& root_id, v1::Root* root = nullptr) {
    v1::Root named;
    named.set_tenant_id("contoso");
    named.set_root_id(root_id);
    v1::Root unused;
    grpc::ClientContext context;
    return service_.As<v1::RootService>(kAdministrator)
        ->PromoteRoot(&context, ServiceClient::PromotionOf(named),
                      root != nullptr ? root : &unused);
  }
  grpc::Status RollBack(const std::string& root_id) {
    v1::RollBackRootRequest request;
    request.set_tenant_id("contoso");
    request.set_root_id(root_id);
    v1::Root unused;
    grpc::ClientContext context;
    return service_.As<v1::RootService>(kAdministrator)->RollBackRoot(&context, request, &unused);
  }

  std::vector<std::string> TrustBundle() {
    v1::GetTrustBundleRequest request;
    request.set_tenant_id("contoso");
    v1::TrustBundle bundle;
    grpc::ClientContext context;
    EXPECT_THAT(
        service_.As<v1::TrustBundleService>(kBroker)->GetTrustBundle(&context, request, &bundle),
        Succeeded());
    return {bundle.roots().begin(), bundle.roots().end()};
  }

  static constexpr Move kRetire = &v1::RootService::Stub::RetireRoot;
  static constexpr Move kDiscard = &v1::RootService::Stub::DiscardRoot;

  ServiceInProcess service_;
};

TEST_F(RotationTest, WithoutAPrimaryNothingIsIssued) {
  service_.CreateTenant();
  service_.ReportDevice("contoso", "laptop-1", true);
  const grpc::Status no_root = Issue();
  EXPECT_THAT(no_root, RefusedWith(v1::NO_PRIMARY_ROOT));
  EXPECT_EQ(no_root.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  const v1::Root root = service_.CreateRoot("contoso", false);
  EXPECT_EQ(root.state(), v1::STAGED);
  EXPECT_THAT(Issue(), RefusedWith(v1::NO_PRIMARY_ROOT));
  EXPECT_EQ(service_.JournalSize(), 0);
  ASSERT_THAT(Promote(root.root_id()), Succeeded());
  EXPECT_THAT(Issue(), Succeeded());
}

TEST_F(RotationTest, ASecondRootSignsOnlyAfterItsPromotion) {
  service_.MakeReady();
  v1::IssueCertificateResponse response;
  ASSERT_THAT(Issue(service_.Request(), &response), Succeeded());
  const std::string first = response.chain(0);

  const v1::Root second = service_.CreateRoot("contoso", false, v1::RSA_2048);
  EXPECT_EQ(second.generation(), 2u);
  ASSERT_THAT(Issue(service_.Request(), &response), Succeeded());
  EXPECT_EQ(response.chain(0), first);
  EXPECT_THAT(TrustBundle(), testing::ElementsAre(first, second.certificate()));

  v1::Root promoted;
  ASSERT_THAT(Promote(second.root_id(), &promoted), Succeeded());
  EXPECT_EQ(promoted.state(), v1::PRIMARY);
  ASSERT_THAT(Issue(service_.Request(), &response), Succeeded());
  EXPECT_EQ(response.chain(0), second.certificate());
  EXPECT_THAT(TrustBundle(), testing::ElementsAre(first, second.certificate()));
}

TEST_F(RotationTest, ARetiringRootGoesWhenItsLastLeafHasExpired) {
  service_.MakeReady();
  ASSERT_THAT(Issue(), Succeeded());
  const v1::Root second = service_.CreateRoot("contoso", true);
  const grpc::Status too_early = Do(kRetire, "r1");
  EXPECT_THAT(too_early, RefusedWith(v1::ROOT_MOVE_ILLEGAL, "root_id"));
  EXPECT_EQ(too_early.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(Do(kRetire, second.root_id()), RefusedWith(v1::ROOT_MOVE_ILLEGAL));
  service_.clock().Advance(std::chrono::seconds(3602));
  v1::Root retired;
  ASSERT_THAT(Do(kRetire, "r1", &retired, true), Succeeded());
  EXPECT_EQ(retired.state(), v1::RETIRED);
  EXPECT_THAT(TrustBundle(), testing::ElementsAre(second.certificate()));
  EXPECT_THAT(Promote("r1"), RefusedWith(v1::ROOT_MOVE_ILLEGAL));
  EXPECT_THAT(Issue(), Succeeded());
}

TEST_F(RotationTest, APromotionCanBeTakenBack) {
  service_.MakeReady();
  service_.CreateRoot("contoso", true);
  ASSERT_THAT(RollBack("r1"), Succeeded());
  v1::IssueCertificateResponse response;
  ASSERT_THAT(Issue(service_.Request(), &response), Succeeded());
  EXPECT_EQ(response.chain(0), TrustBundle()[0]);
  EXPECT_THAT(RollBack("r1"), RefusedWith(v1::ROOT_MOVE_ILLEGAL, "root_id")) << "it is primary";
  EXPECT_THAT(Promote("r2"), RefusedWith(v1::ROOT_MOVE_ILLEGAL, "root_id")) << "it is RETIRING";
  EXPECT_THAT(RollBack("r2"), Succeeded());
}

TEST_F(RotationTest, ADiscardedRootIsGoneForGood) {
  service_.MakeReady();
  const v1::Root second = service_.CreateRoot("contoso", false);
  EXPECT_THAT(Do(kDiscard, "r1"), RefusedWith(v1::ROOT_MOVE_ILLEGAL));
  ASSERT_THAT(Do(kDiscard, second.root_id(), nullptr, true), Succeeded());
  EXPECT_EQ(TrustBundle().size(), 1u);
  EXPECT_THAT(Promote(second.root_id()), RefusedWith(v1::ROOT_MOVE_ILLEGAL));
  EXPECT_THAT(Promote("r9"), RefusedWith(v1::ROOT_UNKNOWN));
  EXPECT_THAT(Issue(), Succeeded());
}

TEST_F(RotationTest, ARepeatedCreationMakesOneRoot) {
  service_.CreateTenant();
  v1::CreateRootRequest request;
  request.set_tenant_id("contoso");
  request.mutable_duration()->set_seconds(86400);
  request.set_key_type(v1::EC_P256);
  request.set_request_id("make-the-first");
  v1::Root roots[3];
  grpc::ClientContext contexts[4];
  auto stub = service_.As<v1::RootService>(kAdministrator);
  ASSERT_THAT(stub->CreateRoot(&contexts[0], request, &roots[0]), Succeeded());
  ASSERT_THAT(stub->CreateRoot(&contexts[1], request, &roots[1]), Succeeded());
  EXPECT_EQ(roots[1].certificate(), roots[0].certificate());
  EXPECT_EQ(TrustBundle().size(), 1u);
  request.set_key_type(v1::EC_P384);
  EXPECT_THAT(stub->CreateRoot(&contexts[2], request, &roots[2]),
              RefusedWith(v1::REQUEST_ID_REUSED, "request_id"));
  request.set_key_type(v1::EC_P256);
  request.mutable_duration()->set_seconds(2 * 86400);
  EXPECT_THAT(stub->CreateRoot(&contexts[3], request, &roots[2]),
              RefusedWith(v1::REQUEST_ID_REUSED, "request_id"));
  EXPECT_EQ(TrustBundle().size(), 1u);
}

// An administrator whose answer was lost asks again, and meanwhile another has decided otherwise.
TEST_F(RotationTest, ARepeatedCreationDoesNotTakeBackALaterPromotion) {
  service_.CreateTenant();
  service_.ReportDevice("contoso", "laptop-1", true);
  v1::CreateRootRequest request;
  request.set_tenant_id("contoso");
  request.mutable_duration()->set_seconds(365 * 86400);
  request.set_key_type(v1::EC_P256);
  request.set_make_primary(true);
  request.set_request_id("make-the-first");
  auto stub = service_.As<v1::RootService>(kAdministrator);
  v1::Root first;
  {
    grpc::ClientContext context;
    ASSERT_THAT(stub->CreateRoot(&context, request, &first), Succeeded());
    ASSERT_EQ(first.state(), v1::PRIMARY);
  }
  const v1::Root second = service_.CreateRoot("contoso", true);
  const auto repeat = [&](v1::RootState expected) {
    v1::Root repeated;
    grpc::ClientContext context;
    EXPECT_THAT(stub->CreateRoot(&context, request, &repeated), Succeeded());
    EXPECT_EQ(repeated.certificate(), first.certificate());
    EXPECT_EQ(repeated.state(), expected);
    v1::IssueCertificateResponse response;
    ASSERT_THAT(Issue(service_.Request(), &response), Succeeded());
    EXPECT_EQ(response.chain(0), second.certificate());
  };
  repeat(v1::RETIRING);
  ASSERT_THAT(Do(kRetire, "r1"), Succeeded());
  repeat(v1::RETIRED);
}

TEST_F(RotationTest, ARepeatedCreationFinishesAnInterruptedPromotion) {
  service_.CreateTenant();
  v1::CreateRootRequest request;
  request.set_tenant_id("contoso");
  request.mutable_duration()->set_seconds(86400);
  request.set_key_type(v1::EC_P256);
  request.set_request_id("make-the-first");
  auto stub = service_.As<v1::RootService>(kAdministrator);
  v1::Root root;
  grpc::ClientContext contexts[2];
  ASSERT_THAT(stub->CreateRoot(&contexts[0], request, &root), Succeeded());
  ASSERT_EQ(root.state(), v1::STAGED);
  request.set_make_primary(true);
  ASSERT_THAT(stub->CreateRoot(&contexts[1], request, &root), Succeeded());
  EXPECT_EQ(root.state(), v1::PRIMARY);
  EXPECT_EQ(root.root_id(), "r1");
}

TEST_F(RotationTest, RootsThatMakeNoSenseAreRefusedAndLeaveNoKey) {
  service_.CreateTenant();
  auto stub = service_.As<v1::RootService>(kAdministrator);
  const auto create = [&](std::int64_t seconds, v1::KeyType key_type, const std::string& uri) {
    v1::CreateRootRequest request;
    request.set_tenant_id("contoso");
    request.mutable_duration()->set_seconds(seconds);
    request.set_key_type(key_type);
    request.set_key_uri(uri);
    v1::Root root;
    grpc::ClientContext context;
    return stub->CreateRoot(&context, request, &root);
  };
  EXPECT_THAT(create(86399, v1::EC_P256, ""), RefusedWith(v1::FIELD_INVALID, "duration"));
  EXPECT_THAT(create(31LL * 366 * 86400, v1::EC_P256, ""),
              RefusedWith(v1::FIELD_INVALID, "duration"));
  EXPECT_THAT(create(86400, v1::KEY_TYPE_UNSPECIFIED, ""),
              RefusedWith(v1::FIELD_MISSING, "key_type"));
  EXPECT_THAT(create(86400, v1::EC_P256, "software:../escape"), RefusedWith(v1::KEY_URI_INVALID));
  EXPECT_THAT(create(86400, v1::EC_P256, "pkcs11:token=none;object=x?module-path=/etc/passwd"),
              RefusedWith(v1::KEY_URI_INVALID));
  EXPECT_TRUE(TrustBundle().empty());
  ASSERT_THAT(create(86400, v1::EC_P256, "software:mine"), Succeeded());
  EXPECT_THAT(create(86400, v1::EC_P256, "software:mine"), RefusedWith(v1::KEY_EXISTS, "key_uri"));
}

TEST_F(RotationTest, NoLeafOutlivesItsRoot) {
  service_.CreateTenant();
  service_.ReportDevice("contoso", "laptop-1", true);
  v1::CreateRootRequest request;
  request.set_tenant_id("contoso");
  request.mutable_duration()->set_seconds(86400);
  request.set_key_type(v1::EC_P256);
  request.set_make_primary(true);
  v1::Root root;
  grpc::ClientContext context;
  ASSERT_THAT(service_.As<v1::RootService>(kAdministrator)->CreateRoot(&context, request, &root),
              Succeeded());
  ASSERT_THAT(Issue(), Succeeded());
  service_.clock().Advance(std::chrono::hours(23) + std::chrono::minutes(1));
  service_.ReportDevice("contoso", "laptop-1", true);
  EXPECT_THAT(Issue(), RefusedWith(v1::ROOT_EXPIRING));
  service_.clock().Advance(std::chrono::hours(2));
  service_.ReportDevice("contoso", "laptop-1", true);
  EXPECT_THAT(Issue(), RefusedWith(v1::ROOT_EXPIRING));
  EXPECT_EQ(service_.JournalSize(), 1);
}

TEST_F(RotationTest, UnderAClockThatLeaptARootIsPromotedButNoneIsRetiredOrMade) {
  service_.MakeReady();
  ASSERT_THAT(Issue(), Succeeded());
  service_.CreateRoot("contoso", true);
  service_.CreateRoot("contoso", false);
  service_.machine().Leap(std::chrono::hours(24 * 20));
  EXPECT_THAT(Issue(), RefusedWith(v1::CLOCK_UNTRUSTED));
  // By this clock the last leaf has expired.
  EXPECT_THAT(Do(kRetire, "r1"), RefusedWith(v1::CLOCK_UNTRUSTED));
  EXPECT_THAT(Promote("r3"), Succeeded());
  v1::CreateRootRequest request;
  request.set_tenant_id("contoso");
  request.mutable_duration()->set_seconds(86400);
  request.set_key_type(v1::EC_P256);
  v1::Root root;
  grpc::ClientContext context;
  EXPECT_THAT(service_.As<v1::RootService>(kAdministrator)->CreateRoot(&context, request, &root),
              RefusedWith(v1::CLOCK_UNTRUSTED));
  v1::ReportDeviceRequest report;
  report.set_tenant_id("contoso");
  report.set_device_id("laptop-1");
  report.mutable_state()->mutable_disk_encryption()->set_enabled(true);
  v1::Device device;
  grpc::ClientContext report_context;
  EXPECT_THAT(service_.As<v1::DeviceService>(kDeviceReporter)
                  ->ReportDevice(&report_context, report, &device),
              RefusedWith(v1::CLOCK_UNTRUSTED));
  service_.machine().Leap(-std::chrono::hours(24 * 20));
  EXPECT_THAT(Issue(), Succeeded());
  EXPECT_THAT(Do(kRetire, "r1"), RefusedWith(v1::ROOT_MOVE_ILLEGAL));
}

TEST_F(RotationTest, AClockBeforeTheRootIssuesNothing) {
  service_.MakeReady();
  ASSERT_THAT(Issue(), Succeeded());
  service_.clock().Advance(-std::chrono::hours(2));
  EXPECT_THAT(Issue(), RefusedWith(v1::CLOCK_UNTRUSTED));
  service_.AcceptClock();
  service_.ReportDevice("contoso", "laptop-1", true);
  EXPECT_THAT(Issue(), RefusedWith(v1::ROOT_NOT_YET_VALID));
  EXPECT_EQ(service_.JournalSize(), 1);
}

// Promise 6: what is released after the switch has committed was signed by the new primary, however
// many are under way.
TEST_F(RotationTest, ASwitchUnderLoadIsAFence) {
  service_.MakeReady();
  const v1::Root second = service_.CreateRoot("contoso", false);
  std::vector<v1::IssueCertificateRequest> requests;
  for (int i = 0; i < 60; ++i) requests.push_back(service_.Request());
  std::vector<std::unique_ptr<v1::CertificateIssuer::Stub>> stubs;
  for (int i = 0; i < 4; ++i) stubs.push_back(service_.As<v1::CertificateIssuer>(kBroker));
  std::atomic<bool> switched = false;
  std::atomic<int> old_after_switch = 0;
  std::atomic<int> issued_by_new = 0;
  std::vector<std::thread> brokers;
  for (int broker = 0; broker < 4; ++broker) {
    brokers.emplace_back([&, broker] {
      for (int i = broker; i < 60; i += 4) {
        const bool asked_after_switch = switched;
        v1::IssueCertificateResponse response;
        grpc::ClientContext context;
        const grpc::Status status =
            stubs[broker]->IssueCertificate(&context, requests[i], &response);
        if (!status.ok()) {
          EXPECT_THAT(status, RefusedWith(v1::PRIMARY_CHANGED));
        } else if (response.chain(0) == second.certificate()) {
          ++issued_by_new;
        } else if (asked_after_switch) {
          ++old_after_switch;
        }
      }
    });
  }
  ASSERT_THAT(Promote(second.root_id()), Succeeded());
  switched = true;
  for (std::thread& broker : brokers) broker.join();
  EXPECT_EQ(old_after_switch, 0);
  EXPECT_GT(issued_by_new, 0);

  // And in the journal, by its own order: no release of the old epoch after the first of the new
  // one was possible.
  const std::vector<v1::JournalEntry> journal = service_.Journal();
  for (const v1::JournalEntry& entry : journal) {
    EXPECT_EQ(entry.root_id(), entry.epoch() == journal.front().epoch() ? second.root_id() : "r1");
  }
}

TEST_F(RotationTest, ARequestOfTheOldPrimaryIsNotRepeatedAfterTheSwitch) {
  service_.MakeReady();
  const v1::IssueCertificateRequest request = service_.Request();
  v1::IssueCertificateResponse response;
  ASSERT_THAT(Issue(request, &response), Succeeded());
  service_.CreateRoot("contoso", true);
  EXPECT_THAT(Issue(request, &response), RefusedWith(v1::PRIMARY_CHANGED));
  EXPECT_THAT(Issue(), Succeeded());
}

}  // namespace
}  // namespace hourglass
