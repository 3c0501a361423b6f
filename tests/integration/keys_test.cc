// The service's keys over gRPC: who may see and move them, and what is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "hourglass/v1/keys.grpc.pb.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/service_in_process.h"

namespace hourglass {
namespace {

constexpr char kOneTenantsAdministrator[] = "contoso-administrator";

class KeysTest : public testing::Test {
 protected:
  KeysTest()
      : service_([](issuance::Config& config) {
          issuance::Caller caller;
          caller.name = kOneTenantsAdministrator;
          caller.identity = "uri:spiffe://contoso.example/contoso-administrator";
          caller.roles = {issuance::Role::kAdministrator};
          caller.tenants = {"contoso"};
          config.callers.push_back(caller);
        }) {
    service_.MakeReady();
  }

  grpc::Status List(absl::string_view caller, v1::ListKeysResponse& keys) {
    grpc::ClientContext context;
    return service_.As<v1::KeyService>(caller)->ListKeys(&context, v1::ListKeysRequest(), &keys);
  }
  grpc::Status Create(absl::string_view caller, const std::string& uri, v1::KeyType type,
                      v1::CreateKeyResponse& key) {
    grpc::ClientContext context;
    v1::CreateKeyRequest request;
    request.set_key_uri(uri);
    request.set_key_type(type);
    return service_.As<v1::KeyService>(caller)->CreateKey(&context, request, &key);
  }
  grpc::Status Destroy(absl::string_view caller, const std::string& uri,
                       v1::DestroyKeyResponse& key) {
    grpc::ClientContext context;
    v1::DestroyKeyRequest request;
    request.set_key_uri(uri);
    return service_.As<v1::KeyService>(caller)->DestroyKey(&context, request, &key);
  }

  ServiceInProcess service_;
};

TEST_F(KeysTest, OnlyAdministratorsOfEveryTenantSeeAndMoveKeys) {
  v1::ListKeysResponse keys;
  v1::CreateKeyResponse created;
  v1::DestroyKeyResponse destroyed;
  for (const char* caller : {kBroker, kWideBroker, kAuditor, kDeviceReporter}) {
    EXPECT_THAT(List(caller, keys), RefusedWith(v1::ROLE_NOT_PERMITTED)) << caller;
    EXPECT_THAT(Create(caller, "software:mine", v1::EC_P256, created),
                RefusedWith(v1::ROLE_NOT_PERMITTED));
    EXPECT_THAT(Destroy(caller, "software:mine", destroyed), RefusedWith(v1::ROLE_NOT_PERMITTED));
  }
  const char* const caller = kOneTenantsAdministrator;
  EXPECT_THAT(List(caller, keys), RefusedWith(v1::TENANT_NOT_PERMITTED));
  EXPECT_THAT(Create(caller, "software:mine", v1::EC_P256, created),
              RefusedWith(v1::TENANT_NOT_PERMITTED));
  EXPECT_THAT(Destroy(caller, "software:mine", destroyed), RefusedWith(v1::TENANT_NOT_PERMITTED));
  EXPECT_EQ(List(kStranger, keys).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(keys.places_size(), 0);
  ASSERT_THAT(List(kAdministrator, keys), Succeeded());
  ASSERT_EQ(keys.places_size(), 1);
  ASSERT_EQ(keys.places(0).keys_size(), 1) << "nobody made one";
}

TEST_F(KeysTest, AKeyIsListedWithItsRoot) {
  v1::ListKeysResponse keys;
  ASSERT_THAT(List(kAdministrator, keys), Succeeded());
  ASSERT_EQ(keys.places_size(), 1);
  const v1::KeyPlace& place = keys.places(0);
  EXPECT_EQ(place.kind(), v1::KeyPlace::SOFTWARE);
  EXPECT_EQ(place.error(), v1::ERROR_REASON_UNSPECIFIED);
  ASSERT_EQ(place.keys_size(), 1);
  EXPECT_EQ(place.keys(0).key_uri(), "software:hourglass-contoso-r1");
  EXPECT_EQ(place.keys(0).key_type(), v1::EC_P256);
  EXPECT_EQ(place.keys(0).used_by().tenant_id(), "contoso");
  EXPECT_EQ(place.keys(0).used_by().root_id(), "r1");
  EXPECT_EQ(place.keys(0).used_by().state(), v1::PRIMARY);
}

TEST_F(KeysTest, AKeyIsMadeOnceAndDestroyedUnlessARootNeedsIt) {
  v1::CreateKeyResponse created;
  ASSERT_THAT(Create(kAdministrator, "software:mine", v1::EC_P384, created), Succeeded());
  EXPECT_TRUE(created.created());
  EXPECT_EQ(created.key().key_uri(), "software:mine");
  ASSERT_THAT(Create(kAdministrator, "software:mine", v1::EC_P384, created), Succeeded());
  EXPECT_FALSE(created.created());
  EXPECT_THAT(Create(kAdministrator, "software:mine", v1::EC_P256, created),
              RefusedWith(v1::KEY_EXISTS, "key_uri"));
  v1::DestroyKeyResponse destroyed;
  EXPECT_THAT(Destroy(kAdministrator, "software:hourglass-contoso-r1", destroyed),
              RefusedWith(v1::KEY_IN_USE, "key_uri"));
  EXPECT_THAT(service_.Issue(service_.Request()), Succeeded());
  ASSERT_THAT(Destroy(kAdministrator, "software:mine", destroyed), Succeeded());
  EXPECT_EQ(destroyed.key().key_uri(), "software:mine");
  EXPECT_THAT(Destroy(kAdministrator, "software:mine", destroyed), RefusedWith(v1::KEY_NOT_FOUND));
}

TEST_F(KeysTest, EveryFieldIsChecked) {
  v1::CreateKeyResponse created;
  v1::DestroyKeyResponse destroyed;
  EXPECT_THAT(Create(kAdministrator, "", v1::EC_P256, created),
              RefusedWith(v1::FIELD_MISSING, "key_uri"));
  EXPECT_THAT(Create(kAdministrator, "software:mine", v1::KEY_TYPE_UNSPECIFIED, created),
              RefusedWith(v1::FIELD_MISSING, "key_type"));
  EXPECT_THAT(Create(kAdministrator, "software:../mine", v1::EC_P256, created),
              RefusedWith(v1::KEY_URI_INVALID));
  EXPECT_THAT(Create(kAdministrator, "software:/etc/mine", v1::EC_P256, created),
              RefusedWith(v1::KEY_URI_INVALID));
  EXPECT_THAT(Destroy(kAdministrator, "", destroyed), RefusedWith(v1::FIELD_MISSING, "key_uri"));
  EXPECT_THAT(Destroy(kAdministrator, "tpm:handle=0x81010001", destroyed),
              RefusedWith(v1::KEY_URI_INVALID));
}

}  // namespace
}  // namespace hourglass
