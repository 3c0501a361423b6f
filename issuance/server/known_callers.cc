#include "issuance/server/known_callers.h"

#include <string>

#include "absl/memory/memory.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {

absl::StatusOr<std::unique_ptr<KnownCallers>> KnownCallers::Start(const Config& config,
                                                                  absl::string_view trusted_roots,
                                                                  const Clock* clock,
                                                                  const EventLog& log) {
  std::unique_ptr<RevocationLists> revocations;
  if (!config.revocation_lists.empty()) {
    ASSIGN_OR_RETURN(revocations, RevocationLists::Read(config.revocation_lists, trusted_roots));
  }
  ASSIGN_OR_RETURN(CallerDirectory directory,
                   CallerDirectory::Create(config.callers, clock, revocations.get()));
  for (const Caller& caller : config.callers) {
    const std::string warning = WarningAbout(caller);
    if (!warning.empty()) {
      log.Warning("caller_not_separated", {{"caller", caller.name}, {"message", warning}});
    }
  }
  return absl::WrapUnique(new KnownCallers(std::move(revocations), std::move(directory)));
}

}  // namespace hourglass::issuance
