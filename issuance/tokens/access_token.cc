#include "issuance/tokens/access_token.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "hsm/base/status_macros.h"
#include "issuance/tokens/base64url.h"
#include "issuance/tokens/claims.h"
#include "issuance/tokens/compact_jws.h"
#include "issuance/tokens/guid.h"
#include "issuance/tokens/token_fault.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kMaxAudiences = 16;
constexpr std::size_t kMaxScopes = 64;
constexpr std::size_t kMaxContexts = 64;
constexpr std::size_t kMaxMethods = 32;
constexpr std::size_t kMaxRoles = 1000;
constexpr std::size_t kMaxGroups = 4000;
constexpr std::size_t kSha256Size = 32;
constexpr absl::string_view kVersion2End = "/v2.0";

bool IsOneOf(absl::string_view text, const std::vector<std::string>& texts) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

// RFC 9068 section 4, and what Entra ID writes; a type that is absent says nothing. That of an ID
// token is `JWT`, too, which its audience tells from these.
absl::Status CheckType(absl::string_view type) {
  absl::ConsumePrefix(&type, "application/");
  if (type.empty() || absl::EqualsIgnoreCase(type, "JWT") ||
      absl::EqualsIgnoreCase(type, "at+jwt")) {
    return absl::OkStatus();
  }
  return TokenError(TokenFault::kTypeRefused,
                    absl::StrCat("typ is ", Quoted(type), ", which is no access token's"));
}

// What Entra ID's endpoint of version 1 has for the issuer of the same directory, and the other way
// round: keys are published under the name of version 2 alone.
bool IsVersion2(absl::string_view issuer) { return absl::EndsWith(issuer, kVersion2End); }

absl::Status CheckIssuer(const Claims& claims, const TokenRules& rules, TokenIdentity* identity) {
  ASSIGN_OR_RETURN(identity->issuer, claims.Text("iss"));
  if (!IsOneOf(identity->issuer, rules.issuers)) {
    return TokenError(
        TokenFault::kIssuerNotAllowed,
        absl::StrCat("iss is ", Quoted(identity->issuer), ", which is not the tenant's"));
  }
  ASSIGN_OR_RETURN(identity->directory_id, claims.Guid("tid"));
  const std::vector<absl::string_view> segments = absl::StrSplit(identity->issuer, '/');
  if (identity->directory_id != rules.directory_id ||
      std::find(segments.begin(), segments.end(), rules.directory_id) == segments.end()) {
    return TokenError(TokenFault::kDirectoryMismatch,
                      absl::StrCat("tid is ", Quoted(identity->directory_id),
                                   ", and both it and iss must name the tenant's directory"));
  }
  ASSIGN_OR_RETURN(const std::string version, claims.Text("ver"));
  const absl::string_view expected = IsVersion2(identity->issuer) ? "2.0" : "1.0";
  if (!version.empty() && version != expected) {
    return TokenError(TokenFault::kVersionMismatch,
                      absl::StrCat("ver is ", Quoted(version), ", and iss that of ", expected));
  }
  return absl::OkStatus();
}

// `key_issuer`: of the key that has signed it.
absl::Status CheckKeyIssuer(const std::string& key_issuer, const TokenRules& rules,
                            const TokenIdentity& identity) {
  if (key_issuer.empty()) return absl::OkStatus();
  const std::string meant =
      absl::StrReplaceAll(key_issuer, {{"{tenantid}", identity.directory_id}});
  const bool same_directory_by_version_2 =
      !IsVersion2(identity.issuer) && IsVersion2(meant) && IsOneOf(meant, rules.issuers);
  if (meant == identity.issuer || same_directory_by_version_2) return absl::OkStatus();
  return TokenError(TokenFault::kKeyOfAnotherIssuer,
                    absl::StrCat("the key is for ", Quoted(key_issuer), ", and iss is ",
                                 Quoted(identity.issuer)));
}

absl::Status CheckTimes(const Claims& claims, const TokenRules& rules, Timestamp now,
                        TokenIdentity* identity) {
  ASSIGN_OR_RETURN(const auto expiry, claims.Time("exp"));
  ASSIGN_OR_RETURN(const auto not_before, claims.Time("nbf"));
  ASSIGN_OR_RETURN(identity->issued_at, claims.Time("iat"));
  ASSIGN_OR_RETURN(identity->authenticated_at, claims.Time("auth_time"));
  if (!expiry.has_value()) return TokenError(TokenFault::kExpiryMissing, "it has no exp");
  identity->expires_at = *expiry;
  if (now >= *expiry + rules.clock_skew) {
    return TokenError(TokenFault::kExpired, "its exp has passed");
  }
  if (not_before.has_value() && now + rules.clock_skew < *not_before) {
    return TokenError(TokenFault::kNotYetValid, "its nbf is to come");
  }
  for (const auto& past : {identity->issued_at, identity->authenticated_at}) {
    if (past.has_value() && now + rules.clock_skew < *past) {
      return TokenError(TokenFault::kIssuedInFuture, "its iat or auth_time is to come");
    }
  }
  if (*expiry > now + rules.max_lifetime + rules.clock_skew) {
    return TokenError(TokenFault::kLifetimeTooLong,
                      "its exp is further away than the tenant takes");
  }
  return absl::OkStatus();
}

absl::Status CheckAudience(const Claims& claims, const TokenRules& rules) {
  ASSIGN_OR_RETURN(const std::vector<std::string> audiences,
                   claims.TextOrTexts("aud", kMaxAudiences));
  const bool ours = std::any_of(audiences.begin(), audiences.end(),
                                [&](const auto& one) { return IsOneOf(one, rules.audiences); });
  if (ours) return absl::OkStatus();
  return TokenError(TokenFault::kAudienceWrong,
                    absl::StrCat("aud is ", audiences.empty() ? "missing" : Quoted(audiences[0]),
                                 ", which is not this service"));
}

// The application that it was made for: `azp` of version 2, `appid` of version 1.
absl::Status CheckClient(const Claims& claims, const TokenRules& rules, TokenIdentity* identity) {
  ASSIGN_OR_RETURN(const std::string azp, claims.Guid("azp"));
  ASSIGN_OR_RETURN(const std::string appid, claims.Guid("appid"));
  identity->client_id = azp.empty() ? appid : azp;
  if (identity->client_id.empty()) {
    return TokenError(TokenFault::kClientMissing, "it has neither azp nor appid");
  }
  const bool differ = !azp.empty() && !appid.empty() && azp != appid;
  if (differ || !IsOneOf(identity->client_id, rules.client_ids)) {
    return TokenError(TokenFault::kClientNotAllowed,
                      absl::StrCat("it was made for the application ", Quoted(identity->client_id),
                                   differ ? " and another" : ", which is no broker of the tenant"));
  }
  return absl::OkStatus();
}

// That a user is behind it: an application by itself has roles and no scope.
absl::Status CheckScope(const Claims& claims, const TokenRules& rules, TokenIdentity* identity) {
  ASSIGN_OR_RETURN(const std::string kind, claims.Text("idtyp"));
  ASSIGN_OR_RETURN(const std::vector<std::string> roles, claims.Texts("roles", kMaxRoles));
  ASSIGN_OR_RETURN(const std::string scope, claims.Text("scp"));
  if (!kind.empty() && kind != "user") {
    return TokenError(TokenFault::kAppOnly, "its idtyp says that it is no user's");
  }
  if (scope.empty() && !roles.empty()) {
    return TokenError(TokenFault::kAppOnly, "it has roles and no scp: it is an application's");
  }
  identity->scopes = absl::StrSplit(scope, ' ', absl::SkipEmpty());
  const bool has_one =
      std::any_of(identity->scopes.begin(), identity->scopes.end(),
                  [&](const std::string& one) { return IsOneOf(one, rules.scopes); });
  if (!has_one || identity->scopes.size() > kMaxScopes) {
    return TokenError(TokenFault::kScopeMissing, "its scp has none of the tenant's scopes");
  }
  return absl::OkStatus();
}

// `S-1-AUTHORITY-…` with 1 to 15 numbers behind it, each as short as it can be written (MS-DTYP
// section 2.4.2.1).
bool IsSid(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "S-1-")) return false;
  const std::vector<absl::string_view> numbers = absl::StrSplit(text, '-');
  if (numbers.size() < 2 || numbers.size() > 16) return false;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::uint64_t value = 0;
    if (!absl::SimpleAtoi(numbers[i], &value) || absl::StrCat(value) != numbers[i]) return false;
    if (value > (i == 0 ? 0xffff'ffff'ffffU : 0xffff'ffffU)) return false;
  }
  return true;
}

absl::Status ReadUser(const Claims& claims, TokenIdentity* identity) {
  ASSIGN_OR_RETURN(identity->user_id, claims.Guid("oid"));
  ASSIGN_OR_RETURN(identity->device_id, claims.Guid("deviceid"));
  ASSIGN_OR_RETURN(identity->upn, claims.Text("upn"));
  ASSIGN_OR_RETURN(identity->onprem_sid, claims.Text("onprem_sid"));
  ASSIGN_OR_RETURN(identity->ip_address, claims.Text("ipaddr"));
  if (identity->user_id.empty()) return TokenError(TokenFault::kUserMissing, "it has no oid");
  if (identity->device_id.empty()) {
    return TokenError(TokenFault::kDeviceMissing,
                      "it has no deviceid: the device did not take part in the sign-in");
  }
  if (!identity->onprem_sid.empty() && !IsSid(identity->onprem_sid)) {
    return TokenError(TokenFault::kClaimMalformed, "onprem_sid must be S-1-… with 2 to 16 numbers");
  }
  ASSIGN_OR_RETURN(const std::string uti, claims.Text("uti"));
  ASSIGN_OR_RETURN(const std::string jti, claims.Text("jti"));
  identity->token_id = uti.empty() ? jti : uti;
  if (identity->token_id.empty()) {
    return TokenError(TokenFault::kTokenIdMissing, "it has neither uti nor jti");
  }
  return absl::OkStatus();
}

absl::Status ReadAuthentication(const Claims& claims, TokenIdentity* identity) {
  ASSIGN_OR_RETURN(identity->authentication_class, claims.Text("acr"));
  ASSIGN_OR_RETURN(identity->authentication_contexts, claims.TextOrTexts("acrs", kMaxContexts));
  ASSIGN_OR_RETURN(identity->authentication_methods, claims.Texts("amr", kMaxMethods));
  return absl::OkStatus();
}

absl::Status ReadGroups(const Claims& claims, TokenIdentity* identity) {
  ASSIGN_OR_RETURN(const JsonValue* const elsewhere, claims.Object("_claim_names"));
  ASSIGN_OR_RETURN(const bool too_many, claims.Flag("hasgroups"));
  identity->groups_elsewhere =
      too_many || (elsewhere != nullptr && elsewhere->Find("groups") != nullptr);
  if (!claims.Has("groups")) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::vector<std::string> groups, claims.Texts("groups", kMaxGroups));
  if (!identity->groups_elsewhere) identity->groups = std::move(groups);
  return absl::OkStatus();
}

// RFC 8705 section 3.1.
absl::Status CheckConfirmation(const Claims& claims, const TokenRules& rules,
                               absl::string_view certificate_sha256, TokenIdentity* identity) {
  ASSIGN_OR_RETURN(const JsonValue* const confirmation, claims.Object("cnf"));
  if (confirmation == nullptr) {
    if (!rules.sender_constrained) return absl::OkStatus();
    return TokenError(TokenFault::kConfirmationMissing,
                      "it has no cnf, and the tenant takes only tokens bound to a certificate");
  }
  const JsonValue* const thumbprint = confirmation->Find("x5t#S256");
  // A binding that nobody here looks at must not become none.
  if (thumbprint == nullptr || confirmation->members.size() != 1) {
    return TokenError(TokenFault::kConfirmationUnsupported,
                      "its cnf must have x5t#S256, and nothing else");
  }
  const std::optional<std::string> sha256 = thumbprint->kind == JsonValue::Kind::kString
                                                ? DecodeBase64Url(thumbprint->text)
                                                : std::nullopt;
  if (!sha256.has_value() || sha256->size() != kSha256Size) {
    return TokenError(TokenFault::kClaimMalformed, "cnf must have 32 octets in base64url");
  }
  if (*sha256 != certificate_sha256) {
    return TokenError(TokenFault::kConfirmationMismatch,
                      "it is bound to another certificate than the caller's");
  }
  identity->sender_constrained = true;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TokenIdentity> CheckAccessToken(absl::string_view token, const KeySet& keys,
                                               const TokenRules& rules,
                                               absl::string_view certificate_sha256,
                                               Timestamp now) {
  ASSIGN_OR_RETURN(const CompactJws jws, ParseCompactJws(token, rules.algorithms));
  RETURN_IF_ERROR(CheckType(jws.type));
  ASSIGN_OR_RETURN(const IssuerKey* const key, VerifyCompactJws(jws, keys));
  ASSIGN_OR_RETURN(const Claims claims, Claims::Parse(jws.payload));
  TokenIdentity identity;
  RETURN_IF_ERROR(CheckIssuer(claims, rules, &identity));
  RETURN_IF_ERROR(CheckKeyIssuer(key->issuer, rules, identity));
  RETURN_IF_ERROR(CheckTimes(claims, rules, now, &identity));
  RETURN_IF_ERROR(CheckAudience(claims, rules));
  RETURN_IF_ERROR(CheckClient(claims, rules, &identity));
  RETURN_IF_ERROR(CheckScope(claims, rules, &identity));
  RETURN_IF_ERROR(ReadUser(claims, &identity));
  RETURN_IF_ERROR(ReadAuthentication(claims, &identity));
  RETURN_IF_ERROR(ReadGroups(claims, &identity));
  RETURN_IF_ERROR(CheckConfirmation(claims, rules, certificate_sha256, &identity));
  return identity;
}

}  // namespace hourglass::issuance
