// Where tenants, roots, devices and the journal are kept.
#ifndef HOURGLASS_ISSUANCE_STORE_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_STORE_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

struct RootStateChange {
  std::string root_id;
  ca::RootState from;
  ca::RootState to;
};

// Each field narrows if set.
struct JournalFilter {
  std::string user_upn;  // finds all that ca::FoldedUpn makes the same
  std::string device_id;
  std::string serial_number;
  std::optional<Timestamp> intended_from;    // inclusive
  std::optional<Timestamp> intended_before;  // exclusive
};

// Of a page, in records.
inline constexpr int kMaxPageSize = 1000;

template <typename Record>
struct Page {
  std::vector<Record> records;
  std::string next_page_token;  // empty on the last page
};

using JournalWrite = std::variant<Intent, Release>;

// Safe to call from several threads, and the contract holds for several processes on one store.
// Every method that writes is one transaction: it is durable when it returns OK, and nothing of it
// is there otherwise. Errors of all: JOURNAL_UNAVAILABLE where the store cannot be read or written
// (the message says why: disk full, read-only, damaged, locked); and what each names. After
// JOURNAL_UNAVAILABLE, and only then, a write may come to light later, whole, where the answer to a
// commit was lost: to a database server, or to a disk that failed while it flushed. Whoever got the
// error must not act as if it were there, and finds it by its request id.
class Store {
 public:
  virtual ~Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // With epoch 0 and revision 0, whatever `tenant` says. Errors: TENANT_EXISTS; DISPLAY_NAME_TAKEN
  // with field `display_name` where another tenant's roots have the same name (ca::RootNameKey).
  virtual absl::Status CreateTenant(const TenantRecord& tenant) = 0;
  // Errors: TENANT_UNKNOWN.
  virtual absl::StatusOr<TenantRecord> GetTenant(absl::string_view tenant_id) = 0;
  // By tenant id.
  virtual absl::StatusOr<std::vector<TenantRecord>> ListTenants() = 0;

  // A generation number that no call returned for this tenant before, from 1 up. Errors:
  // TENANT_UNKNOWN.
  virtual absl::StatusOr<int> ReserveGeneration(absl::string_view tenant_id) = 0;
  // Notes that a key is to be made; and again with the public key that it got, which is noted once.
  // Repeating it changes nothing. Errors: TENANT_UNKNOWN; INTERNAL_ERROR where the URI is planned
  // for another root, with another public key, or is a root's.
  virtual absl::Status PlanKey(const PlannedKey& key) = 0;
  // Takes the note away, if it is there.
  virtual absl::Status ForgetPlannedKey(absl::string_view key_uri) = 0;
  // By generation.
  virtual absl::StatusOr<std::vector<PlannedKey>> ListPlannedKeys(absl::string_view tenant_id) = 0;
  // Adds a STAGED root, raises the revision, and forgets that its key was planned. Errors:
  // TENANT_UNKNOWN; INTERNAL_ERROR for an id, generation or non-empty request id that a root of the
  // tenant has already, for a key URI that any root has, or another state.
  virtual absl::Status AddRoot(const RootRecord& root) = 0;
  // Errors: ROOT_UNKNOWN.
  virtual absl::StatusOr<RootRecord> GetRoot(absl::string_view tenant_id,
                                             absl::string_view root_id) = 0;
  // By generation.
  virtual absl::StatusOr<std::vector<RootRecord>> ListRoots(absl::string_view tenant_id) = 0;
  // The roots of all tenants, whatever their state, whose certificate holds this
  // SubjectPublicKeyInfo, DER: a key belongs to one root for ever. None for an empty one. Reads
  // every root.
  virtual absl::StatusOr<std::vector<KeyHolder>> RootsOfPublicKey(absl::string_view public_key) = 0;
  // The same by the name of the key: whose key URI is this one, apart from an id in either. Reads
  // every root.
  virtual absl::StatusOr<std::vector<KeyHolder>> RootsOfKeyName(absl::string_view key_uri) = 0;
  // Records that a key is no more: in its root, which must be RETIRED or DISCARDED and keeps the
  // time that it has already, and by forgetting that it was planned or bound. By the public key;
  // where that is empty, plans and bindings by the URI. Errors: INTERNAL_ERROR where another root
  // has it.
  virtual absl::Status NoteKeyDestroyed(absl::string_view key_uri, absl::string_view public_key,
                                        Timestamp now) = 0;

  // Sets a key apart for a tenant. Repeating it changes nothing. Errors: TENANT_UNKNOWN;
  // KEY_NOT_PERMITTED with field `tenant_id` where the URI or the public key is bound otherwise.
  virtual absl::Status BindKey(const BoundKey& key) = 0;
  // Of all tenants, by URI.
  virtual absl::StatusOr<std::vector<BoundKey>> ListBoundKeys() = 0;

  // Makes all changes or none, and raises the revision, and the epoch if PRIMARY is left or
  // entered. The promise of one primary is the store's: a change that would make a second one
  // fails. Errors: PRIMARY_CHANGED if the revision is not `expected_revision` any more;
  // ROOT_UNKNOWN; ROOT_MOVE_ILLEGAL if a root is not in its `from` state or there would be two
  // primaries; TENANT_UNKNOWN.
  virtual absl::Status ChangeRootStates(absl::string_view tenant_id,
                                        std::uint64_t expected_revision,
                                        absl::Span<const RootStateChange> changes,
                                        Timestamp now) = 0;

  // Records an intermediate before it is signed. Errors: TENANT_UNKNOWN; PRIMARY_CHANGED unless its
  // epoch is the tenant's and its root the tenant's PRIMARY (promise 6); INTERNAL_ERROR for one
  // that is released, or whose (tenant, root, serial) is there already.
  virtual absl::Status AddIntermediate(const IntermediateRecord& intermediate) = 0;
  // Records what the root's key signed, before anything is signed with the sub-key. Errors:
  // CERTIFICATE_UNKNOWN without such an intermediate; PRIMARY_CHANGED unless its epoch is the
  // tenant's and its root the tenant's PRIMARY; INTERNAL_ERROR if it was released already.
  virtual absl::Status ReleaseIntermediate(absl::string_view tenant_id, absl::string_view root_id,
                                           absl::string_view serial_number,
                                           absl::string_view certificate,
                                           Timestamp released_at) = 0;
  // Errors: CERTIFICATE_UNKNOWN.
  virtual absl::StatusOr<IntermediateRecord> GetIntermediate(absl::string_view tenant_id,
                                                             absl::string_view root_id,
                                                             absl::string_view serial_number) = 0;
  // Of one root, newest first. Pages and errors as ListJournal.
  virtual absl::StatusOr<Page<IntermediateRecord>> ListIntermediates(
      absl::string_view tenant_id, absl::string_view root_id, int page_size,
      absl::string_view page_token) = 0;

  // Writes all in one transaction (one group commit) and returns one status a write, in order. A
  // write that is refused leaves no trace and does not hinder the others. An intent is refused with
  // TENANT_UNKNOWN without a tenant, with PRIMARY_CHANGED unless its epoch is the tenant's and its
  // root the tenant's PRIMARY (promise 6), with REQUEST_ID_REUSED if its (tenant, request id) is
  // there already, and with INTERNAL_ERROR if its (tenant, root, serial) is, or its intermediate is
  // not there, of its root and released. A release is refused
  // with PRIMARY_CHANGED unless its epoch is both its intent's and the tenant's, with
  // CERTIFICATE_UNKNOWN without an intent, and with REQUEST_ID_REUSED if it was released already.
  // The outer status is an error if nothing could be written. Where transactions run beside each
  // other, the tenant's epoch must be held against change until the commit (PostgreSQL: SELECT …
  // FOR SHARE), or the fence has a gap.
  virtual absl::StatusOr<std::vector<absl::Status>> AppendToJournal(
      absl::Span<const JournalWrite> writes) = 0;
  // By serial number: the newest, if roots of the tenant share one. Errors: CERTIFICATE_UNKNOWN.
  virtual absl::StatusOr<JournalRecord> FindByRequestId(absl::string_view tenant_id,
                                                        absl::string_view request_id) = 0;
  virtual absl::StatusOr<JournalRecord> FindBySerialNumber(absl::string_view tenant_id,
                                                           absl::string_view serial_number) = 0;
  // Newest intent first. `page_size` is 1 to kMaxPageSize; `page_token` is the next_page_token of
  // the page before it, or empty. An intent that is written meanwhile makes none of the others
  // appear twice or not at all. Errors: FIELD_INVALID with field `page_size`, or `page_token` for a
  // token that is none of its own.
  virtual absl::StatusOr<Page<JournalRecord>> ListJournal(absl::string_view tenant_id,
                                                          const JournalFilter& filter,
                                                          int page_size,
                                                          absl::string_view page_token) = 0;
  // Forgets records that were intended before `before` and whose certificates expired by then, all
  // or some: a store may keep any of them for as long as it keeps others that it holds in the same
  // file. A request id, and a serial number, that is forgotten is free again. Forgets nothing else.
  // What is forgotten is not deleted yet: whoever runs the store may take it back by its files.
  virtual absl::Status DropJournalBefore(Timestamp before) = 0;
  // Deletes what was forgotten, once an earlier call, with a time a day or more before `now`, has
  // found it forgotten. Times after `now` count as `now`: no clock that leapt makes the day shorter
  // unless both calls believe it.
  virtual absl::Status DeleteDroppedJournal(Timestamp now) = 0;

  // Replaces the device's record whole. Errors: TENANT_UNKNOWN.
  virtual absl::Status PutDevice(const DeviceRecord& device) = 0;
  // Errors: DEVICE_UNKNOWN.
  virtual absl::StatusOr<DeviceRecord> GetDevice(absl::string_view tenant_id,
                                                 absl::string_view device_id) = 0;
  // By device id, in the order of its octets. Pages and errors as ListJournal.
  virtual absl::StatusOr<Page<DeviceRecord>> ListDevices(absl::string_view tenant_id, int page_size,
                                                         absl::string_view page_token) = 0;
  // Errors: DEVICE_UNKNOWN.
  virtual absl::Status RemoveDevice(absl::string_view tenant_id, absl::string_view device_id) = 0;

 protected:
  Store() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_STORE_H_
