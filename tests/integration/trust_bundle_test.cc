// Trust bundles of the whole service: followers behind the edge, and across a restart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "hourglass/v1/trust_bundles.grpc.pb.h"
#include "issuance/config/config.h"
#include "issuance/identity/caller.h"
#include "tests/support/door.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/service_in_process.h"

namespace hourglass {
namespace {

constexpr char kGateway[] = "gateway";

void AddGateway(issuance::Config& config) {
  issuance::Caller& gateway = config.callers.emplace_back();
  gateway.name = kGateway;
  gateway.identity = "uri:spiffe://contoso.example/gateway";
  gateway.roles = {issuance::Role::kRelyingParty};
  gateway.tenants = {"contoso"};
}

class TrustBundleTest : public testing::Test {
 protected:
  struct Stream {
    grpc::ClientContext context;
    std::unique_ptr<v1::TrustBundleService::Stub> stub;
    std::unique_ptr<grpc::ClientReader<v1::TrustBundle>> reader;
  };

  std::unique_ptr<Stream> Follow() {
    auto stream = std::make_unique<Stream>();
    stream->context.set_deadline(std::chrono::system_clock::now() + Door::kNever);
    stream->stub = service_.As<v1::TrustBundleService>(kGateway);
    v1::WatchTrustBundleRequest request;
    request.set_tenant_id("contoso");
    stream->reader = stream->stub->WatchTrustBundle(&stream->context, request);
    return stream;
  }

  v1::TrustBundle Get() {
    v1::GetTrustBundleRequest request;
    request.set_tenant_id("contoso");
    v1::TrustBundle bundle;
    grpc::ClientContext context;
    EXPECT_THAT(
        service_.As<v1::TrustBundleService>(kGateway)->GetTrustBundle(&context, request, &bundle),
        Succeeded());
    return bundle;
  }

  ServiceInProcess service_{AddGateway};
};

TEST_F(TrustBundleTest, AFollowerIsToldOfEveryRoot) {
  service_.MakeReady();
  const auto stream = Follow();
  v1::TrustBundle bundle;
  ASSERT_TRUE(stream->reader->Read(&bundle));
  EXPECT_EQ(bundle.roots_size(), 1);
  EXPECT_EQ(bundle.signatures_size(), 1);
  const std::string staged = service_.CreateRoot("contoso", false).certificate();
  v1::TrustBundle next;
  ASSERT_TRUE(stream->reader->Read(&next));
  EXPECT_GT(next.version(), bundle.version());
  EXPECT_THAT(next.roots(), testing::ElementsAre(bundle.roots(0), staged));
  // What is issued has no part in it.
  EXPECT_THAT(service_.Issue(service_.Request()), Succeeded());
  EXPECT_EQ(Get().version(), next.version());
}

TEST_F(TrustBundleTest, AStopEndsTheStreamAndTheNextServiceHasTheSameBundle) {
  service_.MakeReady();
  const auto stream = Follow();
  v1::TrustBundle before;
  ASSERT_TRUE(stream->reader->Read(&before));
  service_.Restart();
  v1::TrustBundle none;
  EXPECT_FALSE(stream->reader->Read(&none));
  EXPECT_THAT(stream->reader->Finish(), RefusedWith(v1::STOPPING));
  const auto again = Follow();
  v1::TrustBundle after;
  ASSERT_TRUE(again->reader->Read(&after));
  EXPECT_EQ(after.version(), before.version());
  EXPECT_EQ(after.document(), before.document());
}

}  // namespace
}  // namespace hourglass
