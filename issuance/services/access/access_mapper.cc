#include "issuance/services/access/access_mapper.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kMaxGroupIdSize = 64;
constexpr int kMostGroups = 20'000;
constexpr int kMostRoles = 256;
// What the directory on premises gives, and that of the cloud.
constexpr absl::string_view kDomainSid = "S-1-5-21-";
constexpr absl::string_view kCloudSid = "S-1-12-";

std::string FieldOf(absl::string_view user, absl::string_view member) {
  return absl::StrCat(user, user.empty() ? "" : ".", member);
}

// A number as a SID writes it (MS-DTYP section 2.4.2.1): decimal, no leading zero, below 2^32.
bool IsSidNumber(absl::string_view text) {
  std::uint32_t value;
  return std::all_of(text.begin(), text.end(), absl::ascii_isdigit) &&
         (text.size() == 1 || !absl::StartsWith(text, "0")) && absl::SimpleAtoi(text, &value);
}

// A domain has three numbers, and a user of it one behind them.
bool IsDomainUserSid(absl::string_view sid) {
  if (!absl::ConsumePrefix(&sid, kDomainSid)) return false;
  const std::vector<absl::string_view> numbers = absl::StrSplit(sid, '-');
  return numbers.size() == 4 && std::all_of(numbers.begin(), numbers.end(), IsSidNumber);
}

absl::Status CheckSid(absl::string_view sid, const std::string& field) {
  if (sid.empty() || IsDomainUserSid(sid)) return absl::OkStatus();
  if (absl::StartsWith(sid, kCloudSid)) {
    return Error(ErrorReason::kFieldInvalid, field,
                 "is a SID of the cloud, which no domain controller knows: it takes the "
                 "onPremisesSecurityIdentifier, S-1-5-21-…");
  }
  return Error(ErrorReason::kFieldInvalid, field, "must be a SID like S-1-5-21-1-2-3-1105");
}

// Sorted, each once.
absl::StatusOr<std::vector<std::string>> IdsOf(
    const google::protobuf::RepeatedPtrField<std::string>& ids, int most,
    const std::string& field) {
  if (ids.size() > most) {
    return Error(ErrorReason::kFieldInvalid, field,
                 absl::StrCat("has ", ids.size(), " ids, and at most ", most, " are kept"));
  }
  std::vector<std::string> sorted;
  sorted.reserve(static_cast<std::size_t>(ids.size()));
  for (int i = 0; i < ids.size(); ++i) {
    if (const absl::Status checked = CheckId(ids[i], kMaxGroupIdSize, field); !checked.ok()) {
      return CheckId(ids[i], kMaxGroupIdSize, absl::StrCat(field, "[", i, "]"));
    }
    sorted.push_back(ids[i]);
  }
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

v1::DeviceKeyState StateToProto(DeviceKeyRecord::State state) {
  switch (state) {
    case DeviceKeyRecord::State::kPending:
      break;
    case DeviceKeyRecord::State::kApproved:
      return v1::DEVICE_KEY_APPROVED;
    case DeviceKeyRecord::State::kRemoved:
      return v1::DEVICE_KEY_REMOVED;
  }
  return v1::DEVICE_KEY_PENDING;
}

}  // namespace

absl::Status CheckUpn(absl::string_view upn, absl::string_view field) {
  if (upn.empty()) return Error(ErrorReason::kFieldMissing, field, "is required");
  RETURN_IF_ERROR(CheckUpnText(upn, field));
  if (upn.size() >= ca::kMinUpnSize && std::count(upn.begin(), upn.end(), '@') == 1) {
    return absl::OkStatus();
  }
  return Error(ErrorReason::kFieldInvalid, field, "must have the form local@domain");
}

v1::Block ToProto(const BlockRecord& block) {
  v1::Block proto;
  proto.set_tenant_id(block.tenant_id);
  v1::BlockSubject* const subject = proto.mutable_subject();
  if (block.kind == BlockRecord::Kind::kDevice) {
    subject->set_device_id(block.subject);
  } else if (absl::StrContains(block.subject, '@')) {
    subject->set_user_upn(block.subject);
  } else {
    subject->set_user_id(block.subject);
  }
  proto.set_reason(block.reason);
  proto.set_blocked_by(block.blocked_by);
  *proto.mutable_blocked_at() = ToProto(block.blocked_at);
  if (block.until.has_value()) *proto.mutable_until() = ToProto(*block.until);
  return proto;
}

v1::DirectoryUser ToProto(const DirectoryUser& user) {
  v1::DirectoryUser proto;
  proto.set_id(user.user_id);
  proto.set_upn(user.upn);
  proto.set_onprem_sid(user.onprem_sid);
  proto.mutable_groups()->Assign(user.groups.begin(), user.groups.end());
  proto.mutable_roles()->Assign(user.roles.begin(), user.roles.end());
  proto.set_guest(user.is_guest);
  proto.set_disabled(!user.is_enabled);
  *proto.mutable_updated_at() = ToProto(user.updated_at);
  proto.set_updated_by(user.updated_by);
  return proto;
}

v1::DeviceKey ToProto(const DeviceKeyRecord& key) {
  v1::DeviceKey proto;
  proto.set_tenant_id(key.tenant_id);
  proto.set_key_id(key.key_id);
  proto.set_device_id(key.device_id);
  proto.set_public_key(key.public_key);
  proto.set_state(StateToProto(key.state));
  *proto.mutable_enrolled_at() = ToProto(key.enrolled_at);
  proto.set_enrolled_by(key.enrolled_by);
  if (key.approved_at.has_value()) *proto.mutable_approved_at() = ToProto(*key.approved_at);
  proto.set_approved_by(key.approved_by);
  proto.set_approval_reason(key.approval_reason);
  if (key.removed_at.has_value()) *proto.mutable_removed_at() = ToProto(*key.removed_at);
  proto.set_removed_by(key.removed_by);
  proto.set_removal_reason(key.removal_reason);
  proto.set_released(key.is_released);
  return proto;
}

absl::StatusOr<std::optional<DeviceKeyRecord::State>> FromProto(v1::DeviceKeyState state) {
  using State = DeviceKeyRecord::State;
  if (state == v1::DEVICE_KEY_STATE_UNSPECIFIED) return std::nullopt;
  for (const State known : {State::kPending, State::kApproved, State::kRemoved}) {
    if (StateToProto(known) == state) return known;
  }
  return Error(ErrorReason::kFieldInvalid, "state", "is no state of a device key");
}

absl::StatusOr<BlockedSubject> FromProto(const v1::BlockSubject& subject) {
  switch (subject.subject_case()) {
    case v1::BlockSubject::kDeviceId:
      RETURN_IF_ERROR(CheckId(subject.device_id(), kMaxDeviceIdSize, "subject.device_id"));
      return BlockedSubject{BlockRecord::Kind::kDevice, subject.device_id()};
    case v1::BlockSubject::kUserId:
      RETURN_IF_ERROR(CheckId(subject.user_id(), kMaxUserIdSize, "subject.user_id"));
      return BlockedSubject{BlockRecord::Kind::kUser, subject.user_id()};
    case v1::BlockSubject::kUserUpn:
      RETURN_IF_ERROR(CheckUpn(subject.user_upn(), "subject.user_upn"));
      return BlockedSubject{BlockRecord::Kind::kUser, subject.user_upn()};
    case v1::BlockSubject::SUBJECT_NOT_SET:
      break;
  }
  return Error(ErrorReason::kFieldMissing, "subject", "a device or user is required");
}

absl::StatusOr<DirectoryUser> FromProto(const v1::DirectoryUser& user, absl::string_view field) {
  RETURN_IF_ERROR(CheckId(user.id(), kMaxUserIdSize, FieldOf(field, "id")));
  RETURN_IF_ERROR(CheckUpn(user.upn(), FieldOf(field, "upn")));
  RETURN_IF_ERROR(CheckSid(user.onprem_sid(), FieldOf(field, "onprem_sid")));
  DirectoryUser record;
  record.user_id = user.id();
  record.upn = user.upn();
  record.onprem_sid = user.onprem_sid();
  ASSIGN_OR_RETURN(record.groups, IdsOf(user.groups(), kMostGroups, FieldOf(field, "groups")));
  ASSIGN_OR_RETURN(record.roles, IdsOf(user.roles(), kMostRoles, FieldOf(field, "roles")));
  record.is_guest = user.guest();
  record.is_enabled = !user.disabled();
  return record;
}

}  // namespace hourglass::issuance
