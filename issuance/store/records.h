// What the store keeps, as plain values. Strings are UTF-8 without NUL, which is checked before
// they come here, except where a form is given: those are octets.
#ifndef HOURGLASS_ISSUANCE_STORE_RECORDS_H_
#define HOURGLASS_ISSUANCE_STORE_RECORDS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "ca/encoding/time.h"
#include "ca/issuers/root_states.h"
#include "hsm/key/signing_key.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

struct TenantRecord {
  std::string tenant_id;
  std::string display_name;
  Timestamp created_at;
  // Grows by one with every change of the primary: the fence of the journal.
  std::uint64_t epoch = 0;
  // Grows by one with every change of the tenant's roots or their states.
  std::uint64_t revision = 0;
  // Grows by one with every change of the tenant's policies.
  std::uint64_t policy_revision = 0;

  bool operator==(const TenantRecord&) const = default;
};

struct RootRecord {
  std::string tenant_id;
  std::string root_id;  // unique in the tenant
  int generation = 0;
  ca::RootState state = ca::RootState::kStaged;
  hsm::KeyType key_type = hsm::KeyType::kEcP256;
  // Without any PIN. In a token with the key's id, but for roots of before that was noted.
  std::string key_uri;
  // False where the key was there before the root: then it is not ours to destroy.
  bool key_made_for_root = false;
  // The key in the certificate is no more since then; what answers to its URI is another.
  std::optional<Timestamp> key_destroyed_at;
  std::string certificate;  // DER
  ca::Time not_before;
  ca::Time not_after;
  Timestamp created_at;
  Timestamp state_since;
  // When the last leaf expires for which an intent was written.
  std::optional<ca::Time> last_leaf_not_after;
  // The administrator's id of the request that made it; may be empty.
  std::string request_id;
  // The first version of the tenant's trust bundle that has it: the revision that AddRoot raised
  // the tenant to, whatever the record says that it is given. Of a root that was there before this
  // was noted, the revision of then.
  std::uint64_t bundle_version = 0;
  // The tenant's revision that the change to its state raised it to; of STAGED, `bundle_version`.
  // Later changes have greater ones, whatever the clock said. The store sets it. Of a state of
  // before this was noted, a number of its own in the order of (state_since, generation), at most
  // the revision of then.
  std::uint64_t state_revision = 0;
  // The name of the caller that had it made; empty for roots of before that was noted.
  std::string created_by = "";

  bool operator==(const RootRecord&) const = default;
};

// Who checks certificates of a tenant: a VPN gateway, a RADIUS server.
struct RelyingPartyRecord {
  std::string tenant_id;
  std::string name;      // unique in the tenant
  std::string identity;  // the name of the caller that acknowledges for it, unique in the tenant;
                         // empty where it is manual
  std::string kind;      // for people; may be empty
  bool is_manual = false;
  // The newest version of the trust bundle that was sent to its caller, and when it first was; 0
  // where none was.
  std::uint64_t fetched_version = 0;
  std::optional<Timestamp> fetched_at = std::nullopt;
  // What it acknowledged last: a version of the trust bundle, 0 where it never has; the SHA-256 of
  // its document, 32 octets, empty where it never has; by the name of a caller.
  std::uint64_t acknowledged_version = 0;
  std::string acknowledged_sha256 = "";
  std::optional<Timestamp> acknowledged_at = std::nullopt;
  std::string acknowledged_by = "";
  Timestamp registered_at = {};

  bool operator==(const RelyingPartyRecord&) const = default;
};

// What was done to what a tenant has, and by whom.
struct AdministrativeAction {
  std::string tenant_id;
  std::uint64_t sequence = 0;  // grows with every action of the store
  Timestamp at = {};
  std::string caller;
  // `root_created`, `root_promoted`, `root_demoted`, `root_rolled_back`, `root_retired`,
  // `root_discarded`, `relying_party_registered`, `relying_party_removed`,
  // `relying_party_attested`, `policy_imported`, `policy_changed`, `policy_deleted`,
  // `users_imported`, `users_removed`, `user_removed`, `device_blocked`, `device_unblocked`,
  // `user_blocked`, `user_unblocked`, `device_key_enrolled`, `device_key_approved`,
  // `device_key_removed`.
  std::string action;
  // The root's or policy's id, the relying party's name, the device or user; of `users_imported`
  // and `users_removed` how many: `17 users`; of a device key the device and, behind a space, the
  // key's id.
  std::string subject;
  // Of a root (ca::RootStateName), a policy (PolicyRecord::state) or a device key (`pending`,
  // `approved`, `removed`); empty where there was none.
  std::string from_state;
  std::string to_state;
  std::string reason;  // as it was given; may be empty
  bool overrides = false;

  bool operator==(const AdministrativeAction&) const = default;
};

// A key that is about to be made, under a name that was seen to be free. Kept until its root is
// added or the key is known to be gone: what a run that was interrupted in between left behind.
struct PlannedKey {
  std::string tenant_id;
  int generation = 0;   // the number that was reserved for its root
  std::string key_uri;  // as in RootRecord, with the id that the key is to have
  // SubjectPublicKeyInfo, DER, of the key that was made; empty until then.
  std::string public_key;
  bool is_condemned = false;  // RootKeyStore::CondemnPlannedKey

  bool operator==(const PlannedKey&) const = default;
};

// A root, as far as it concerns its key.
struct RootOfKey {
  std::string tenant_id;
  std::string root_id;
  ca::RootState state = ca::RootState::kStaged;
  std::string key_uri;  // as in RootRecord

  bool operator==(const RootOfKey&) const = default;
};

// A key that an administrator of every tenant set apart for one tenant.
struct BoundKey {
  std::string tenant_id;
  std::string key_uri;     // as in RootRecord
  std::string public_key;  // SubjectPublicKeyInfo, DER

  bool operator==(const BoundKey&) const = default;
};

// The certificate of an issuing sub-key, between a root and its leaves.
struct IntermediateRecord {
  std::string tenant_id;
  std::uint64_t epoch = 0;
  std::string root_id;
  std::string serial_number;  // 16 octets
  hsm::KeyType key_type = hsm::KeyType::kEcP256;
  ca::Time not_before;
  ca::Time not_after;
  std::string tbs_certificate;  // DER
  Timestamp intended_at;
  // Both empty until the release, before which nothing may be signed with the sub-key.
  std::string certificate;  // DER
  std::optional<Timestamp> released_at;

  bool operator==(const IntermediateRecord&) const = default;
};

// By whose word it is known for whom a certificate is: Intent::identity.
inline constexpr absl::string_view kAssertedByBroker = "asserted_by_broker";
inline constexpr absl::string_view kAccessToken = "access_token";
// The same where the device proved by its key that it asked, and the user is the broker's word, or
// an access token's.
inline constexpr absl::string_view kDeviceKey = "device_key";
inline constexpr absl::string_view kAccessTokenAndDeviceKey = "access_token_and_device_key";

// What is recorded before a certificate is signed.
struct Intent {
  std::string tenant_id;
  std::uint64_t epoch = 0;
  std::string root_id;
  std::string request_id;
  std::string request_digest;  // SHA-256 of what is asked for, for whom, by whom; 32 octets
  std::string caller;
  std::string user_id;
  std::string user_upn;
  std::string device_id;
  std::string verdict_id;
  std::string policy_version;
  Timestamp verdict_evaluated_at;
  std::string serial_number;  // 16 octets
  ca::Time not_before;
  ca::Time not_after;
  std::string tbs_certificate;  // DER
  Timestamp intended_at;
  // Of the intermediate that issues it; empty where the root itself does.
  std::string intermediate_serial_number;
  // One of the four above; empty in records from before this was kept.
  std::string identity;
  // Of the access token: `iss`, and `uti` or `jti`. Else empty.
  std::string token_issuer;
  std::string token_id;

  bool operator==(const Intent&) const = default;
};

// What is recorded before a certificate leaves.
struct Release {
  std::string tenant_id;
  std::uint64_t epoch = 0;
  std::string request_id;
  std::string certificate;  // DER
  Timestamp released_at;

  bool operator==(const Release&) const = default;
};

struct JournalRecord {
  Intent intent;
  // Both empty until the release.
  std::string certificate;
  std::optional<Timestamp> released_at;

  bool operator==(const JournalRecord&) const = default;
};

struct DeviceRecord {
  std::string tenant_id;
  std::string device_id;
  std::string state;  // hourglass.v1.DeviceState, serialized
  Timestamp reported_at;
  std::string reported_by;

  bool operator==(const DeviceRecord&) const = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_RECORDS_H_
