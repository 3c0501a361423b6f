#include "issuance/services/bundle_fetches.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {

void BundleFetches::Note(const Caller& caller, absl::string_view tenant_id,
                         std::uint64_t version) const {
  if (version == 0 || !caller.Has(Role::kRelyingParty)) return;
  const absl::Status noted = NoteNews(caller.name, tenant_id, version);
  if (noted.ok()) return;
  log_->Warning("bundle_fetch_not_noted", {{"tenant", tenant_id},
                                           {"caller", caller.name},
                                           {"version", absl::StrCat(version)},
                                           {"reason", ErrorReasonName(ReasonOf(noted))},
                                           {"message", noted.message()}});
}

absl::Status BundleFetches::NoteNews(absl::string_view identity, absl::string_view tenant_id,
                                     std::uint64_t version) const {
  ASSIGN_OR_RETURN(const std::vector<RelyingPartyRecord> parties,
                   relying_parties_->ListRelyingParties(tenant_id));
  const bool is_news =
      std::any_of(parties.begin(), parties.end(), [&](const RelyingPartyRecord& party) {
        return !party.is_manual && party.identity == identity && party.fetched_version < version;
      });
  if (!is_news) return absl::OkStatus();
  return relying_parties_->NoteFetched(tenant_id, identity, version, clock_->Now());
}

}  // namespace hourglass::issuance
