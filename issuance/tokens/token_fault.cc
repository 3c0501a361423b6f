#include "issuance/tokens/token_fault.h"

#include <cstddef>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "ca/text/visible_text.h"
#include "hsm/base/error.h"

namespace hourglass::issuance {
namespace {

constexpr char kPayload[] = "hourglass/token-fault";
constexpr std::size_t kMaxQuoted = 64;

struct Name {
  TokenFault fault;
  absl::string_view text;
};

constexpr Name kNames[] = {
    {TokenFault::kNone, "NONE"},
    {TokenFault::kMissing, "MISSING"},
    {TokenFault::kTooLong, "TOO_LONG"},
    {TokenFault::kNotCompact, "NOT_COMPACT"},
    {TokenFault::kEncodingInvalid, "ENCODING_INVALID"},
    {TokenFault::kHeaderMalformed, "HEADER_MALFORMED"},
    {TokenFault::kDuplicateMember, "DUPLICATE_MEMBER"},
    {TokenFault::kCriticalHeader, "CRITICAL_HEADER"},
    {TokenFault::kUnencodedPayload, "UNENCODED_PAYLOAD"},
    {TokenFault::kEmbeddedKey, "EMBEDDED_KEY"},
    {TokenFault::kKeyByReference, "KEY_BY_REFERENCE"},
    {TokenFault::kTypeRefused, "TYPE_REFUSED"},
    {TokenFault::kAlgorithmMissing, "ALGORITHM_MISSING"},
    {TokenFault::kAlgorithmNone, "ALGORITHM_NONE"},
    {TokenFault::kAlgorithmSymmetric, "ALGORITHM_SYMMETRIC"},
    {TokenFault::kAlgorithmNotAllowed, "ALGORITHM_NOT_ALLOWED"},
    {TokenFault::kKeysUnavailable, "KEYS_UNAVAILABLE"},
    {TokenFault::kKeyIdMissing, "KEY_ID_MISSING"},
    {TokenFault::kKeyUnknown, "KEY_UNKNOWN"},
    {TokenFault::kKeyTypeMismatch, "KEY_TYPE_MISMATCH"},
    {TokenFault::kKeyAlgorithmMismatch, "KEY_ALGORITHM_MISMATCH"},
    {TokenFault::kSignatureInvalid, "SIGNATURE_INVALID"},
    {TokenFault::kKeyOfAnotherIssuer, "KEY_OF_ANOTHER_ISSUER"},
    {TokenFault::kClaimsMalformed, "CLAIMS_MALFORMED"},
    {TokenFault::kClaimMalformed, "CLAIM_MALFORMED"},
    {TokenFault::kIssuerNotAllowed, "ISSUER_NOT_ALLOWED"},
    {TokenFault::kDirectoryMismatch, "DIRECTORY_MISMATCH"},
    {TokenFault::kVersionMismatch, "VERSION_MISMATCH"},
    {TokenFault::kAudienceWrong, "AUDIENCE_WRONG"},
    {TokenFault::kExpiryMissing, "EXPIRY_MISSING"},
    {TokenFault::kExpired, "EXPIRED"},
    {TokenFault::kNotYetValid, "NOT_YET_VALID"},
    {TokenFault::kIssuedInFuture, "ISSUED_IN_FUTURE"},
    {TokenFault::kLifetimeTooLong, "LIFETIME_TOO_LONG"},
    {TokenFault::kClientMissing, "CLIENT_MISSING"},
    {TokenFault::kClientNotAllowed, "CLIENT_NOT_ALLOWED"},
    {TokenFault::kAppOnly, "APP_ONLY"},
    {TokenFault::kScopeMissing, "SCOPE_MISSING"},
    {TokenFault::kUserMissing, "USER_MISSING"},
    {TokenFault::kDeviceMissing, "DEVICE_MISSING"},
    {TokenFault::kTokenIdMissing, "TOKEN_ID_MISSING"},
    {TokenFault::kUpnMissing, "UPN_MISSING"},
    {TokenFault::kConfirmationMissing, "CONFIRMATION_MISSING"},
    {TokenFault::kConfirmationUnsupported, "CONFIRMATION_UNSUPPORTED"},
    {TokenFault::kConfirmationMismatch, "CONFIRMATION_MISMATCH"},
    {TokenFault::kAnotherUser, "ANOTHER_USER"},
    {TokenFault::kAnotherDevice, "ANOTHER_DEVICE"},
    {TokenFault::kReplayed, "REPLAYED"},
    {TokenFault::kUsedByAnotherCaller, "USED_BY_ANOTHER_CALLER"},
    {TokenFault::kTooManyTokens, "TOO_MANY_TOKENS"},
};

}  // namespace

absl::string_view TokenFaultName(TokenFault fault) {
  for (const Name& name : kNames) {
    if (name.fault == fault) return name.text;
  }
  return "NONE";
}

bool MayPass(TokenFault fault) {
  return fault == TokenFault::kKeysUnavailable || fault == TokenFault::kKeyUnknown ||
         fault == TokenFault::kTooManyTokens;
}

absl::Status TokenError(TokenFault fault, absl::string_view message) {
  absl::Status status =
      Error(MayPass(fault) ? ErrorReason::kTokenNotJudged : ErrorReason::kTokenRefused,
            "access_token", absl::StrCat(TokenFaultName(fault), ": ", message));
  status.SetPayload(kPayload, absl::Cord(TokenFaultName(fault)));
  return status;
}

TokenFault TokenFaultOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayload);
  if (!payload.has_value()) return TokenFault::kNone;
  for (const Name& name : kNames) {
    if (*payload == name.text) return name.fault;
  }
  return TokenFault::kNone;
}

std::string Quoted(absl::string_view text) {
  const absl::string_view shown = text.substr(0, kMaxQuoted);
  return absl::StrCat("'", ca::VisibleText(shown), shown.size() < text.size() ? "…'" : "'");
}

}  // namespace hourglass::issuance
