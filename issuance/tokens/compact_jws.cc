#include "issuance/tokens/compact_jws.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hsm/base/status_macros.h"
#include "issuance/tokens/base64url.h"
#include "issuance/tokens/json.h"
#include "issuance/tokens/token_fault.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kMaxKeyId = 256;
constexpr std::size_t kMaxType = 64;

// Members that are refused wherever they stand, whatever they say (RFC 7515 sections 4.1.2 to 4.1.6
// and 4.1.11, RFC 7797 section 3): which key counts is not the token's to say.
constexpr struct {
  absl::string_view name;
  TokenFault fault;
} kRefusedMembers[] = {
    {"crit", TokenFault::kCriticalHeader}, {"b64", TokenFault::kUnencodedPayload},
    {"jwk", TokenFault::kEmbeddedKey},     {"x5c", TokenFault::kEmbeddedKey},
    {"jku", TokenFault::kKeyByReference},  {"x5u", TokenFault::kKeyByReference},
};

absl::StatusOr<std::string> Decoded(absl::string_view part, absl::string_view what) {
  std::optional<std::string> octets = DecodeBase64Url(part);
  if (octets.has_value()) return *std::move(octets);
  return TokenError(TokenFault::kEncodingInvalid,
                    absl::StrCat("the ", what, " is not base64url in its one form"));
}

// A member of the header that is text of 1 to `max` octets, or "" where it is not there.
absl::StatusOr<std::string> Text(const JsonValue& header, absl::string_view name, std::size_t max) {
  const JsonValue* const value = header.Find(name);
  if (value == nullptr) return "";
  if (value->kind == JsonValue::Kind::kString && !value->text.empty() &&
      value->text.size() <= max) {
    return value->text;
  }
  return TokenError(TokenFault::kHeaderMalformed,
                    absl::StrCat(name, " must be text of 1 to ", max, " octets"));
}

absl::StatusOr<JsonValue> ReadHeader(absl::string_view octets) {
  std::variant<JsonValue, JsonFault> read = ParseJson(octets);
  if (const JsonFault* const fault = std::get_if<JsonFault>(&read)) {
    if (*fault == JsonFault::kDuplicateName) {
      return TokenError(TokenFault::kDuplicateMember, "the header has a member twice");
    }
    return TokenError(TokenFault::kHeaderMalformed, "the header is no JSON");
  }
  JsonValue& header = std::get<JsonValue>(read);
  if (header.kind != JsonValue::Kind::kObject) {
    return TokenError(TokenFault::kHeaderMalformed, "the header is no JSON object");
  }
  for (const auto& refused : kRefusedMembers) {
    if (header.Find(refused.name) != nullptr) {
      return TokenError(refused.fault, absl::StrCat("the header has ", refused.name));
    }
  }
  return std::move(header);
}

absl::StatusOr<TokenAlgorithm> ReadAlgorithm(const JsonValue& header,
                                             absl::Span<const TokenAlgorithm> algorithms) {
  ASSIGN_OR_RETURN(const std::string name, Text(header, "alg", kMaxType));
  if (name.empty()) return TokenError(TokenFault::kAlgorithmMissing, "the header has no alg");
  if (absl::EqualsIgnoreCase(name, "none")) {
    return TokenError(TokenFault::kAlgorithmNone, "nobody has signed it");
  }
  if (absl::StartsWithIgnoreCase(name, "HS")) {
    return TokenError(TokenFault::kAlgorithmSymmetric,
                      absl::StrCat("alg is ", Quoted(name), ", which takes a shared secret"));
  }
  const std::optional<TokenAlgorithm> algorithm = ParseTokenAlgorithm(name);
  if (!algorithm.has_value() ||
      std::find(algorithms.begin(), algorithms.end(), *algorithm) == algorithms.end()) {
    return TokenError(TokenFault::kAlgorithmNotAllowed,
                      absl::StrCat("alg is ", Quoted(name), ", which is none of the tenant's"));
  }
  return *algorithm;
}

}  // namespace

absl::StatusOr<CompactJws> ParseCompactJws(absl::string_view token,
                                           absl::Span<const TokenAlgorithm> algorithms) {
  if (token.empty()) return TokenError(TokenFault::kMissing, "there is no token");
  if (token.size() > kMaxTokenSize) {
    return TokenError(TokenFault::kTooLong,
                      absl::StrCat("it has more than ", kMaxTokenSize, " octets"));
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  if (parts.size() != 3 || std::any_of(parts.begin(), parts.end(),
                                       [](absl::string_view part) { return part.empty(); })) {
    return TokenError(TokenFault::kNotCompact, "it must have three parts, and none empty");
  }
  CompactJws jws;
  ASSIGN_OR_RETURN(const std::string head, Decoded(parts[0], "header"));
  ASSIGN_OR_RETURN(jws.payload, Decoded(parts[1], "payload"));
  ASSIGN_OR_RETURN(jws.signature, Decoded(parts[2], "signature"));
  ASSIGN_OR_RETURN(const JsonValue header, ReadHeader(head));
  ASSIGN_OR_RETURN(jws.algorithm, ReadAlgorithm(header, algorithms));
  ASSIGN_OR_RETURN(jws.type, Text(header, "typ", kMaxType));
  ASSIGN_OR_RETURN(jws.key_id, Text(header, "kid", kMaxKeyId));
  if (jws.key_id.empty()) {
    return TokenError(TokenFault::kKeyIdMissing, "the header has no kid");
  }
  jws.signing_input = token.substr(0, parts[0].size() + 1 + parts[1].size());
  return jws;
}

absl::StatusOr<const IssuerKey*> VerifyCompactJws(const CompactJws& jws, const KeySet& keys) {
  const IssuerKey* const key = keys.Find(jws.key_id);
  if (key == nullptr) {
    return TokenError(TokenFault::kKeyUnknown,
                      absl::StrCat("the issuer has no key ", Quoted(jws.key_id)));
  }
  if (!key->key->Fits(jws.algorithm)) {
    return TokenError(TokenFault::kKeyTypeMismatch,
                      absl::StrCat("the key ", Quoted(jws.key_id), " is of another type than ",
                                   TokenAlgorithmName(jws.algorithm), " takes"));
  }
  if (key->algorithm.has_value() && *key->algorithm != jws.algorithm) {
    return TokenError(TokenFault::kKeyAlgorithmMismatch,
                      absl::StrCat("the key ", Quoted(jws.key_id), " is for ",
                                   TokenAlgorithmName(*key->algorithm), ", and the token has ",
                                   TokenAlgorithmName(jws.algorithm)));
  }
  if (!key->key->Verifies(jws.algorithm, jws.signing_input, jws.signature)) {
    return TokenError(TokenFault::kSignatureInvalid,
                      absl::StrCat("the key ", Quoted(jws.key_id), " has not signed it"));
  }
  return key;
}

}  // namespace hourglass::issuance
