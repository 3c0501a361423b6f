// The role of the store that keeps a tenant's relying parties and what they have acknowledged.
#ifndef HOURGLASS_ISSUANCE_STORE_RELYING_PARTY_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_RELYING_PARTY_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

// Who changes something, when and why: for the administrative journal.
struct ChangeCause {
  Timestamp now = {};
  std::string caller = "";
  std::string reason = "";
};

// That a relying party trusts what a version of the trust bundle says.
struct Acknowledgement {
  std::string tenant_id;
  std::string name;  // the relying party's
  // Who it was when whoever acknowledges looked: as in RelyingPartyRecord. Empty for a manual one.
  std::string identity;
  std::uint64_t version = 0;
  std::string document_sha256;  // 32 octets
};

// The contract that all roles share stands at Store (issuance/store/store.h).
class RelyingPartyStore {
 public:
  virtual ~RelyingPartyStore() = default;
  RelyingPartyStore(const RelyingPartyStore&) = delete;
  RelyingPartyStore& operator=(const RelyingPartyStore&) = delete;

  // Adds it as one that has fetched and acknowledged nothing yet, whatever `party` says, registered
  // at `cause.now`, and records `relying_party_registered`. Errors: TENANT_UNKNOWN;
  // RELYING_PARTY_EXISTS with field `name`, or `identity` where that is not empty, where another of
  // the tenant has it. Of several, the first of these.
  virtual absl::Status AddRelyingParty(const RelyingPartyRecord& party,
                                       const ChangeCause& cause) = 0;
  // Takes it away, and records `relying_party_removed`. Returns it as it was. Errors:
  // RELYING_PARTY_UNKNOWN.
  virtual absl::StatusOr<RelyingPartyRecord> RemoveRelyingParty(absl::string_view tenant_id,
                                                                absl::string_view name,
                                                                const ChangeCause& cause) = 0;
  // By name; empty for a tenant that there is not.
  virtual absl::StatusOr<std::vector<RelyingPartyRecord>> ListRelyingParties(
      absl::string_view tenant_id) = 0;
  // Notes the acknowledgement, as of `cause.now` by `cause.caller`, and returns the relying party
  // as it is then. The same version with the same document again changes nothing, and is returned
  // as it is. Of a manual one `relying_party_attested` is recorded. Errors: TENANT_UNKNOWN;
  // RELYING_PARTY_UNKNOWN, also where the one of that name has another identity, or is manual and
  // the acknowledgement has one: it was removed and registered anew meanwhile; with field `version`
  // BUNDLE_UNKNOWN where it is 0 or above the tenant's revision, and BUNDLE_OUTDATED where it is
  // below; BUNDLE_MISMATCH with field `document_sha256` where it acknowledged this version before,
  // with another document. Of several, the first of these.
  virtual absl::StatusOr<RelyingPartyRecord> Acknowledge(const Acknowledgement& acknowledgement,
                                                         const ChangeCause& cause) = 0;
  // Notes that this version of the trust bundle was sent to the relying party of this identity at
  // `now`. Changes nothing where there is none of it, where it was sent that version or a newer one
  // before, or where the tenant has no such version yet; writes nothing then. Errors:
  // INTERNAL_ERROR with field `identity` where that is empty.
  virtual absl::Status NoteFetched(absl::string_view tenant_id, absl::string_view identity,
                                   std::uint64_t version, Timestamp now) = 0;

 protected:
  RelyingPartyStore() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_RELYING_PARTY_STORE_H_
