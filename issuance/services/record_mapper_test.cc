#include "issuance/services/record_mapper.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/reflection.h>

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "ca/issuers/root_certificate.h"
#include "hsm/key/key_type.h"
#include "issuance/services/testing/service_test.h"

namespace hourglass::issuance {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;

// 2026-01-02 03:04:05 UTC and so many seconds more.
constexpr std::int64_t kSampleSeconds = 1767323045;

ca::Time Second(int later) { return std::chrono::floor<seconds>(SampleTime(later)); }

// Whether no field of the message's type is left out: what is added to the contract shows here.
void ExpectEveryField(const google::protobuf::Message& message) {
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = message.GetDescriptor()->field(i);
    EXPECT_TRUE(message.GetReflection()->HasField(message, field)) << field->full_name();
  }
}

// A root of this service's own making, DER.
std::string RootCertificateDer(bool issuing_sub_keys) {
  const TemporaryDirectory directory;
  hsm::KeyStoreOptions options;
  options.software_directory = directory.File("keys");
  const auto keys = hsm::KeyStore::Create(options);
  EXPECT_OK(keys);
  const auto key = (*keys)->Generate("software:root", hsm::KeyType::kEcP256);
  EXPECT_OK(key);
  ca::RootSpecification specification;
  specification.display_name = "Contoso";
  specification.now = Second(0);
  specification.duration = hours(24 * 365);
  specification.serial_entropy = std::string(16, '\x17');
  specification.issuing_sub_keys = issuing_sub_keys;
  const auto certificate = ca::IssueRoot(specification, **key);
  EXPECT_OK(certificate);
  return std::string(certificate->der());
}

TEST(RecordMapperTest, EveryKeyTypeIsTheOneOfItsNameBothWays) {
  const std::map<hsm::KeyType, v1::KeyType> types = {
      {hsm::KeyType::kEcP256, v1::EC_P256},   {hsm::KeyType::kEcP384, v1::EC_P384},
      {hsm::KeyType::kRsa2048, v1::RSA_2048}, {hsm::KeyType::kRsa3072, v1::RSA_3072},
      {hsm::KeyType::kRsa4096, v1::RSA_4096},
  };
  EXPECT_EQ(types.size(), std::size(hsm::kAllKeyTypes));
  // And UNSPECIFIED.
  EXPECT_EQ(static_cast<int>(types.size()) + 1, v1::KeyType_descriptor()->value_count());
  for (const auto& [type, proto] : types) {
    EXPECT_EQ(ToProto(type), proto);
    ASSERT_OK_AND_ASSIGN(const hsm::KeyType back, FromProto(proto));
    EXPECT_EQ(back, type);
  }
}

TEST(RecordMapperTest, KeyTypesThatAreNoneAreRefused) {
  EXPECT_THAT(FromProto(v1::KEY_TYPE_UNSPECIFIED),
              FailsWith(ErrorReason::kFieldMissing, "key_type"));
  // As a newer program might ask for it.
  for (const int unknown : {6, -1, 1000}) {
    EXPECT_THAT(FromProto(static_cast<v1::KeyType>(unknown)),
                FailsWith(ErrorReason::kFieldInvalid, "key_type"))
        << unknown;
  }
}

TEST(RecordMapperTest, EveryRootStateIsTheOneOfItsName) {
  std::set<v1::RootState> given = {v1::ROOT_STATE_UNSPECIFIED};
  for (const ca::RootState state :
       {ca::RootState::kStaged, ca::RootState::kPrimary, ca::RootState::kRetiring,
        ca::RootState::kRetired, ca::RootState::kDiscarded}) {
    EXPECT_EQ(v1::RootState_Name(ToProto(state)), ca::RootStateName(state));
    given.insert(ToProto(state));
  }
  EXPECT_EQ(static_cast<int>(given.size()), v1::RootState_descriptor()->value_count());
}

TEST(RecordMapperTest, ARootIsShownWhole) {
  RootRecord root = SampleRoot(7);
  root.state = ca::RootState::kRetired;
  root.certificate = RootCertificateDer(true);
  root.not_before = Second(1);
  root.not_after = Second(2);
  root.created_at = SampleTime(3);
  root.state_since = SampleTime(4);
  root.last_leaf_not_after = Second(5);
  root.key_destroyed_at = SampleTime(6);
  root.bundle_version = 17;
  const v1::Root proto = ToProto(root);
  v1::Root wanted = MessageOf<v1::Root>(R"pb(
    root_id: "root-7"
    bundle_version: 17
    tenant_id: "contoso"
    generation: 7
    state: RETIRED
    key_type: EC_P384
    key_uri: "pkcs11:token=contoso;object=7"
    not_before { seconds: 1767323046 }
    not_after { seconds: 1767323047 }
    created_at { seconds: 1767323048 nanos: 6000 }
    state_since { seconds: 1767323049 nanos: 6000 }
    last_leaf_not_after { seconds: 1767323050 }
    key_destroyed_at { seconds: 1767323051 nanos: 6000 }
    issuing_sub_keys: true)pb");
  wanted.set_certificate(root.certificate);
  EXPECT_THAT(proto, IsMessage(wanted));
  ExpectEveryField(proto);
}

TEST(RecordMapperTest, WhatARootHasNotIsNotShown) {
  RootRecord root = SampleRoot(1);
  root.certificate = RootCertificateDer(false);
  const v1::Root proto = ToProto(root);
  EXPECT_FALSE(proto.has_last_leaf_not_after());
  EXPECT_FALSE(proto.has_key_destroyed_at());
  EXPECT_FALSE(proto.issuing_sub_keys());
  EXPECT_EQ(proto.state(), v1::STAGED);
}

// A list of roots is not lost for one that cannot be read.
TEST(RecordMapperTest, ACertificateThatIsNoneIsShownAsItIs) {
  const RootRecord root = SampleRoot(1);
  const v1::Root proto = ToProto(root);
  EXPECT_EQ(proto.certificate(), root.certificate);
  EXPECT_EQ(proto.root_id(), "root-1");
  EXPECT_FALSE(proto.issuing_sub_keys());
}

TEST(RecordMapperTest, AnIntermediateIsShownWhole) {
  IntermediateRecord intermediate = SampleIntermediate(12);
  intermediate.epoch = 0xfedcba9876543210;
  intermediate.not_before = Second(1);
  intermediate.not_after = Second(2);
  intermediate.intended_at = SampleTime(3);
  intermediate.released_at = SampleTime(4);
  intermediate.certificate = std::string("\x30\x00\xfe", 3);
  const v1::Intermediate proto = ToProto(intermediate);
  EXPECT_THAT(proto, IsMessage(MessageOf<v1::Intermediate>(R"pb(
                serial_number: "intermediate 012"
                key_type: RSA_3072
                not_before { seconds: 1767323046 }
                not_after { seconds: 1767323047 }
                intended_at { seconds: 1767323048 nanos: 6000 }
                released_at { seconds: 1767323049 nanos: 6000 }
                epoch: 0xfedcba9876543210
                tbs_certificate: "0\000\377\000tbs"
                certificate: "0\000\376")pb")));
  ExpectEveryField(proto);
  EXPECT_FALSE(ToProto(SampleIntermediate(1)).has_released_at());
  EXPECT_EQ(ToProto(SampleIntermediate(1)).certificate(), "");
}

TEST(RecordMapperTest, ATenantIsShownWithItsPrimary) {
  TenantRecord tenant = SampleTenant();
  tenant.epoch = 0xfedcba9876543210;
  tenant.revision = 99;
  std::vector<RootRecord> roots = {SampleRoot(1), SampleRoot(2), SampleRoot(3)};
  roots[0].state = ca::RootState::kRetiring;
  roots[1].state = ca::RootState::kPrimary;
  const v1::Tenant proto = ToProto(tenant, roots);
  EXPECT_THAT(proto, IsMessage(MessageOf<v1::Tenant>(R"pb(
                tenant_id: "contoso"
                display_name: "The contoso company"
                created_at { seconds: 1767323040 nanos: 6000 }
                epoch: 0xfedcba9876543210
                primary_root_id: "root-2")pb")));
  ExpectEveryField(proto);
  for (const ca::RootState state : {ca::RootState::kStaged, ca::RootState::kRetiring,
                                    ca::RootState::kRetired, ca::RootState::kDiscarded}) {
    roots[1].state = state;
    EXPECT_EQ(ToProto(tenant, roots).primary_root_id(), "") << ca::RootStateName(state);
  }
}

TEST(RecordMapperTest, AJournalEntryIsShownWhole) {
  JournalRecord record;
  record.intent = SampleIntent("request-1");
  record.intent.epoch = 0xfedcba9876543210;
  record.intent.serial_number = AllOctets().substr(240);
  record.intent.not_before = Second(1);
  record.intent.not_after = Second(2);
  record.intent.intended_at = SampleTime(3);
  record.intent.intermediate_serial_number = "sixteen octets !";
  record.certificate = std::string("\x30\x00\xfe", 3);
  record.released_at = SampleTime(4);
  const v1::JournalEntry proto = ToProto(record);
  EXPECT_THAT(proto, IsMessage(MessageOf<v1::JournalEntry>(R"pb(
                tenant_id: "contoso"
                serial_number: "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff"
                root_id: "root-1"
                epoch: 0xfedcba9876543210
                request_id: "request-1"
                caller: "broker"
                user_id: "u-17"
                user_upn: "user@contoso.example"
                device_id: "laptop-1"
                verdict_id: "v-1"
                policy_version: "7"
                not_before { seconds: 1767323046 }
                not_after { seconds: 1767323047 }
                intended_at { seconds: 1767323048 nanos: 6000 }
                released_at { seconds: 1767323049 nanos: 6000 }
                tbs_certificate: "0\000\377\000tbs"
                certificate: "0\000\376"
                intermediate_serial_number: "sixteen octets !"
                identity: "access_token"
                token_issuer: "https://issuer.example/contoso"
                token_id: "token of request-1")pb")));
  ExpectEveryField(proto);
}

// An auditor tells what was never handed out by this.
TEST(RecordMapperTest, AnIntentAloneShowsNoRelease) {
  const v1::JournalEntry proto = ToProto(JournalRecord{SampleIntent("request-1"), "", {}});
  EXPECT_FALSE(proto.has_released_at());
  EXPECT_EQ(proto.certificate(), "");
  EXPECT_EQ(proto.intermediate_serial_number(), "");
  EXPECT_EQ(proto.intended_at().seconds(), kSampleSeconds);
}

TEST(RecordMapperTest, ARelyingPartyIsShownWithWhatItAcknowledged) {
  RelyingPartyRecord party;
  party.tenant_id = "contoso";
  party.name = "vpn-1";
  party.identity = "gateway";
  party.kind = "freeradius";
  party.is_manual = true;
  party.acknowledged_version = 0xfedcba9876543210;
  party.acknowledged_sha256 = std::string("\x00\xff", 2);
  party.acknowledged_at = SampleTime(3);
  party.acknowledged_by = "cli";
  party.registered_at = SampleTime(1);
  party.fetched_version = 9;
  party.fetched_at = SampleTime(2);
  const v1::RelyingParty proto = ToProto(party);
  EXPECT_THAT(proto, IsMessage(MessageOf<v1::RelyingParty>(R"pb(
                tenant_id: "contoso"
                name: "vpn-1"
                identity: "gateway"
                kind: "freeradius"
                manual: true
                acknowledged_version: 0xfedcba9876543210
                acknowledged_sha256: "\000\377"
                acknowledged_at { seconds: 1767323048 nanos: 6000 }
                acknowledged_by: "cli"
                registered_at { seconds: 1767323046 nanos: 6000 }
                fetched_version: 9
                fetched_at { seconds: 1767323047 nanos: 6000 })pb")));
  ExpectEveryField(proto);
}

TEST(RecordMapperTest, ARelyingPartyThatAcknowledgedNothingShowsNoTime) {
  const v1::RelyingParty proto = ToProto(RelyingPartyRecord());
  EXPECT_FALSE(proto.has_acknowledged_at());
  EXPECT_FALSE(proto.has_fetched_at());
  EXPECT_EQ(proto.acknowledged_version(), 0u);
  EXPECT_EQ(proto.acknowledged_sha256(), "");
}

TEST(RecordMapperTest, ADeviceIsShownWithItsState) {
  const std::string state = R"pb(
    antivirus {
      enabled: false
      signatures_updated_at { seconds: 1 nanos: 2 }
    }
    password_policy { lock_after_minutes: 0 })pb";
  DeviceRecord device = SampleDevice("laptop-1");
  device.state = MessageOf<v1::DeviceState>(state).SerializeAsString();
  ASSERT_OK_AND_ASSIGN(const v1::Device proto, ToProto(device));
  EXPECT_THAT(proto,
              IsMessage(MessageOf<v1::Device>(R"pb(
                                                tenant_id: "contoso"
                                                device_id: "laptop-1"
                                                reported_at { seconds: 1767323045 nanos: 6000 }
                                                reported_by: "mdm"
                                                state {)pb" +
                                              state + "}")));
  ExpectEveryField(proto);
}

TEST(RecordMapperTest, ADeviceOfWhichNothingIsKnownHasAnEmptyState) {
  DeviceRecord device = SampleDevice("laptop-1");
  device.state = "";
  ASSERT_OK_AND_ASSIGN(const v1::Device proto, ToProto(device));
  EXPECT_TRUE(proto.has_state());
  EXPECT_EQ(proto.state().ByteSizeLong(), 0u);
}

// Nothing is made of half a state: half a state is another state.
TEST(RecordMapperTest, AStateThatIsDamagedIsNotShown) {
  DeviceRecord device = SampleDevice("laptop-1");
  device.state = MessageOf<v1::DeviceState>("antivirus { enabled: true }").SerializeAsString();
  ASSERT_OK(ToProto(device));
  device.state.pop_back();
  EXPECT_THAT(ToProto(device), FailsWith(ErrorReason::kJournalUnavailable, "device_id"));
  device.state = "\xff";
  EXPECT_THAT(ToProto(device), FailsWith(ErrorReason::kJournalUnavailable, "device_id"));
}

TEST(RecordMapperTest, ARelyingPartyIsShownWhole) {
  RelyingPartyRecord party;
  party.tenant_id = "contoso";
  party.name = "vpn-1";
  party.identity = "gateway 1";
  party.kind = "freeradius";
  party.is_manual = true;
  party.acknowledged_version = 7;
  party.acknowledged_sha256 = std::string(32, '\xa5');
  party.acknowledged_at = SampleTime(3);
  party.acknowledged_by = "gateway 2";
  party.registered_at = SampleTime(1);
  party.fetched_version = 9;
  party.fetched_at = SampleTime(2);
  const v1::RelyingParty proto = ToProto(party);
  v1::RelyingParty wanted = MessageOf<v1::RelyingParty>(R"pb(
    tenant_id: "contoso"
    name: "vpn-1"
    identity: "gateway 1"
    kind: "freeradius"
    manual: true
    acknowledged_version: 7
    acknowledged_at { seconds: 1767323048 nanos: 6000 }
    acknowledged_by: "gateway 2"
    registered_at { seconds: 1767323046 nanos: 6000 }
    fetched_version: 9
    fetched_at { seconds: 1767323047 nanos: 6000 })pb");
  wanted.set_acknowledged_sha256(party.acknowledged_sha256);
  EXPECT_THAT(proto, IsMessage(wanted));
  ExpectEveryField(proto);
  party.acknowledged_at = std::nullopt;
  EXPECT_FALSE(ToProto(party).has_acknowledged_at());
}

// What PageSize lets through.
TEST(RecordMapperTest, TheStoreGivesTheLargestPageOfTheContract) { EXPECT_EQ(kMaxPageSize, 1000); }

TEST(RecordMapperTest, AnAdministrativeActionIsShownWhole) {
  const v1::AdministrativeAction proto =
      ToProto(AdministrativeAction{"contoso", 17, SampleTime(2), "cli", "root_promoted", "r2",
                                   "STAGED", "PRIMARY", "the old key leaked", true});
  EXPECT_THAT(proto, IsMessage(MessageOf<v1::AdministrativeAction>(R"pb(
                tenant_id: "contoso"
                sequence: 17
                at { seconds: 1767323047 nanos: 6000 }
                caller: "cli"
                action: "root_promoted"
                subject: "r2"
                from_state: "STAGED"
                to_state: "PRIMARY"
                reason: "the old key leaked"
                override: true)pb")));
  ExpectEveryField(proto);
}

}  // namespace
}  // namespace hourglass::issuance
