// Why an access token is refused.
#ifndef HOURGLASS_ISSUANCE_TOKENS_TOKEN_FAULT_H_
#define HOURGLASS_ISSUANCE_TOKENS_TOKEN_FAULT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// Each is described in docs/tokens.md, under its name.
enum class TokenFault {
  kNone,  // no refusal of a token

  // What it is made of (RFC 7515).
  kMissing,
  kTooLong,
  kNotCompact,          // not three parts that are not empty
  kEncodingInvalid,     // a part is no base64url
  kHeaderMalformed,     // no JSON object, or a member of another type than it has
  kDuplicateMember,     // of the header or the claims
  kCriticalHeader,      // crit
  kUnencodedPayload,    // b64
  kEmbeddedKey,         // jwk, x5c
  kKeyByReference,      // jku, x5u
  kTypeRefused,         // typ
  kAlgorithmMissing,    // no alg
  kAlgorithmNone,       // alg none, in whatever letters
  kAlgorithmSymmetric,  // alg HS256 and its like
  kAlgorithmNotAllowed,

  // Who signed it.
  kKeysUnavailable,  // no key set was read yet; may pass
  kKeyIdMissing,
  kKeyUnknown,  // may pass: the issuer may have a new key
  kKeyTypeMismatch,
  kKeyAlgorithmMismatch,
  kSignatureInvalid,
  kKeyOfAnotherIssuer,

  // What it says (RFC 7519, the claims of Entra ID).
  kClaimsMalformed,  // no JSON object
  kClaimMalformed,   // one claim has another type or form than it must
  kIssuerNotAllowed,
  kDirectoryMismatch,  // tid
  kVersionMismatch,    // ver
  kAudienceWrong,
  kExpiryMissing,
  kExpired,
  kNotYetValid,
  kIssuedInFuture,
  kLifetimeTooLong,
  kClientMissing,  // neither azp nor appid
  kClientNotAllowed,
  kAppOnly,  // of an application, and no user
  kScopeMissing,
  kUserMissing,     // oid
  kDeviceMissing,   // deviceid
  kTokenIdMissing,  // neither uti nor jti
  kUpnMissing,      // no upn, and the tenant's directory of users does not have one either

  // Who may use it, and how often.
  kConfirmationMissing,      // cnf, where the tenant demands it
  kConfirmationUnsupported,  // cnf binds it to what is not looked at here
  kConfirmationMismatch,     // it is bound to another certificate
  kAnotherUser,              // the request is for another user than the token's
  kAnotherDevice,            // or for another device
  kReplayed,                 // used for another request before
  kUsedByAnotherCaller,
  kTooManyTokens,  // no room to remember it; may pass
};

// The fault's name: `SIGNATURE_INVALID`; `NONE` of kNone. Lives as long as the process.
absl::string_view TokenFaultName(TokenFault fault);

// Whether the same token may be accepted later, though nobody changes the configuration.
bool MayPass(TokenFault fault);

// TOKEN_NOT_JUDGED where it may pass, else TOKEN_REFUSED, with field `access_token`; the message is
// `NAME: MESSAGE`. `message`
// must hold nothing of a token but what Quoted returns. `fault` must not be kNone.
absl::Status TokenError(TokenFault fault, absl::string_view message);

// The fault that TokenError put into `status`; kNone for other statuses and for OK.
TokenFault TokenFaultOf(const absl::Status& status);

// What others wrote, for a message or the log: in single quotes, what is not seen escaped, and cut
// after 64 octets. Never to be given a token, or a part of one.
std::string Quoted(absl::string_view text);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_TOKEN_FAULT_H_
