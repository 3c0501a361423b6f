// Which version of its tenant's trust bundle each relying party has been sent.
#ifndef HOURGLASS_ISSUANCE_SERVICES_BUNDLE_FETCHES_H_
#define HOURGLASS_ISSUANCE_SERVICES_BUNDLE_FETCHES_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "issuance/base/clock.h"
#include "issuance/identity/caller.h"
#include "issuance/log/event_log.h"
#include "issuance/store/relying_party_store.h"

namespace hourglass::issuance {

// Keeps nothing itself, so that a relying party that is registered anew begins anew. Safe to call
// from several threads.
class BundleFetches {
 public:
  // All must outlive this object.
  BundleFetches(RelyingPartyStore* relying_parties, const Clock* clock, const EventLog* log)
      : relying_parties_(relying_parties), clock_(clock), log_(log) {}

  // The bundle of this version was sent to the caller just now. Costs one reading of the tenant's
  // relying parties, and a write only where the caller is one of them and was sent no version as
  // new before: once a version. Nothing for callers without the role relying_party, and for version
  // 0. May block. What fails is logged as `bundle_fetch_not_noted`, and holds up nobody: the next
  // fetch notes it.
  void Note(const Caller& caller, absl::string_view tenant_id, std::uint64_t version) const;

 private:
  absl::Status NoteNews(absl::string_view identity, absl::string_view tenant_id,
                        std::uint64_t version) const;

  RelyingPartyStore* const relying_parties_;
  const Clock* const clock_;
  const EventLog* const log_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_BUNDLE_FETCHES_H_
