// For whom a certificate is asked, and by whose word.
#include <string>
#include <utility>

#include "ca/names/name.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/pipeline/pipeline.h"
#include "issuance/pipeline/pipeline_work.h"
#include "issuance/timekeeping/deciding_time.h"
#include "issuance/tokens/access_token.h"
#include "issuance/tokens/request_agreement.h"
#include "issuance/tokens/tenant_tokens.h"
#include "issuance/tokens/token_fault.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

RequestedFor RequestedForBy(const v1::IssueCertificateRequest& request) {
  return {.user_id = request.user().id(),
          .upn = request.user().upn(),
          .device_id = request.device_id()};
}

}  // namespace

TenantTokens* Pipeline::TokensOf(const std::string& tenant_id) const {
  if (identities_.tokens == nullptr) return nullptr;
  const auto found = identities_.tokens->find(tenant_id);
  return found == identities_.tokens->end() ? nullptr : found->second.get();
}

// 2, where the broker's word counts.
absl::StatusOr<Pipeline::Holder> Pipeline::AssertedHolder(
    const v1::IssueCertificateRequest& request) const {
  // Whoever sends one expects that it is looked at.
  if (!request.access_token().empty()) {
    return Error(ErrorReason::kFieldInvalid, "access_token",
                 "the tenant takes no access tokens, but its brokers' word");
  }
  RETURN_IF_ERROR(CheckNewDeviceId(request.device_id()));
  ASSIGN_OR_RETURN(ca::Subject subject,
                   ca::Subject::Create(request.user().upn(), request.user().id()));
  RETURN_IF_ERROR(tenants_->Issuing(request.tenant_id()).upn_domains.Check(subject.upn()));
  return Holder{std::move(subject), request.device_id(), std::nullopt};
}

// A UPN that the token does not have is the directory's, where it has the user.
absl::Status Pipeline::CompleteUpn(const std::string& tenant_id, TokenIdentity* identity) const {
  if (!identity->upn.empty()) return absl::OkStatus();
  if (identities_.directory != nullptr) {
    absl::StatusOr<DirectoryUser> user =
        identities_.directory->GetUser(tenant_id, identity->user_id);
    if (user.ok()) {
      identity->upn = std::move(user->upn);
      return absl::OkStatus();
    }
    if (ReasonOf(user.status()) != ErrorReason::kUserUnknown) return user.status();
  }
  return TokenError(TokenFault::kUpnMissing,
                    "there is no upn, and the tenant's directory does not have the user");
}

// 2, where tokens are taken, and after the rest of it: the token is bound to the request when
// everything that is known without asking anybody is in order.
absl::StatusOr<Pipeline::Holder> Pipeline::HolderByToken(IssueTask& task,
                                                         TenantTokens& tokens) const {
  const v1::IssueCertificateRequest& request = *task.request;
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(*clock_));
  ASSIGN_OR_RETURN(TokenIdentity identity,
                   tokens.Check(request.access_token(), task.caller_certificate_sha256, now));
  RETURN_IF_ERROR(CompleteUpn(request.tenant_id(), &identity));
  RETURN_IF_ERROR(CheckRequestedFor(RequestedForBy(request), identity));
  ASSIGN_OR_RETURN(ca::Subject subject, ca::Subject::Create(identity.upn, identity.user_id));
  RETURN_IF_ERROR(tenants_->Issuing(request.tenant_id()).upn_domains.Check(subject.upn()));
  if (identities_.devices != nullptr && !std::exchange(task.device_charged, true)) {
    RETURN_IF_ERROR(identities_.devices->TakeOne(request.tenant_id(), identity.device_id, now));
  }
  RETURN_IF_ERROR(tokens.Bind(identity, {task.caller->name, request.request_id()}, now));
  std::string device_id = identity.device_id;
  return Holder{std::move(subject), std::move(device_id), std::move(identity)};
}

// What a compliance service is told of a sign-in.
std::optional<v1::SignIn> Pipeline::Holder::SignIn() const {
  if (!token.has_value()) return std::nullopt;
  v1::SignIn sign_in;
  sign_in.set_issuer(token->issuer);
  sign_in.set_client_id(token->client_id);
  if (token->authenticated_at.has_value()) {
    *sign_in.mutable_authenticated_at() = ToProto(*token->authenticated_at);
  }
  for (const std::string& method : token->authentication_methods) {
    sign_in.add_authentication_methods(method);
  }
  sign_in.set_authentication_class(token->authentication_class);
  for (const std::string& context : token->authentication_contexts) {
    sign_in.add_authentication_contexts(context);
  }
  if (token->groups.has_value()) {
    sign_in.set_groups_known(true);
    for (const std::string& group : *token->groups) sign_in.add_group_ids(group);
  }
  sign_in.set_ip_address(token->ip_address);
  sign_in.set_token_bound(token->sender_constrained);
  return sign_in;
}

}  // namespace hourglass::issuance
