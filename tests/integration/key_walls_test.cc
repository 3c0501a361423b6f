// One tenant's administrator and the keys of another, over gRPC, with a SoftHSM token.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/keys.grpc.pb.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/service_in_process.h"
#include "tests/support/softhsm_token.h"

namespace hourglass {
namespace {

using testing::StartsWith;

constexpr char kFabrikamsAdministrator[] = "fabrikam-administrator";
constexpr char kToken[] = "pkcs11:token=hourglass;object=";

class KeyWallsTest : public testing::Test {
 protected:
  // SoftHSM looks for its tokens once a process.
  static void SetUpTestSuite() { token_ = new SofthsmToken(); }
  static void TearDownTestSuite() {
    delete token_;
    token_ = nullptr;
  }

  void SetUp() override {
    service_.emplace([](issuance::Config& config) {
      issuance::Caller caller;
      caller.name = kFabrikamsAdministrator;
      caller.identity = "uri:spiffe://contoso.example/fabrikam-administrator";
      caller.roles = {issuance::Role::kAdministrator};
      caller.tenants = {"fabrikam"};
      config.callers.push_back(caller);
      config.keys.tokens = {token_->Uri()};
    });
    service_->MakeReady();
    service_->CreateTenant("fabrikam");
  }
  void TearDown() override {
    // The token stays from test to test.
    for (const char* type : {"privkey", "pubkey"}) {
      for (const char* label : {"contoso-2027", "prepared", "hourglass-contoso-r1",
                                "hourglass-contoso-r2", "hourglass-fabrikam-r1"}) {
        while (token_->Tool({"--delete-object", "--type", type, "--label", label}).exit_code == 0) {
        }
      }
    }
  }

  grpc::Status CreateKey(const std::string& uri, const std::string& tenant_id = "",
                         v1::CreateKeyResponse* key = nullptr) {
    grpc::ClientContext context;
    v1::CreateKeyRequest request;
    request.set_key_uri(uri);
    request.set_key_type(v1::EC_P256);
    request.set_tenant_id(tenant_id);
    v1::CreateKeyResponse unused;
    return service_->As<v1::KeyService>(kAdministrator)
        ->CreateKey(&context, request, key == nullptr ? &unused : key);
  }
  grpc::Status CreateRoot(absl::string_view caller, const std::string& tenant_id,
                          const std::string& key_uri, v1::Root* root,
                          v1::KeyType type = v1::EC_P256) {
    grpc::ClientContext context;
    v1::CreateRootRequest request;
    request.set_tenant_id(tenant_id);
    request.mutable_duration()->set_seconds(365 * 86400);
    request.set_key_type(type);
    request.set_key_uri(key_uri);
    return service_->As<v1::RootService>(caller)->CreateRoot(&context, request, root);
  }
  using Move = grpc::Status (v1::RootService::Stub::*)(grpc::ClientContext*,
                                                       const v1::MoveRootRequest&, v1::Root*);
  grpc::Status MoveRoot(Move move, absl::string_view caller, const v1::Root& root, bool destroy_key,
                        v1::Root* moved) {
    grpc::ClientContext context;
    v1::MoveRootRequest request;
    request.set_tenant_id(root.tenant_id());
    request.set_root_id(root.root_id());
    request.set_destroy_key(destroy_key);
    return (*service_->As<v1::RootService>(caller).*move)(&context, request, moved);
  }
  grpc::Status Discard(absl::string_view caller, const v1::Root& root, v1::Root* moved) {
    return MoveRoot(&v1::RootService::Stub::DiscardRoot, caller, root, true, moved);
  }

  // A key under the name that fabrikam had before, and contoso's primary on it.
  void MakeContososPrimaryOf(const std::string& uri) {
    ASSERT_THAT(CreateKey(uri, "contoso"), Succeeded());
    v1::Root root;
    ASSERT_THAT(CreateRoot(kAdministrator, "contoso", uri, &root), Succeeded());
    grpc::ClientContext context;
    ASSERT_THAT(service_->As<v1::RootService>(kAdministrator)
                    ->PromoteRoot(&context, ServiceClient::PromotionOf(root), &root),
                Succeeded());
    ASSERT_THAT(service_->Issue(service_->Request()), Succeeded());
  }

  static SofthsmToken* token_;
  std::optional<ServiceInProcess> service_;
};

SofthsmToken* KeyWallsTest::token_ = nullptr;

// A name is squatted on (by one who may, which tells nothing), its key destroyed; another tenant's
// primary comes to be under it; the first tenant's administrator asks again.
TEST_F(KeyWallsTest, AnOldNameDestroysNoOthersKey) {
  const std::string name = absl::StrCat(kToken, "contoso-2027");
  v1::Root squatter;
  ASSERT_THAT(CreateRoot(kAdministrator, "fabrikam", name, &squatter), Succeeded());
  EXPECT_THAT(squatter.key_uri(), StartsWith(name + ";id=%"));
  v1::Root gone;
  ASSERT_THAT(Discard(kFabrikamsAdministrator, squatter, &gone), Succeeded());
  EXPECT_TRUE(gone.has_key_destroyed_at());
  MakeContososPrimaryOf(name + ";id=%01");
  EXPECT_THAT(Discard(kFabrikamsAdministrator, squatter, &gone),
              RefusedWith(v1::KEY_DESTROYED, "destroy_key"));
  EXPECT_THAT(service_->Issue(service_->Request()), Succeeded());
}

// The same where the key went in another way, so that nothing is recorded of it.
TEST_F(KeyWallsTest, AnOldNameDestroysNoOthersKeyThatNobodyKnowsToBeGone) {
  const std::string name = absl::StrCat(kToken, "contoso-2027");
  v1::Root squatter;
  ASSERT_THAT(CreateRoot(kAdministrator, "fabrikam", name, &squatter), Succeeded());
  for (const char* type : {"privkey", "pubkey"}) {
    ASSERT_EQ(
        token_->Tool({"--delete-object", "--type", type, "--label", "contoso-2027"}).exit_code, 0);
  }
  v1::Root gone;
  EXPECT_THAT(Discard(kFabrikamsAdministrator, squatter, &gone),
              RefusedWith(v1::KEY_NOT_FOUND, "destroy_key"));
  MakeContososPrimaryOf(squatter.key_uri().substr(0, squatter.key_uri().find(";id=")) + ";id=%01");
  EXPECT_THAT(Discard(kFabrikamsAdministrator, squatter, &gone),
              RefusedWith(v1::KEY_NOT_FOUND, "destroy_key"));
  EXPECT_THAT(service_->Issue(service_->Request()), Succeeded());
}

TEST_F(KeyWallsTest, WhatIsNotATenantsOwnIsRefusedInTheSameWords) {
  ASSERT_THAT(CreateKey(absl::StrCat(kToken, "prepared"), "contoso"), Succeeded());
  std::optional<grpc::Status> first;
  v1::Root root;
  for (const v1::KeyType type : {v1::EC_P256, v1::EC_P384}) {
    for (const char* name : {"prepared", "nothing", "hourglass-contoso-r1", "hourglass-contoso-r2",
                             "hourglass-fabrikam-b-r1", "hourglass-fabrikam", "contoso-2027"}) {
      const grpc::Status status =
          CreateRoot(kFabrikamsAdministrator, "fabrikam", absl::StrCat(kToken, name), &root, type);
      EXPECT_THAT(status, RefusedWith(v1::KEY_NOT_PERMITTED, "key_uri")) << name;
      if (!first.has_value()) first = status;
      EXPECT_EQ(status.error_message(), first->error_message()) << name;
      EXPECT_EQ(status.error_details(), first->error_details()) << name;
    }
  }
  // Nor may who may name any key take it away from contoso.
  EXPECT_THAT(CreateRoot(kAdministrator, "fabrikam", absl::StrCat(kToken, "prepared"), &root),
              RefusedWith(v1::KEY_NOT_PERMITTED, "key_uri"));
  ASSERT_THAT(CreateRoot(kFabrikamsAdministrator, "fabrikam",
                         absl::StrCat(kToken, "hourglass-fabrikam-r1"), &root),
              Succeeded());
  ASSERT_THAT(CreateRoot(kAdministrator, "contoso", absl::StrCat(kToken, "prepared"), &root),
              Succeeded());
}

TEST_F(KeyWallsTest, AKeyPreparedForATenantIsNamedByItsAdministrator) {
  const std::string name = absl::StrCat(kToken, "prepared");
  v1::Root root;
  ASSERT_THAT(CreateKey(name), Succeeded());
  EXPECT_THAT(CreateRoot(kFabrikamsAdministrator, "fabrikam", name, &root),
              RefusedWith(v1::KEY_NOT_PERMITTED, "key_uri"))
      << "not bound to anybody";
  v1::CreateKeyResponse key;
  ASSERT_THAT(CreateKey(name, "fabrikam", &key), Succeeded());
  EXPECT_FALSE(key.created());
  EXPECT_EQ(key.key().bound_to(), "fabrikam");
  EXPECT_THAT(CreateKey(name, "contoso"), RefusedWith(v1::KEY_NOT_PERMITTED, "tenant_id"));
  EXPECT_THAT(CreateKey(name, "Not an id"), RefusedWith(v1::FIELD_INVALID, "tenant_id"));
  ASSERT_THAT(CreateRoot(kFabrikamsAdministrator, "fabrikam", name, &root), Succeeded());
  EXPECT_EQ(root.key_uri(), key.key().key_uri());
  EXPECT_THAT(Discard(kFabrikamsAdministrator, root, &root),
              RefusedWith(v1::FIELD_INVALID, "destroy_key"))
      << "it was there before";
}

TEST_F(KeyWallsTest, TwoTenantsRootsAreNotCalledTheSame) {
  grpc::ClientContext contexts[2];
  v1::CreateTenantRequest request;
  request.set_tenant_id("northwind");
  request.set_display_name("CONTOSO");
  v1::Tenant tenant;
  auto tenants = service_->As<v1::TenantService>(kAdministrator);
  EXPECT_THAT(tenants->CreateTenant(&contexts[0], request, &tenant),
              RefusedWith(v1::DISPLAY_NAME_TAKEN, "display_name"));
  request.set_display_name("Northwind");
  EXPECT_THAT(tenants->CreateTenant(&contexts[1], request, &tenant), Succeeded());
}

}  // namespace
}  // namespace hourglass
