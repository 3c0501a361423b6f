// What is kept of a tenant to decide who may connect: policies, users, blocks, keys of devices.
#ifndef HOURGLASS_ISSUANCE_STORE_ACCESS_RECORDS_H_
#define HOURGLASS_ISSUANCE_STORE_ACCESS_RECORDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "issuance/base/clock.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

enum class PolicyKind { kConditionalAccess, kNamedLocation, kDeviceCompliance };

// A policy, or a named location that policies refer to.
struct PolicyRecord {
  std::string tenant_id;
  std::string policy_id;  // unique in the tenant, of whatever kind: Graph's `id`; never empty
  PolicyKind kind = PolicyKind::kConditionalAccess;
  std::string display_name;
  // Of conditional access as Graph has it: `enabled`, `disabled`,
  // `enabledForReportingButNotEnforced`; else empty.
  std::string state;
  std::string document;  // JSON in the form of Microsoft Graph, UTF-8
  // The tenant's policy revision that made it what it is.
  std::uint64_t revision = 0;
  Timestamp changed_at = {};
  std::string changed_by = "";  // the name of a caller

  bool operator==(const PolicyRecord&) const = default;
};

// What a policy was from one revision on.
struct PolicyVersion {
  // As it was made; without a document where it was deleted.
  PolicyRecord policy;
  bool is_deleted = false;
  std::string reason;  // as it was given; may be empty

  bool operator==(const PolicyVersion&) const = default;
};

// All policies of a tenant at one revision.
struct PolicySet {
  std::uint64_t revision = 0;          // grows with each change; 0 where there never was one
  std::vector<PolicyRecord> policies;  // by policy id, in the order of its octets
};

// A user as the tenant's directory has him.
struct DirectoryUser {
  std::string tenant_id;
  std::string user_id;  // object id, unique in the tenant; never empty
  std::string upn;      // unique in the tenant by ca::FoldedUpn; never empty
  // `S-1-5-21-…` of the directory on premises; empty for a user who has none.
  std::string onprem_sid;
  // Object ids, in the order of their octets, none twice. None is empty or has a line feed: a user
  // is kept with all of his groups in one column, an id a line, so that a verdict reads him as one
  // row. A table of memberships would make that as many rows as he has groups: some have 10 000.
  std::vector<std::string> groups;
  std::vector<std::string> roles;
  bool is_guest = false;
  bool is_enabled = true;
  Timestamp updated_at = {};
  std::string updated_by = "";  // the name of a caller

  bool operator==(const DirectoryUser&) const = default;
};

// Whom nothing is issued to, whatever is reported or decided otherwise.
struct BlockRecord {
  enum class Kind { kDevice, kUser };
  std::string tenant_id;
  Kind kind = Kind::kDevice;
  // The device's id; of a user the object id or the UPN. As it was given: who is meant is the same
  // by ca::FoldedUpn, so that nobody evades a block by another spelling. Not empty by that.
  std::string subject;
  std::string reason;
  std::string blocked_by;  // the name of a caller
  Timestamp blocked_at = {};
  std::optional<Timestamp> until = std::nullopt;  // exclusive; none: until it is lifted

  bool operator==(const BlockRecord&) const = default;
};

// A key by which a device proves that it asks.
struct DeviceKeyRecord {
  enum class State {
    kPending,   // counts for nothing yet
    kApproved,  // the one of its device
    kRemoved,   // counts for nothing, and never comes back
  };
  std::string tenant_id;
  std::string key_id;  // SHA-256 of `public_key`, 64 hexadecimal digits; unique in the tenant
  // As it was given: which one is meant is the same by ca::FoldedUpn. Not empty by that.
  std::string device_id;
  State state = State::kPending;
  std::string public_key;  // SubjectPublicKeyInfo, DER
  Timestamp enrolled_at = {};
  std::string enrolled_by = "";  // the name of a caller, as the two below
  std::optional<Timestamp> approved_at = std::nullopt;
  std::string approved_by = "";
  std::string approval_reason = "";
  std::optional<Timestamp> removed_at = std::nullopt;
  std::string removed_by = "";
  std::string removal_reason = "";
  // Of a removed one: that it was approved once does not bind its device any more.
  bool is_released = false;

  bool operator==(const DeviceKeyRecord&) const = default;
};

// All that a verdict needs of the store, as one read saw it.
struct DecisionFacts {
  std::uint64_t policy_revision = 0;
  std::optional<DeviceRecord> device;
  std::optional<DirectoryUser> user;
  std::optional<BlockRecord> device_block;
  std::optional<BlockRecord> user_block;
  std::optional<DeviceKeyRecord> device_key;  // the approved one
  // Whether a key of the device was ever approved that has not released it: it must prove by one
  // that it asks, whether or not one is approved now.
  bool device_is_bound = false;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_ACCESS_RECORDS_H_
