#include "issuance/store/store_rules.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ca/issuers/root_states.h"
#include "hsm/base/error.h"

namespace hourglass::issuance {
namespace {

bool MovesPrimary(const RootStateChange& change) {
  return (change.from == ca::RootState::kPrimary) != (change.to == ca::RootState::kPrimary);
}

bool NeedsItsKey(const RootOfKey& root) { return ca::NeedsItsKey(root.state); }

// An administrator reads it: some names say enough.
constexpr std::size_t kMostNames = 10;

std::string Names(const std::vector<std::string>& names) {
  if (names.size() <= kMostNames) return absl::StrJoin(names, ", ");
  return absl::StrCat(absl::StrJoin(absl::MakeConstSpan(names).first(kMostNames), ", "), " and ",
                      names.size() - kMostNames, " more");
}

}  // namespace

absl::Status TenantUnknown() {
  return Error(ErrorReason::kTenantUnknown, "tenant_id", "there is no such tenant");
}

absl::Status TenantExists() {
  return Error(ErrorReason::kTenantExists, "tenant_id", "a tenant of this id exists");
}

absl::Status DisplayNameTaken() {
  return Error(ErrorReason::kDisplayNameTaken, "display_name",
               "another tenant's roots have this name: case, width, marks that are not seen, and "
               "what comes after the first 40 characters do not tell names apart");
}

absl::Status RootUnknown() {
  return Error(ErrorReason::kRootUnknown, "root_id", "the tenant has no root of this id");
}

absl::Status DeviceUnknown() {
  return Error(ErrorReason::kDeviceUnknown, "device_id", "no report of this device is held");
}

absl::Status IntermediateUnknown() {
  return Error(ErrorReason::kCertificateUnknown, "",
               "the root has no intermediate of this serial number");
}

absl::Status CertificateUnknown() {
  return Error(ErrorReason::kCertificateUnknown, "", "the journal holds no such certificate");
}

absl::Status IntentUnknown() {
  return Error(ErrorReason::kCertificateUnknown, "request_id",
               "the journal holds no intent of this request id");
}

absl::Status PrimaryChanged() {
  return Error(ErrorReason::kPrimaryChanged, "",
               "the tenant's primary root changed since this request was prepared");
}

absl::Status RevisionChanged() {
  return Error(ErrorReason::kPrimaryChanged, "",
               "the tenant's roots changed in the meantime; look again before you decide");
}

absl::Status RootCollides() {
  return Error(ErrorReason::kInternalError, "",
               "a root of the tenant has this id or generation already");
}

absl::Status IntermediateCollides() {
  return Error(ErrorReason::kInternalError, "serial_number",
               "the root has an intermediate of this serial number already");
}

absl::Status SerialNumberCollides() {
  return Error(ErrorReason::kInternalError, "serial_number",
               "the root has a certificate of this serial number already");
}

absl::Status IntermediateReleasedBefore() {
  return Error(ErrorReason::kInternalError, "serial_number", "was released before");
}

absl::Status RequestIdUsedBefore() {
  return Error(ErrorReason::kRequestIdReused, "request_id", "was used before");
}

absl::Status RequestIdHasRoot() {
  return Error(ErrorReason::kRequestIdReused, "request_id",
               "a root of the tenant was made for it before");
}

absl::Status ReleasedBefore() {
  return Error(ErrorReason::kRequestIdReused, "request_id", "was released before");
}

absl::Status KeyHasRoot() {
  return Error(ErrorReason::kKeyExists, "key_uri", "is the key of another root");
}

absl::Status KeyTakenAway() {
  return Error(ErrorReason::kKeyDestroyed, "key_uri",
               "the key of the root was taken away while the root was made");
}

absl::Status KeyPlannedOtherwise() {
  return Error(ErrorReason::kInternalError, "", "another root was to have this key");
}

absl::Status KeyBoundOtherwise() {
  return Error(ErrorReason::kKeyNotPermitted, "tenant_id",
               "the key, or another of its name, is bound otherwise: destroy that first");
}

absl::Status RelyingPartyUnknown() {
  return Error(ErrorReason::kRelyingPartyUnknown, "name",
               "the tenant has no relying party of this name");
}

absl::Status RelyingPartyExists(absl::string_view field) {
  return Error(ErrorReason::kRelyingPartyExists, field,
               "another relying party of the tenant has it");
}

absl::Status CheckAcknowledgement(const RelyingPartyRecord& party, std::uint64_t revision,
                                  const Acknowledgement& acknowledgement) {
  // Nobody but an administrator speaks for a manual one, whatever identity it has.
  const absl::string_view identity = party.is_manual ? "" : absl::string_view(party.identity);
  if (acknowledgement.identity != identity) {
    return Error(ErrorReason::kRelyingPartyUnknown, "name",
                 "the relying party of this name is another by now");
  }
  const std::uint64_t version = acknowledgement.version;
  if (version == 0 || version > revision) {
    return Error(ErrorReason::kBundleUnknown, "version",
                 absl::StrCat("the tenant's trust bundle has had no version ", version));
  }
  if (version < revision) {
    return Error(ErrorReason::kBundleOutdated, "version",
                 absl::StrCat("the tenant's trust bundle has version ", revision, " by now"));
  }
  if (party.acknowledged_version == version &&
      party.acknowledged_sha256 != acknowledgement.document_sha256) {
    return Error(ErrorReason::kBundleMismatch, "document_sha256",
                 "the relying party acknowledged this version with another document");
  }
  return absl::OkStatus();
}

absl::Status CheckFetcher(absl::string_view identity) {
  if (!identity.empty()) return absl::OkStatus();
  return Error(ErrorReason::kInternalError, "identity",
               "what nobody fetched is noted of no relying party");
}

bool HasAcknowledged(const RelyingPartyRecord& party, const RootRecord& root) {
  // What was acknowledged later than the root came has it still: a STAGED root is in every version
  // until it ends. An older program that still runs makes roots of version 0: when they came is not
  // known.
  return root.bundle_version != 0 && party.acknowledged_version >= root.bundle_version;
}

std::vector<std::string> NotAcknowledgedBy(const RootRecord& root,
                                           absl::Span<const RelyingPartyRecord> parties) {
  std::vector<std::string> names;
  for (const RelyingPartyRecord& party : parties) {
    if (!HasAcknowledged(party, root)) names.push_back(party.name);
  }
  return names;
}

absl::Status CheckAcknowledged(const RootRecord& root,
                               absl::Span<const RelyingPartyRecord> parties) {
  if (parties.empty()) {
    return Error(ErrorReason::kPromotionBlocked, "root_id",
                 "the tenant has no relying party that has acknowledged the root");
  }
  const std::vector<std::string> missing = NotAcknowledgedBy(root, parties);
  if (missing.empty()) return absl::OkStatus();
  return Error(ErrorReason::kPromotionBlocked, "root_id",
               absl::StrCat("has not been acknowledged by ", Names(missing)));
}

absl::string_view ActionOf(const RootStateChange& change) {
  switch (change.to) {
    case ca::RootState::kPrimary:
      return change.from == ca::RootState::kRetiring ? "root_rolled_back" : "root_promoted";
    case ca::RootState::kRetired:
      return "root_retired";
    case ca::RootState::kDiscarded:
      return "root_discarded";
    case ca::RootState::kRetiring:
    case ca::RootState::kStaged:
      break;
  }
  return "root_demoted";
}

absl::Status CheckNewRoot(const RootRecord& root) {
  if (root.state == ca::RootState::kStaged) return absl::OkStatus();
  return Error(ErrorReason::kInternalError, "state", "a new root must be STAGED");
}

absl::Status CheckNewIntermediate(const IntermediateRecord& intermediate) {
  if (intermediate.certificate.empty() && !intermediate.released_at.has_value()) {
    return absl::OkStatus();
  }
  return Error(ErrorReason::kInternalError, "certificate",
               "an intermediate is recorded before it is signed");
}

bool RaisesEpoch(absl::Span<const RootStateChange> changes) {
  return std::any_of(changes.begin(), changes.end(), MovesPrimary);
}

ca::Time EarliestLiveEnd(Timestamp now) { return std::chrono::floor<std::chrono::seconds>(now); }

bool IsLive(const JournalRecord& record, Timestamp now) {
  return record.released_at.has_value() && record.intent.not_after >= EarliestLiveEnd(now);
}

std::vector<RootStateChange> InOrder(absl::Span<const RootStateChange> changes) {
  std::vector<RootStateChange> ordered(changes.begin(), changes.end());
  std::stable_partition(ordered.begin(), ordered.end(), [](const RootStateChange& change) {
    return change.to != ca::RootState::kPrimary;
  });
  return ordered;
}

absl::Status WhyNotChanged(const RootRecord& there, const RootStateChange& change) {
  if (there.state != change.from) {
    return Error(ErrorReason::kRootMoveIllegal, "root_id",
                 absl::StrCat("the root is ", ca::RootStateName(there.state), ", not ",
                              ca::RootStateName(change.from)));
  }
  return Error(ErrorReason::kRootMoveIllegal, "root_id",
               "another root is PRIMARY; a tenant has one at most");
}

absl::Status CheckKeyDestroyed(absl::Span<const RootOfKey> roots) {
  if (std::none_of(roots.begin(), roots.end(), NeedsItsKey)) return absl::OkStatus();
  return Error(ErrorReason::kInternalError, "", "the key of a root that lives is destroyed");
}

absl::Status CheckIntent(const FencedTenant* tenant, const Intent& intent) {
  if (tenant == nullptr) return TenantUnknown();
  if (tenant->epoch != intent.epoch || tenant->primary_root.empty() ||
      tenant->primary_root != intent.root_id) {
    return PrimaryChanged();
  }
  return absl::OkStatus();
}

absl::Status CheckRelease(const FencedTenant* tenant, std::uint64_t epoch_of_intent,
                          const Release& release) {
  if (tenant == nullptr || tenant->epoch != release.epoch || epoch_of_intent != release.epoch) {
    return PrimaryChanged();
  }
  return absl::OkStatus();
}

absl::Status CheckIntermediateOf(const Intent& intent, bool is_released) {
  if (intent.intermediate_serial_number.empty() || is_released) return absl::OkStatus();
  return Error(ErrorReason::kInternalError, "intermediate_serial_number",
               "the root has no intermediate of this serial number that was released");
}

}  // namespace hourglass::issuance
