// What every store refuses, whatever database it is made of, and how it says so. The contract
// (issuance/store/store.h) names the reasons; a database finds out what is there, and asks here.
#ifndef HOURGLASS_ISSUANCE_STORE_STORE_RULES_H_
#define HOURGLASS_ISSUANCE_STORE_STORE_RULES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/journal_store.h"
#include "issuance/store/records.h"
#include "issuance/store/relying_party_store.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// TENANT_UNKNOWN, TENANT_EXISTS, DISPLAY_NAME_TAKEN, with their fields.
absl::Status TenantUnknown();
absl::Status TenantExists();
absl::Status DisplayNameTaken();

// ROOT_UNKNOWN, DEVICE_UNKNOWN, with their fields.
absl::Status RootUnknown();
absl::Status DeviceUnknown();

// CERTIFICATE_UNKNOWN: of an intermediate; of a certificate in the journal; of a release without
// its intent.
absl::Status IntermediateUnknown();
absl::Status CertificateUnknown();
absl::Status IntentUnknown();

// PRIMARY_CHANGED: what the fence refuses (promise 6); what is decided by an old revision.
absl::Status PrimaryChanged();
absl::Status RevisionChanged();

// INTERNAL_ERROR: an id or generation that another root of the tenant has; a serial number that
// another intermediate or certificate of the root has; what was released before.
absl::Status RootCollides();
absl::Status IntermediateCollides();
absl::Status SerialNumberCollides();
absl::Status IntermediateReleasedBefore();

// REQUEST_ID_REUSED: for another intent; for another root; for a second release.
absl::Status RequestIdUsedBefore();
absl::Status RequestIdHasRoot();
absl::Status ReleasedBefore();

// KEY_EXISTS: a key URI that a root has. KEY_DESTROYED: a key whose plan is gone or condemned.
absl::Status KeyHasRoot();
absl::Status KeyTakenAway();

// INTERNAL_ERROR, KEY_NOT_PERMITTED.
absl::Status KeyPlannedOtherwise();
absl::Status KeyBoundOtherwise();

// RELYING_PARTY_UNKNOWN with field `name`; RELYING_PARTY_EXISTS with this field.
absl::Status RelyingPartyUnknown();
absl::Status RelyingPartyExists(absl::string_view field);

// Whether `party`, the one of the acknowledgement's name, may acknowledge this of a tenant whose
// revision is `revision`. Errors: RELYING_PARTY_UNKNOWN with field `name` where it is another than
// who acknowledges; BUNDLE_UNKNOWN, BUNDLE_OUTDATED, BUNDLE_MISMATCH; as
// RelyingPartyStore::Acknowledge has them.
absl::Status CheckAcknowledgement(const RelyingPartyRecord& party, std::uint64_t revision,
                                  const Acknowledgement& acknowledgement);

// Whoever a fetched bundle is noted of has an identity, else INTERNAL_ERROR with field `identity`.
absl::Status CheckFetcher(absl::string_view identity);

// Whether the relying party has acknowledged a version of the trust bundle with the root.
bool HasAcknowledged(const RelyingPartyRecord& party, const RootRecord& root);

// The names of those that have not (HasAcknowledged), in their order.
std::vector<std::string> NotAcknowledgedBy(const RootRecord& root,
                                           absl::Span<const RelyingPartyRecord> parties);

// Each of `parties` has acknowledged the root, and there is one, else PROMOTION_BLOCKED with field
// `root_id`.
absl::Status CheckAcknowledged(const RootRecord& root,
                               absl::Span<const RelyingPartyRecord> parties);

// How the administrative journal calls this change of a root: `root_promoted` and so on. Lives as
// long as the process.
absl::string_view ActionOf(const RootStateChange& change);

// A root begins STAGED, else INTERNAL_ERROR.
absl::Status CheckNewRoot(const RootRecord& root);

// An intermediate is recorded before it is signed, else INTERNAL_ERROR.
absl::Status CheckNewIntermediate(const IntermediateRecord& intermediate);

// Whether these changes raise the tenant's epoch: PRIMARY is left or entered.
bool RaisesEpoch(absl::Span<const RootStateChange> changes);

// The first notAfter with which a certificate has not expired at `now`: it counts until the end of
// that second (RFC 5280 section 4.1.2.5).
ca::Time EarliestLiveEnd(Timestamp now);

// Whether it was released and has not expired at `now`.
bool IsLive(const JournalRecord& record, Timestamp now);

// In the order in which they have to be made, so that there is at most one PRIMARY at any time:
// whoever leaves PRIMARY goes first.
std::vector<RootStateChange> InOrder(absl::Span<const RootStateChange> changes);

// Why `change` of a root that is `there` was not made: its state is another, or there would be a
// second PRIMARY. ROOT_MOVE_ILLEGAL.
absl::Status WhyNotChanged(const RootRecord& there, const RootStateChange& change);

// A key is destroyed only where all roots that had it have ended, else INTERNAL_ERROR.
absl::Status CheckKeyDestroyed(absl::Span<const RootOfKey> roots);

// A tenant as the fence sees it (promise 6), held against change until the transaction ends.
struct FencedTenant {
  std::uint64_t epoch = 0;
  std::string primary_root;  // empty where there is none
};

// An intent is of the tenant's epoch and of its primary. `tenant` is null where there is none.
// Errors: TENANT_UNKNOWN; PRIMARY_CHANGED.
absl::Status CheckIntent(const FencedTenant* tenant, const Intent& intent);

// A release is of the epoch of its intent, which is still the tenant's. Errors: PRIMARY_CHANGED.
absl::Status CheckRelease(const FencedTenant* tenant, std::uint64_t epoch_of_intent,
                          const Release& release);

// An intent names no intermediate, or one that was released: what is not recorded must not issue.
// Errors: INTERNAL_ERROR.
absl::Status CheckIntermediateOf(const Intent& intent, bool is_released);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_STORE_RULES_H_
