#include "issuance/services/key_service.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/key/key_type.h"
#include "hsm/store/testing/forwarding_key_store.h"
#include "issuance/rotation/key_administration.h"
#include "issuance/services/record_mapper.h"
#include "issuance/services/testing/service_with_keys_test.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

using hsm::CustodianStatus;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::IsEmpty;

// A store of software keys that lists what a test tells it to.
class ToldKeyStore final : public hsm::ForwardingKeyStore {
 public:
  using ForwardingKeyStore::ForwardingKeyStore;

  std::vector<Place> List() override { return places; }
  std::vector<std::pair<std::string, CustodianStatus>> Status() const override {
    return conditions;
  }

  std::vector<Place> places;
  std::vector<std::pair<std::string, CustodianStatus>> conditions;
};

class KeyServiceTest : public ServiceWithKeysTest {
 protected:
  void SetUp() override {
    ServiceWithKeysTest::SetUp();
    told_.emplace(keys_.get());
    administration_.emplace(store_.get(), &*told_, &*roots_);
    service_.emplace(nullptr, &*administration_, &clock_, log_.log());
  }

  v1::ListKeysResponse List() {
    v1::ListKeysResponse response;
    EXPECT_OK(service_->ListKeys(administrator_, v1::ListKeysRequest(), &response));
    return response;
  }

  // The one place that there is.
  v1::KeyPlace Listed(hsm::KeyStore::Place place) {
    told_->places = {std::move(place)};
    const v1::ListKeysResponse response = List();
    EXPECT_EQ(response.places_size(), 1);
    return response.places_size() == 1 ? response.places(0) : v1::KeyPlace();
  }

  absl::StatusOr<v1::CreateKeyResponse> Create(const std::string& uri, v1::KeyType type,
                                               const std::string& tenant_id = "") {
    v1::CreateKeyRequest request;
    request.set_key_uri(uri);
    request.set_key_type(type);
    request.set_tenant_id(tenant_id);
    v1::CreateKeyResponse response;
    const absl::Status status = service_->CreateKey(administrator_, request, &response);
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<v1::Key> Destroy(const std::string& uri) {
    v1::DestroyKeyRequest request;
    request.set_key_uri(uri);
    v1::DestroyKeyResponse response;
    const absl::Status status = service_->DestroyKey(administrator_, request, &response);
    if (!status.ok()) return status;
    return response.key();
  }

  std::optional<ToldKeyStore> told_;
  std::optional<KeyAdministration> administration_;
  std::optional<KeyService> service_;
};

TEST_F(KeyServiceTest, APlaceSaysItsNameAndItsKind) {
  const std::pair<const char*, v1::KeyPlace::Kind> kinds[] = {
      {"pkcs11", v1::KeyPlace::PKCS11},
      {"tpm", v1::KeyPlace::TPM},
      {"software", v1::KeyPlace::SOFTWARE},
      {"cloud", v1::KeyPlace::KIND_UNSPECIFIED}};
  for (const auto& [kind, proto] : kinds) {
    v1::KeyPlace wanted;
    wanted.set_name("pkcs11:token=first");
    wanted.set_kind(proto);
    EXPECT_THAT(Listed({"pkcs11:token=first", kind, absl::OkStatus(), {}}), IsMessage(wanted));
  }
}

TEST_F(KeyServiceTest, PlacesAreInTheirOrderAndEachHasItsOwnCondition) {
  told_->places = {{"b", "pkcs11", absl::OkStatus(), {}}, {"a", "pkcs11", absl::OkStatus(), {}}};
  CustodianStatus failed;
  failed.state = CustodianStatus::State::kFailed;
  told_->conditions = {{"c", CustodianStatus()}, {"a", failed}};
  const v1::ListKeysResponse listed = List();
  ASSERT_EQ(listed.places_size(), 2);
  EXPECT_EQ(listed.places(0).name(), "b");
  EXPECT_EQ(listed.places(0).state(), v1::KeyPlace::STATE_UNSPECIFIED);
  EXPECT_FALSE(listed.places(0).has_state_since());
  EXPECT_EQ(listed.places(1).name(), "a");
  EXPECT_EQ(listed.places(1).state(), v1::KeyPlace::FAILED);
}

TEST_F(KeyServiceTest, AConditionIsTimedByTheWallClock) {
  using State = CustodianStatus::State;
  const std::pair<State, v1::KeyPlace::State> states[] = {
      {State::kUnused, v1::KeyPlace::UNUSED},
      {State::kHealthy, v1::KeyPlace::HEALTHY},
      {State::kRecovering, v1::KeyPlace::RECOVERING},
      {State::kFailed, v1::KeyPlace::FAILED}};
  EXPECT_EQ(v1::KeyPlace::State_descriptor()->value_count(), 5) << "with STATE_UNSPECIFIED";
  for (const auto& [state, proto] : states) {
    const auto before = steady_clock::now();
    CustodianStatus condition;
    condition.state = state;
    condition.since = before - seconds(3600);
    condition.message = "the token is gone";
    told_->conditions = {{"tpm:", condition}};
    const v1::KeyPlace place = Listed({"tpm:", "tpm", absl::OkStatus(), {}});
    const auto took = steady_clock::now() - before;
    EXPECT_EQ(place.state(), proto);
    EXPECT_EQ(place.state_message(), "the token is gone");
    // Nothing has happened to one that was not used yet.
    EXPECT_EQ(place.has_state_since(), state != State::kUnused);
    if (!place.has_state_since()) continue;
    ASSERT_OK_AND_ASSIGN(const Timestamp since, FromProto(place.state_since(), ""));
    EXPECT_LE(since, clock_.now - seconds(3600));
    EXPECT_GE(since + took, clock_.now - seconds(3601));
  }
}

TEST_F(KeyServiceTest, WhyThePlacesKeysAreNotKnownHasTheReasonOfTheContract) {
  for (int i = 1; i <= static_cast<int>(ErrorReason::kInternalError); ++i) {
    const auto reason = static_cast<ErrorReason>(i);
    const v1::KeyPlace place = Listed({"tpm:", "tpm", Error(reason, "keys.tpm", "why"), {}});
    EXPECT_EQ(v1::ErrorReason_Name(place.error()), ErrorReasonName(reason));
    EXPECT_EQ(place.error_message(), "keys.tpm: why");
  }
  const v1::KeyPlace unnamed = Listed({"tpm:", "tpm", absl::UnknownError("odd"), {}});
  EXPECT_EQ(unnamed.error(), v1::INTERNAL_ERROR);
  EXPECT_EQ(unnamed.error_message(), "odd");
  const v1::KeyPlace sound = Listed({"tpm:", "tpm", absl::OkStatus(), {}});
  EXPECT_EQ(sound.error(), v1::ERROR_REASON_UNSPECIFIED);
  EXPECT_EQ(sound.error_message(), "");
}

TEST_F(KeyServiceTest, AKeySaysAllThatIsKnownOfIt) {
  hsm::KeyStore::StoredKey key;
  key.uri = "software:mine";
  key.type = hsm::KeyType::kRsa3072;
  key.public_key = std::string("\x30\x00\xff", 3);
  key.unfit_because = "may be extracted";
  key.out_of_service = true;
  ASSERT_OK(store_->BindKey({"contoso", key.uri, key.public_key}));
  ASSERT_OK(store_->PlanKey({"contoso", 7, key.uri, key.public_key}));
  const v1::KeyPlace place = Listed({"keys", "software", absl::OkStatus(), {key}});
  ASSERT_EQ(place.keys_size(), 1);
  EXPECT_THAT(place.keys(0), IsMessage(MessageOf<v1::Key>(R"pb(
                key_uri: "software:mine"
                key_type: RSA_3072
                public_key: "0\000\377"
                unfit_because: "may be extracted"
                out_of_service: true
                left_by { tenant_id: "contoso" root_id: "r7" }
                bound_to: "contoso")pb")));
}

TEST_F(KeyServiceTest, AKeyOfWhichNothingIsKnownSaysItsUri) {
  hsm::KeyStore::StoredKey key;
  key.uri = "software:mine";
  const v1::KeyPlace place = Listed({"keys", "software", absl::OkStatus(), {key}});
  ASSERT_EQ(place.keys_size(), 1);
  EXPECT_THAT(place.keys(0), IsMessage(MessageOf<v1::Key>("key_uri: 'software:mine'")));
}

TEST_F(KeyServiceTest, AKeyOfARootSaysWhichAndItsState) {
  const RootRecord root = MakeRoot();
  ASSERT_OK(roots_->Promote(
      {.tenant_id = "contoso", .root_id = root.root_id, .without_relying_parties = true}));
  told_->places = keys_->List();
  const v1::ListKeysResponse listed = List();
  ASSERT_EQ(listed.places_size(), 1);
  ASSERT_EQ(listed.places(0).keys_size(), 1);
  const v1::Key& key = listed.places(0).keys(0);
  EXPECT_EQ(key.key_uri(), root.key_uri);
  EXPECT_THAT(
      key.used_by(),
      IsMessage(MessageOf<v1::KeyUse>("tenant_id: 'contoso' root_id: 'r1' state: PRIMARY")));
  EXPECT_FALSE(key.has_left_by());
  EXPECT_EQ(key.bound_to(), "");
}

// Longer RSA keys take seconds each; that no type is taken for another, record_mapper_test shows.
TEST_F(KeyServiceTest, MakesAKeyOfTheTypeThatIsAskedFor) {
  for (const hsm::KeyType type :
       {hsm::KeyType::kEcP256, hsm::KeyType::kEcP384, hsm::KeyType::kRsa2048}) {
    const std::string uri = absl::StrCat("software:", hsm::KeyTypeName(type));
    const v1::KeyType proto = ToProto(type);
    ASSERT_OK_AND_ASSIGN(const v1::CreateKeyResponse made, Create(uri, proto));
    ASSERT_OK_AND_ASSIGN(const auto key, keys_->Open(uri));
    EXPECT_EQ(key->type(), type);
    v1::CreateKeyResponse wanted;
    wanted.set_created(true);
    wanted.mutable_key()->set_key_uri(uri);
    wanted.mutable_key()->set_key_type(proto);
    wanted.mutable_key()->set_public_key(key->public_key());
    EXPECT_THAT(made, IsMessage(wanted));
    EXPECT_THAT(Logged(), ElementsAre(LoggedLine{{"event", "key_created"},
                                                 {"level", "info"},
                                                 {"key", uri},
                                                 {"key_type", std::string(hsm::KeyTypeName(type))},
                                                 {"tenant", ""},
                                                 {"caller", "cli"}}));
  }
}

// Asked again by who did not get the answer.
TEST_F(KeyServiceTest, AKeyThatIsThereIsAnsweredAndNotLoggedAsMade) {
  ASSERT_OK_AND_ASSIGN(v1::CreateKeyResponse made, Create("software:mine", v1::EC_P256));
  static_cast<void>(Logged());
  ASSERT_OK_AND_ASSIGN(const v1::CreateKeyResponse found, Create("software:mine", v1::EC_P256));
  made.set_created(false);
  EXPECT_THAT(found, IsMessage(made));
  EXPECT_THAT(Logged(), IsEmpty());
  EXPECT_THAT(Create("software:mine", v1::EC_P384), FailsWith(ErrorReason::kKeyExists, "key_uri"));
}

TEST_F(KeyServiceTest, BindsAKeyToTheTenantThatIsNamed) {
  ASSERT_OK_AND_ASSIGN(const v1::CreateKeyResponse made,
                       Create("software:mine", v1::EC_P256, "contoso"));
  EXPECT_EQ(made.key().bound_to(), "contoso");
  ASSERT_OK_AND_ASSIGN(const std::vector<BoundKey> bound, store_->ListBoundKeys());
  EXPECT_THAT(bound, ElementsAre(BoundKey{"contoso", "software:mine", made.key().public_key()}));
  const std::vector<LoggedLine> logged = Logged();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0].at("tenant"), "contoso");
}

TEST_F(KeyServiceTest, SaysWhichFieldOfANewKeyIsWrong) {
  EXPECT_THAT(Create("", v1::EC_P256), FailsWith(ErrorReason::kFieldMissing, "key_uri"));
  EXPECT_THAT(Create("software:mine", v1::KEY_TYPE_UNSPECIFIED),
              FailsWith(ErrorReason::kFieldMissing, "key_type"));
  EXPECT_THAT(Create("software:mine", static_cast<v1::KeyType>(6)),
              FailsWith(ErrorReason::kFieldInvalid, "key_type"));
  EXPECT_THAT(Create("software:mine", v1::EC_P256, "Contoso"),
              FailsWith(ErrorReason::kFieldInvalid, "tenant_id"));
  EXPECT_THAT(Create("software:mine", v1::EC_P256, "unknown"),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_THAT(Create("elsewhere:mine", v1::EC_P256), FailsWith(ErrorReason::kKeyUriInvalid));
  EXPECT_FALSE(HasKey("software:mine"));
  EXPECT_THAT(Logged(), IsEmpty());
  EXPECT_OK(Create("software:mine", v1::EC_P256, "contoso"));
}

TEST_F(KeyServiceTest, ADestroyedKeyIsAnsweredAsItWas) {
  ASSERT_OK_AND_ASSIGN(const v1::CreateKeyResponse made,
                       Create("software:mine", v1::EC_P256, "contoso"));
  ASSERT_OK_AND_ASSIGN(const v1::Key destroyed, Destroy("software:mine"));
  EXPECT_THAT(destroyed, IsMessage(made.key()));
  EXPECT_FALSE(HasKey("software:mine"));
  EXPECT_THAT(Destroy("software:mine"), FailsWith(ErrorReason::kKeyNotFound, "key_uri"));
}

TEST_F(KeyServiceTest, SaysWhyAKeyIsNotDestroyed) {
  const RootRecord root = MakeRoot("software:mine");
  EXPECT_THAT(Destroy(""), FailsWith(ErrorReason::kFieldMissing, "key_uri"));
  EXPECT_THAT(Destroy("software:other"), FailsWith(ErrorReason::kKeyNotFound, "key_uri"));
  EXPECT_THAT(Destroy("software:mine"), FailsWith(ErrorReason::kKeyInUse, "key_uri"));
  EXPECT_TRUE(HasKey("software:mine"));
  ASSERT_OK(roots_->Discard("contoso", root.root_id, KeyFate::kKeep));
  ASSERT_OK_AND_ASSIGN(const v1::Key destroyed, Destroy("software:mine"));
  EXPECT_EQ(destroyed.used_by().state(), v1::DISCARDED);
  EXPECT_FALSE(HasKey("software:mine"));
}

TEST_F(KeyServiceTest, WhoDestroyedAKeyIsLogged) {
  ASSERT_OK(Create("software:mine", v1::EC_P256));
  static_cast<void>(Logged());
  std::optional<RootAdministration> roots(std::in_place, store_.get(), keys_.get(), &*tenants_,
                                          &entropy_, &clock_, *log_.log());
  administration_.emplace(store_.get(), keys_.get(), &*roots);
  ASSERT_OK(Destroy("software:mine"));
  // It has a copy of the log, and the last copy writes what is left.
  service_.reset();
  administration_.reset();
  roots.reset();
  const std::vector<LoggedLine> logged = Logged();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0].at("event"), "key_destroyed");
  EXPECT_EQ(logged[0].at("caller"), "cli");
  EXPECT_EQ(logged[0].at("key"), "software:mine");
}

}  // namespace
}  // namespace hourglass::issuance
