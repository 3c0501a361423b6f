#include "issuance/store/testing/sample_records.h"

#include <chrono>
#include <functional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hourglass::issuance {
namespace {

using std::chrono::floor;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

}  // namespace

std::string AllOctets() {
  std::string octets;
  for (int octet = 0; octet < 256; ++octet) octets.push_back(static_cast<char>(octet));
  return octets;
}

Timestamp SampleTime(int seconds_later) {
  return Timestamp(std::chrono::sys_days(std::chrono::year(2026) / 1 / 2)) + hours(3) + minutes(4) +
         seconds(5 + seconds_later) + std::chrono::microseconds(6);
}

TenantRecord SampleTenant(absl::string_view tenant_id) {
  TenantRecord tenant;
  tenant.tenant_id = std::string(tenant_id);
  tenant.display_name = absl::StrCat("The ", tenant_id, " company");
  tenant.created_at = SampleTime(-5);
  return tenant;
}

RootRecord SampleRoot(int generation, absl::string_view tenant_id) {
  RootRecord root;
  root.tenant_id = std::string(tenant_id);
  root.root_id = absl::StrCat("root-", generation);
  root.generation = generation;
  root.key_type = hsm::KeyType::kEcP384;
  root.key_uri = absl::StrCat("pkcs11:token=", tenant_id, ";object=", generation);
  root.certificate = std::string("\x30\x00\xff\x00root", 8);
  root.not_before = floor<seconds>(SampleTime(-3600));
  root.not_after = floor<seconds>(SampleTime()) + hours(24 * 365);
  root.created_at = SampleTime(-4);
  root.state_since = SampleTime(-3);
  root.request_id = absl::StrCat("create-", generation);
  root.created_by = "administrator";
  return root;
}

RootOfKey AsRootOfKey(const RootRecord& root, ca::RootState state) {
  return {root.tenant_id, root.root_id, state, root.key_uri};
}

Intent SampleIntent(absl::string_view request_id, absl::string_view tenant_id) {
  Intent intent;
  intent.tenant_id = std::string(tenant_id);
  intent.epoch = 1;
  intent.root_id = std::string(kSampleRoot);
  intent.request_id = std::string(request_id);
  intent.request_digest = std::string(32, '\xd1');
  intent.caller = "broker";
  intent.user_id = "u-17";
  intent.user_upn = "user@contoso.example";
  intent.device_id = "laptop-1";
  intent.verdict_id = "v-1";
  intent.policy_version = "7";
  intent.verdict_evaluated_at = SampleTime(-1);
  intent.serial_number = absl::StrFormat("%016x", std::hash<std::string>()(intent.request_id));
  intent.not_before = floor<seconds>(SampleTime(-300));
  intent.not_after = floor<seconds>(SampleTime(3600));
  intent.tbs_certificate = std::string("\x30\x00\xff\x00tbs", 7);
  intent.intended_at = SampleTime();
  intent.identity = std::string(kAccessToken);
  intent.token_issuer = "https://issuer.example/contoso";
  intent.token_id = absl::StrCat("token of ", request_id);
  return intent;
}

IntermediateRecord SampleIntermediate(int number, absl::string_view tenant_id) {
  IntermediateRecord intermediate;
  intermediate.tenant_id = std::string(tenant_id);
  intermediate.epoch = 1;
  intermediate.root_id = std::string(kSampleRoot);
  intermediate.serial_number = absl::StrFormat("intermediate %03d", number);
  intermediate.key_type = hsm::KeyType::kRsa3072;
  intermediate.not_before = floor<seconds>(SampleTime(-3600));
  intermediate.not_after = floor<seconds>(SampleTime()) + hours(24);
  intermediate.tbs_certificate = std::string("\x30\x00\xff\x00tbs", 7);
  intermediate.intended_at = SampleTime();
  return intermediate;
}

Release ReleaseOf(const Intent& intent) {
  Release release;
  release.tenant_id = intent.tenant_id;
  release.epoch = intent.epoch;
  release.request_id = intent.request_id;
  release.certificate = absl::StrCat(intent.tbs_certificate, "signed");
  release.released_at = intent.intended_at + std::chrono::microseconds(700);
  return release;
}

DeviceRecord SampleDevice(absl::string_view device_id, absl::string_view tenant_id) {
  DeviceRecord device;
  device.tenant_id = std::string(tenant_id);
  device.device_id = std::string(device_id);
  device.state = std::string("\x0a\x00\xff\x12", 4);
  device.reported_at = SampleTime();
  device.reported_by = "mdm";
  return device;
}

RelyingPartyRecord SampleRelyingParty(absl::string_view name, absl::string_view tenant_id) {
  RelyingPartyRecord party;
  party.tenant_id = std::string(tenant_id);
  party.name = std::string(name);
  party.identity = absl::StrCat(name, "-caller");
  party.kind = "freeradius";
  party.registered_at = SampleCause().now;
  return party;
}

RelyingPartyRecord SampleManualParty(absl::string_view name, absl::string_view tenant_id) {
  RelyingPartyRecord party = SampleRelyingParty(name, tenant_id);
  party.identity = "";
  party.kind = "nps";
  party.is_manual = true;
  return party;
}

ChangeCause SampleCause() { return {SampleTime(-2), "administrator", "a new gateway"}; }

Acknowledgement SampleAcknowledgement(absl::string_view name, std::uint64_t version,
                                      absl::string_view tenant_id) {
  return {std::string(tenant_id), std::string(name), SampleRelyingParty(name, tenant_id).identity,
          version, absl::StrFormat("%031d\xff", version)};
}

Acknowledgement SampleAttestation(absl::string_view name, std::uint64_t version,
                                  absl::string_view tenant_id) {
  Acknowledgement attestation = SampleAcknowledgement(name, version, tenant_id);
  attestation.identity = "";
  return attestation;
}

PolicyRecord SamplePolicy(absl::string_view policy_id, absl::string_view tenant_id) {
  PolicyRecord policy;
  policy.tenant_id = std::string(tenant_id);
  policy.policy_id = std::string(policy_id);
  policy.display_name = absl::StrCat("CA of ", policy_id);
  policy.state = "enabled";
  policy.document = absl::StrCat("{\"id\": \"", policy_id, "\"}");
  policy.changed_at = SampleCause().now;
  policy.changed_by = SampleCause().caller;
  return policy;
}

DirectoryUser SampleUser(absl::string_view user_id, absl::string_view tenant_id) {
  DirectoryUser user;
  user.tenant_id = std::string(tenant_id);
  user.user_id = std::string(user_id);
  user.upn = absl::StrCat(user_id, "@contoso.example");
  user.onprem_sid = "S-1-5-21-1-2-3-1001";
  user.groups = {"g-1", "g-2"};
  user.roles = {"r-1"};
  user.updated_at = SampleCause().now;
  user.updated_by = SampleCause().caller;
  return user;
}

BlockRecord SampleBlock(BlockRecord::Kind kind, absl::string_view subject,
                        absl::string_view tenant_id) {
  BlockRecord block;
  block.tenant_id = std::string(tenant_id);
  block.kind = kind;
  block.subject = std::string(subject);
  block.reason = SampleCause().reason;
  block.blocked_by = SampleCause().caller;
  block.blocked_at = SampleCause().now;
  return block;
}

RefusalRecord SampleRefusal(absl::string_view verdict_id, absl::string_view tenant_id) {
  const Intent intent = SampleIntent("refused");
  RefusalRecord refusal;
  refusal.tenant_id = std::string(tenant_id);
  refusal.verdict_id = std::string(verdict_id);
  refusal.at = SampleTime();
  refusal.caller = intent.caller;
  refusal.user_id = intent.user_id;
  refusal.user_upn = intent.user_upn;
  refusal.device_id = intent.device_id;
  refusal.request_id = intent.request_id;
  refusal.policy_version = intent.policy_version;
  refusal.reasons = std::string("\x0a\x00\xff", 3);
  return refusal;
}

DecisionEvent SampleEvent(absl::string_view device_id, absl::string_view tenant_id) {
  const Intent intent = SampleIntent("refused");
  DecisionEvent event;
  event.tenant_id = std::string(tenant_id);
  event.kind = DecisionEvent::Kind::kAccessRefused;
  event.at = SampleTime();
  event.device_id = std::string(device_id);
  event.user_id = intent.user_id;
  event.user_upn = intent.user_upn;
  event.verdict_id = "v-1";
  event.reasons = std::string("\x0a\x00\xff", 3);
  return event;
}

DeviceKeyRecord SampleDeviceKey(absl::string_view name, absl::string_view device_id,
                                absl::string_view tenant_id) {
  DeviceKeyRecord key;
  key.tenant_id = std::string(tenant_id);
  key.key_id = absl::StrCat("id-of-", name);
  key.device_id = std::string(device_id);
  key.public_key = absl::StrCat("\x30\xff", name);
  key.enrolled_at = SampleCause().now;
  key.enrolled_by = SampleCause().caller;
  return key;
}

absl::Status AddSamplePrimary(Store& store, absl::string_view tenant_id) {
  absl::Status status = store.CreateTenant(SampleTenant(tenant_id));
  if (status.ok()) status = store.AddRoot(SampleRoot(1, tenant_id));
  if (!status.ok()) return status;
  return store.ChangeRootStates(
      tenant_id, 1, {{std::string(kSampleRoot), ca::RootState::kStaged, ca::RootState::kPrimary}},
      {SampleTime()});
}

absl::Status SwitchToSecondRoot(Store& store) {
  const absl::Status added = store.AddRoot(SampleRoot(2));
  if (!added.ok()) return added;
  return store.ChangeRootStates(
      kSampleTenant, 3,
      {{"root-2", ca::RootState::kStaged, ca::RootState::kPrimary},
       {std::string(kSampleRoot), ca::RootState::kPrimary, ca::RootState::kRetiring}},
      {SampleTime(9)});
}

absl::Status Append(Store& store, const JournalWrite& write) {
  const absl::StatusOr<std::vector<absl::Status>> statuses = store.AppendToJournal({write});
  if (!statuses.ok()) return statuses.status();
  if (statuses->size() != 1) return absl::InternalError("not one status for one write");
  return statuses->front();
}

}  // namespace hourglass::issuance
