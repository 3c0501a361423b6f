// Whether an access token says who asks for a certificate, and what it says: a decision alone,
// without I/O and without a clock.
#ifndef HOURGLASS_ISSUANCE_TOKENS_ACCESS_TOKEN_H_
#define HOURGLASS_ISSUANCE_TOKENS_ACCESS_TOKEN_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/base/clock.h"
#include "issuance/tokens/key_set.h"
#include "issuance/tokens/token_algorithm.h"

namespace hourglass::issuance {

inline constexpr std::chrono::seconds kMaxTokenSkew = std::chrono::minutes(5);

// What the tokens of a tenant must be. Comparisons are exact.
struct TokenRules {
  std::string directory_id;             // `tid`: a GUID in small letters
  std::vector<std::string> issuers;     // `iss`; each has the directory as a segment of its path
  std::vector<std::string> audiences;   // `aud`: this service's own ids
  std::vector<std::string> client_ids;  // `azp`, `appid`: the brokers' ids, GUIDs in small letters
  std::vector<std::string> scopes;      // `scp` has one of them at least
  std::vector<TokenAlgorithm> algorithms = {TokenAlgorithm::kRs256};
  // How far the issuer's clock may be from ours: 0 to kMaxTokenSkew.
  std::chrono::seconds clock_skew = std::chrono::minutes(2);
  // A token that is good for longer than this from now is refused: 5 min to 7 days.
  std::chrono::seconds max_lifetime = std::chrono::hours(24);
  // Whether a token must be bound to the certificate of the caller. Where it is bound to one
  // without having to, it must be the caller's all the same.
  bool sender_constrained = false;
};

// What a token that was accepted says. GUIDs are in small letters. Texts are UTF-8 without control
// characters, of at most 256 octets where nothing else is said. Optional claims that are absent are
// empty.
struct TokenIdentity {
  std::string issuer;
  std::string directory_id;  // tid
  std::string user_id;       // oid, a GUID: with the directory, who it is
  std::string upn;           // upn; a name for people, and nothing to decide by
  std::string device_id;     // deviceid, a GUID
  std::string onprem_sid;    // onprem_sid: `S-1-…`, well-formed
  std::string client_id;     // azp or appid: the broker that it was made for
  std::vector<std::string> scopes;
  std::string authentication_class;                          // acr
  std::vector<std::string> authentication_contexts;          // acrs, at most 64
  std::vector<std::string> authentication_methods;           // amr, at most 32
  std::optional<std::chrono::sys_seconds> authenticated_at;  // auth_time
  std::optional<std::chrono::sys_seconds> issued_at;         // iat
  std::chrono::sys_seconds expires_at;                       // exp, without the skew
  // groups: object ids, at most 4000. Absent where the token does not have them, or where
  // `groups_elsewhere`: there are too many for a token (`_claim_names`, `hasgroups`), so that they
  // are not known.
  std::optional<std::vector<std::string>> groups;
  bool groups_elsewhere = false;
  std::string ip_address;           // ipaddr, as it is written
  std::string token_id;             // uti or jti: unique among the issuer's
  bool sender_constrained = false;  // cnf was there, and is the caller's certificate
};

// What `token`, JWS in compact form, says, where it is signed by one of `keys` and keeps to
// `rules`. `certificate_sha256`: the hash of the certificate that the caller showed in this
// connection, 32 octets; empty where he showed none, which no bound token accepts. Errors: every
// TokenError but kKeysUnavailable and those of TokenUses and CheckRequestedFor; no message has
// anything of the token but what Quoted returns of the ids of keys, issuers, directories, audiences
// and applications. Nothing is read of what it claims before its signature has verified. Safe to
// call from several threads.
absl::StatusOr<TokenIdentity> CheckAccessToken(absl::string_view token, const KeySet& keys,
                                               const TokenRules& rules,
                                               absl::string_view certificate_sha256, Timestamp now);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_ACCESS_TOKEN_H_
