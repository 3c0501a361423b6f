#include "issuance/store/device_key_rules.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/administrative_actions.h"

namespace hourglass::issuance {
namespace {

using State = DeviceKeyRecord::State;

bool IsOfOneDevice(const DeviceKeyRecord& one, const DeviceKeyRecord& other) {
  return ca::FoldedUpn(one.device_id) == ca::FoldedUpn(other.device_id);
}

// The device and the key; ids have no space.
AdministrativeAction ActionOnKey(const DeviceKeyRecord& key, absl::string_view action,
                                 absl::string_view from_state, const ChangeCause& cause) {
  AdministrativeAction made =
      ActionOn(key.tenant_id, absl::StrCat(key.device_id, " ", key.key_id), action, cause);
  made.from_state = std::string(from_state);
  made.to_state = std::string(NameOf(key.state));
  return made;
}

void Put(DeviceKeyRecord key, absl::string_view action, absl::string_view from_state,
         const ChangeCause& cause, DeviceKeyChange& change) {
  change.actions.push_back(ActionOnKey(key, action, from_state, cause));
  change.result = key;
  change.puts.push_back(std::move(key));
}

void Approve(DeviceKeyRecord key, const ChangeCause& cause, DeviceKeyChange& change) {
  const absl::string_view from_state = NameOf(key.state);
  key.state = State::kApproved;
  key.approved_at = cause.now;
  key.approved_by = cause.caller;
  key.approval_reason = cause.reason;
  Put(std::move(key), "device_key_approved", from_state, cause, change);
}

void Remove(DeviceKeyRecord key, bool releases, const ChangeCause& cause, DeviceKeyChange& change) {
  const absl::string_view from_state = NameOf(key.state);
  key.state = State::kRemoved;
  key.removed_at = cause.now;
  key.removed_by = cause.caller;
  key.removal_reason = cause.reason;
  key.is_released = releases;
  Put(std::move(key), "device_key_removed", from_state, cause, change);
}

absl::Status CheckRoom(const EnrolledBefore& before) {
  const auto pending = static_cast<std::size_t>(
      std::count_if(before.of_device.begin(), before.of_device.end(),
                    [](const DeviceKeyRecord& key) { return key.state == State::kPending; }));
  if (pending >= DeviceKeyStore::kMostPendingOfDevice) {
    return Error(ErrorReason::kQuotaExceeded, "device_id",
                 absl::StrCat(pending, " keys of the device wait to be approved, and no more may"));
  }
  if (before.pending_of_tenant >= DeviceKeyStore::kMostPendingOfTenant) {
    return Error(
        ErrorReason::kQuotaExceeded, "tenant_id",
        absl::StrCat(before.pending_of_tenant,
                     " keys of the tenant's devices wait to be approved, and no more may"));
  }
  return absl::OkStatus();
}

// Once the device has had one, who speaks for a new one is an administrator.
bool IsFirst(const EnrolledBefore& before) {
  return std::none_of(before.of_device.begin(), before.of_device.end(),
                      [](const DeviceKeyRecord& key) { return key.approved_at.has_value(); });
}

absl::Status Exists(absl::string_view field, absl::string_view why) {
  return Error(ErrorReason::kDeviceKeyExists, field, why);
}

}  // namespace

absl::Status DeviceKeyUnknown() {
  return Error(ErrorReason::kDeviceKeyUnknown, "key_id",
               "the tenant has no such device key that is pending or approved");
}

absl::string_view NameOf(State state) {
  switch (state) {
    case State::kPending:
      break;
    case State::kApproved:
      return "approved";
    case State::kRemoved:
      return "removed";
  }
  return "pending";
}

absl::StatusOr<State> DeviceKeyStateNamed(absl::string_view name) {
  for (const State state : {State::kPending, State::kApproved, State::kRemoved}) {
    if (name == NameOf(state)) return state;
  }
  return Error(ErrorReason::kJournalUnavailable, "",
               "database: a table is damaged: unknown state of a device key");
}

absl::StatusOr<std::string> FoldedDevice(absl::string_view device_id) {
  std::string folded = ca::FoldedUpn(device_id);
  if (folded.empty()) return Error(ErrorReason::kFieldInvalid, "device_id", "is empty");
  return folded;
}

absl::StatusOr<DeviceKeyChange> PlanEnrolment(const DeviceKeyRecord& key,
                                              const EnrolledBefore& before,
                                              DeviceKeyStore::Approval approval,
                                              const ChangeCause& cause) {
  const bool approves = approval == DeviceKeyStore::Approval::kIfFirst && IsFirst(before);
  DeviceKeyChange change;
  if (before.same_key.has_value()) {
    const DeviceKeyRecord& there = *before.same_key;
    if (there.state == State::kRemoved) {
      return Exists("public_key", "was removed, and does not come back: make another key");
    }
    if (!IsOfOneDevice(there, key)) {
      return Exists("public_key", "is another device's: each makes a key of its own");
    }
    change.result = there;
    if (approves && there.state == State::kPending) Approve(there, cause, change);
    return change;
  }
  RETURN_IF_ERROR(CheckRoom(before));
  DeviceKeyRecord enrolled;
  enrolled.tenant_id = key.tenant_id;
  enrolled.key_id = key.key_id;
  enrolled.device_id = key.device_id;
  enrolled.public_key = key.public_key;
  enrolled.enrolled_at = cause.now;
  enrolled.enrolled_by = cause.caller;
  const ChangeCause of_enrolment = {cause.now, cause.caller, ""};
  Put(enrolled, "device_key_enrolled", "", of_enrolment, change);
  if (approves) Approve(enrolled, cause, change);
  return change;
}

absl::StatusOr<DeviceKeyChange> PlanApproval(const std::optional<DeviceKeyRecord>& key,
                                             absl::Span<const DeviceKeyRecord> of_device,
                                             bool replaces, const ChangeCause& cause) {
  if (!key.has_value() || key->state == State::kRemoved) return DeviceKeyUnknown();
  DeviceKeyChange change;
  change.result = *key;
  if (key->state == State::kApproved) return change;
  for (const DeviceKeyRecord& other : of_device) {
    if (other.state != State::kApproved) continue;
    if (!replaces) {
      return Exists("key_id", absl::StrCat("the device has the key ", other.key_id,
                                           ", and this one is not said to replace it"));
    }
    Remove(other, /*releases=*/false, cause, change);
  }
  Approve(*key, cause, change);
  return change;
}

absl::StatusOr<DeviceKeyChange> PlanRemoval(const std::optional<DeviceKeyRecord>& key,
                                            bool releases, const ChangeCause& cause) {
  if (!key.has_value() || key->state == State::kRemoved) return DeviceKeyUnknown();
  DeviceKeyChange change;
  Remove(*key, releases, cause, change);
  return change;
}

}  // namespace hourglass::issuance
