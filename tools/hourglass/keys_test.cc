// The commands about keys that ask the service.
#include "hsm/base/error.h"
#include "issuance/wire/status_detail.h"
#include "tools/hourglass/scripted_service.h"

namespace hourglass::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class KeysTest : public HourglassTest {
 protected:
  KeysTest() {
    v1::KeyPlace& token = *keys_.list.add_places();
    token.set_name("pkcs11:token=contoso");
    token.set_kind(v1::KeyPlace::PKCS11);
    token.set_state(v1::KeyPlace::HEALTHY);
    *token.mutable_state_since() = TimestampOf(absl::Now() - absl::Minutes(65));
    v1::Key& used = *token.add_keys();
    used.set_key_uri("pkcs11:token=contoso;object=r3;id=%01");
    used.set_key_type(v1::EC_P256);
    used.mutable_used_by()->set_tenant_id("contoso");
    used.mutable_used_by()->set_root_id("r3");
    used.mutable_used_by()->set_state(v1::PRIMARY);
    v1::Key& left = *token.add_keys();
    left.set_key_uri("pkcs11:token=contoso;object=r4;id=%02");
    left.set_key_type(v1::RSA_3072);
    left.mutable_left_by()->set_tenant_id("contoso");
    left.mutable_left_by()->set_root_id("r4");
    v1::Key& unfit = *token.add_keys();
    unfit.set_key_uri("pkcs11:token=contoso;object=old;id=%03");
    unfit.set_unfit_because("CKA_EXTRACTABLE is true");
    v1::KeyPlace& lost = *keys_.list.add_places();
    lost.set_name("pkcs11:token=branch");
    lost.set_kind(v1::KeyPlace::PKCS11);
    lost.set_state(v1::KeyPlace::FAILED);
    *lost.mutable_state_since() = TimestampOf(absl::Now() - absl::Minutes(7));
    lost.set_state_message("put the right PIN into its source");
    lost.set_error(v1::PIN_REFUSED);
    lost.set_error_message("C_Login: CKR_PIN_INCORRECT\x1b[2J");
  }
};

TEST_F(KeysTest, EveryPlaceAndKeyIsListedWithItsRoot) {
  const CommandResult list = Run("keys list");
  EXPECT_EQ(list.exit_code, 0) << list.output;
  EXPECT_THAT(list.output, StartsWith("PLACE                 KEYS  STATE\n"
                                      "pkcs11:token=contoso  3     healthy since "));
  EXPECT_THAT(list.output, HasSubstr(" UTC (1 h 5 min ago)\n"));
  EXPECT_THAT(list.output, HasSubstr("pkcs11:token=branch   ?     failed since "));
  EXPECT_THAT(list.output, HasSubstr("): put the right PIN into its source\n"));
  EXPECT_THAT(list.output, HasSubstr("object=r3;id=%01   ec-p256   contoso r3 PRIMARY "));
  EXPECT_THAT(list.output,
              HasSubstr("rsa-3072  - (left by contoso r4, which was interrupted)  yes\n"));
  EXPECT_THAT(list.output, HasSubstr("  no: CKA_EXTRACTABLE is true\n"));
  EXPECT_THAT(list.output, HasSubstr("The keys of pkcs11:token=branch are not known: PIN_REFUSED: "
                                     "C_Login: CKR_PIN_INCORRECT\\x1b[2J\n"));
  EXPECT_THAT(list.output, Not(HasSubstr("\x1b")));
  const Json json = RunJson("keys list");
  EXPECT_EQ(json["places"][0]["state"], "HEALTHY");
  EXPECT_EQ(json["places"][0]["keys"][0]["root"]["root_id"], "r3");
  EXPECT_EQ(json["places"][0]["keys"][0]["root"]["state"], "PRIMARY");
  EXPECT_EQ(json["places"][0]["keys"][1]["left_by"]["root_id"], "r4");
  EXPECT_FALSE(json["places"][0]["keys"][1].contains("root"));
  EXPECT_EQ(json["places"][0]["keys"][2]["fit"], false);
  EXPECT_EQ(json["places"][1]["error"]["reason"], "PIN_REFUSED");
  EXPECT_EQ(json["places"][1]["keys"], Json::array());
}

TEST_F(KeysTest, AKeyIsMadeOrSaidToBeThere) {
  keys_.creation.mutable_key()->set_key_uri("pkcs11:token=contoso;object=mine");
  keys_.creation.set_created(true);
  const char* const words =
      "keys create --key pkcs11:token=contoso;object=mine --key-type rsa-2048";
  const CommandResult created = Run(words);
  EXPECT_EQ(created.exit_code, 0) << created.output;
  EXPECT_THAT(created.output,
              StartsWith("Created key pkcs11:token=contoso;object=mine.\nNext, give it a root: "
                         "hourglass roots create --tenant TENANT --duration 2y --key-type rsa-2048 "
                         "--key 'pkcs11:token=contoso;object=mine'\n"));
  EXPECT_EQ(script_.Last<v1::CreateKeyRequest>().key_type(), v1::RSA_2048);
  keys_.creation.set_created(false);
  EXPECT_THAT(Run(words).output, StartsWith("There already, and fit: key "));
  EXPECT_EQ(RunJson(words)["created"], false);
}

TEST_F(KeysTest, AKeyIsMadeForOneTenant) {
  keys_.creation.mutable_key()->set_key_uri("pkcs11:token=contoso;object=mine");
  keys_.creation.mutable_key()->set_key_type(v1::EC_P256);
  keys_.creation.mutable_key()->set_bound_to("fabrikam");
  keys_.creation.set_created(true);
  const char* const words =
      "keys create --key pkcs11:token=contoso;object=mine --key-type ec-p256 --tenant fabrikam";
  EXPECT_THAT(
      Run(words).output,
      StartsWith("Created key pkcs11:token=contoso;object=mine, bound to tenant fabrikam.\n"));
  EXPECT_EQ(script_.Last<v1::CreateKeyRequest>().tenant_id(), "fabrikam");
  EXPECT_EQ(RunJson(words)["bound_to"], "fabrikam");
  // Who binds it is the service.
  const CommandResult local =
      Run("keys create --key software:/nowhere/mine --key-type ec-p256 --tenant fabrikam");
  EXPECT_EQ(local.exit_code, 2) << local.output;
  EXPECT_THAT(local.output, HasSubstr("only the service binds keys"));
}

TEST_F(KeysTest, AKeyIsDestroyedOnlyIfMeant) {
  const CommandResult asked = Run("keys destroy --key software:mine");
  EXPECT_EQ(asked.exit_code, 2);
  EXPECT_THAT(asked.output, HasSubstr("--yes"));
  EXPECT_TRUE(script_.asked.empty());
  keys_.destruction.mutable_key()->set_key_uri("software:mine");
  EXPECT_EQ(Run("keys destroy --key software:mine --yes").output, "Destroyed key software:mine.\n");
  EXPECT_EQ(script_.Last<v1::DestroyKeyRequest>().key_uri(), "software:mine");
  script_.status = issuance::ToGrpcStatus(
      Error(ErrorReason::kKeyInUse, "key_uri", "is the key of root r1 of tenant contoso"), {});
  const CommandResult refused = Run("keys destroy --key software:mine --yes");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, AllOf(StartsWith("hourglass: KEY_IN_USE: key_uri: is the key of root "
                                               "r1 of tenant contoso\n"),
                                    HasSubstr("retire or discard the root first")));
}

}  // namespace
}  // namespace hourglass::cli
