#include "issuance/services/trust_bundle_service.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/services/record_mapper.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kSha256Size = 32;

absl::Status CheckAsked(const v1::AcknowledgeTrustBundleRequest& request) {
  if (request.version() == 0) return Error(ErrorReason::kFieldMissing, "version", "is required");
  if (request.document_sha256().empty()) {
    return Error(ErrorReason::kFieldMissing, "document_sha256", "is required");
  }
  if (request.document_sha256().size() != kSha256Size) {
    return Error(ErrorReason::kFieldInvalid, "document_sha256",
                 absl::StrCat("must have ", kSha256Size, " octets"));
  }
  return absl::OkStatus();
}

// The relying party that the caller speaks for.
absl::StatusOr<RelyingPartyRecord> PartyOf(const Caller& caller,
                                           const std::vector<RelyingPartyRecord>& parties) {
  const auto found =
      std::find_if(parties.begin(), parties.end(), [&caller](const RelyingPartyRecord& party) {
        return !party.is_manual && party.identity == caller.name;
      });
  if (found != parties.end()) return *found;
  return Error(ErrorReason::kRelyingPartyUnknown, "",
               absl::StrCat("the tenant has no relying party whose identity is ", caller.name));
}

}  // namespace

absl::Status TrustBundleService::GetTrustBundle(const Caller& caller,
                                                const v1::GetTrustBundleRequest& request,
                                                v1::TrustBundle* response) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const SignedTrustBundle> bundle,
                   bundles_->Get(request.tenant_id()));
  *response = ToProto(*bundle);
  fetches_.Note(caller, bundle->tenant_id, bundle->version);
  return absl::OkStatus();
}

absl::Status TrustBundleService::AcknowledgeTrustBundle(
    const Caller& caller, const v1::AcknowledgeTrustBundleRequest& request,
    v1::RelyingParty* response) {
  RETURN_IF_ERROR(CheckAsked(request));
  RETURN_IF_ERROR(tenants_->GetTenant(request.tenant_id()).status());
  ASSIGN_OR_RETURN(const std::vector<RelyingPartyRecord> parties,
                   relying_parties_->ListRelyingParties(request.tenant_id()));
  ASSIGN_OR_RETURN(const RelyingPartyRecord before, PartyOf(caller, parties));
  const Acknowledgement acknowledgement = {.tenant_id = request.tenant_id(),
                                           .name = before.name,
                                           .identity = before.identity,
                                           .version = request.version(),
                                           .document_sha256 = request.document_sha256()};
  // The store does not have the document. It is that of the newest version, or this ends here: a
  // version that there is only when the store is asked was not looked at.
  ASSIGN_OR_RETURN(const std::shared_ptr<const SignedTrustBundle> bundle,
                   bundles_->Get(request.tenant_id()));
  RETURN_IF_ERROR(CheckAcknowledgement(before, bundle->version, acknowledgement));
  if (acknowledgement.document_sha256 != bundle->document_sha256) {
    return Error(ErrorReason::kBundleMismatch, "document_sha256",
                 "is not of the document of this version");
  }
  ASSIGN_OR_RETURN(const RelyingPartyRecord party,
                   relying_parties_->Acknowledge(acknowledgement, {clock_->Now(), caller.name}));
  if (before.acknowledged_version != party.acknowledged_version) {
    log_->Info("bundle_acknowledged", {{"tenant", party.tenant_id},
                                       {"relying_party", party.name},
                                       {"version", absl::StrCat(party.acknowledged_version)},
                                       {"caller", caller.name}});
  }
  *response = ToProto(party);
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
