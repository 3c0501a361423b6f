#include "issuance/tokens/key_set.h"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/tokens/base64url.h"
#include "issuance/tokens/json.h"
#include "issuance/tokens/token_fault.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kMaxKeyId = 256;
constexpr std::size_t kMaxIssuer = 512;
constexpr JsonLimits kLimits = {.depth = 6, .members = 64, .values = 20'000};

absl::Status Refused(absl::string_view why) { return Error(ErrorReason::kFieldInvalid, "", why); }

// The text of a member, or "" where it is not there. Refused where it is something else.
absl::StatusOr<std::string> Text(const JsonValue& jwk, absl::string_view name) {
  const JsonValue* const value = jwk.Find(name);
  if (value == nullptr) return "";
  if (value->kind != JsonValue::Kind::kString || value->text.empty()) {
    return Refused(absl::StrCat(name, " must be text that is not empty"));
  }
  return value->text;
}

absl::StatusOr<std::string> Octets(const JsonValue& jwk, absl::string_view name) {
  ASSIGN_OR_RETURN(const std::string text, Text(jwk, name));
  const std::optional<std::string> octets = DecodeBase64Url(text);
  if (text.empty() || !octets.has_value()) {
    return Refused(absl::StrCat(name, " must be base64url without padding"));
  }
  return *octets;
}

// Whether it may verify signatures (RFC 7517 sections 4.2 and 4.3).
absl::Status CheckUse(const JsonValue& jwk) {
  ASSIGN_OR_RETURN(const std::string use, Text(jwk, "use"));
  if (!use.empty() && use != "sig") return Refused(absl::StrCat("use is ", Quoted(use)));
  const JsonValue* const operations = jwk.Find("key_ops");
  if (operations == nullptr) return absl::OkStatus();
  const bool verifies =
      std::any_of(operations->items.begin(), operations->items.end(), [](const JsonValue& item) {
        return item.kind == JsonValue::Kind::kString && item.text == "verify";
      });
  return verifies ? absl::OkStatus() : Refused("key_ops does not have 'verify'");
}

absl::StatusOr<std::unique_ptr<VerificationKey>> ReadKey(const JsonValue& jwk) {
  ASSIGN_OR_RETURN(const std::string type, Text(jwk, "kty"));
  if (type != "RSA" && type != "EC") {
    return Refused(absl::StrCat("kty is ", type.empty() ? "missing" : Quoted(type),
                                ", and must be 'RSA' or 'EC'"));
  }
  if (jwk.Find("d") != nullptr) return Refused("it is a private key, which is not secret any more");
  if (type == "RSA") {
    ASSIGN_OR_RETURN(const std::string modulus, Octets(jwk, "n"));
    ASSIGN_OR_RETURN(const std::string exponent, Octets(jwk, "e"));
    return VerificationKey::Rsa(modulus, exponent);
  }
  ASSIGN_OR_RETURN(const std::string curve, Text(jwk, "crv"));
  if (curve != "P-256") {
    return Refused(absl::StrCat("crv is ", curve.empty() ? "missing" : Quoted(curve),
                                ", and must be 'P-256'"));
  }
  ASSIGN_OR_RETURN(const std::string x, Octets(jwk, "x"));
  ASSIGN_OR_RETURN(const std::string y, Octets(jwk, "y"));
  return VerificationKey::EcP256(x, y);
}

absl::StatusOr<IssuerKey> ReadIssuerKey(const JsonValue& jwk) {
  IssuerKey key;
  RETURN_IF_ERROR(CheckUse(jwk));
  ASSIGN_OR_RETURN(key.key, ReadKey(jwk));
  ASSIGN_OR_RETURN(const std::string algorithm, Text(jwk, "alg"));
  if (!algorithm.empty()) {
    key.algorithm = ParseTokenAlgorithm(algorithm);
    if (!key.algorithm.has_value() || !key.key->Fits(*key.algorithm)) {
      return Refused(absl::StrCat("alg is ", Quoted(algorithm), ", by which it verifies nothing"));
    }
  }
  ASSIGN_OR_RETURN(key.issuer, Text(jwk, "issuer"));
  if (key.issuer.size() > kMaxIssuer) return Refused("issuer is too long");
  return key;
}

absl::StatusOr<JsonValue> ReadSet(absl::string_view text) {
  if (text.size() > kMaxKeySetSize) {
    return Refused(absl::StrCat("the key set has more than ", kMaxKeySetSize, " octets"));
  }
  std::variant<JsonValue, JsonFault> read = ParseJson(text, kLimits);
  if (const JsonFault* const fault = std::get_if<JsonFault>(&read)) {
    return Refused(*fault == JsonFault::kDuplicateName ? "the key set has a member twice"
                   : *fault == JsonFault::kTooMuch     ? "the key set has too many values"
                                                       : "the key set is no JSON");
  }
  JsonValue& document = std::get<JsonValue>(read);
  const JsonValue* const keys = document.Find("keys");
  if (keys == nullptr || keys->kind != JsonValue::Kind::kArray) {
    return Refused("the key set has no array 'keys'");
  }
  if (keys->items.size() > kMaxKeys) {
    return Refused(absl::StrCat("the key set has more than ", kMaxKeys, " keys"));
  }
  return std::move(document);
}

// The `kid` that it can be found by, or "".
std::string KeyIdOf(const JsonValue& jwk) {
  const JsonValue* const id = jwk.Find("kid");
  const bool usable =
      id != nullptr && id->kind == JsonValue::Kind::kString && id->text.size() <= kMaxKeyId;
  return usable ? id->text : "";
}

}  // namespace

absl::StatusOr<std::shared_ptr<const KeySet>> KeySet::Parse(absl::string_view text) {
  ASSIGN_OR_RETURN(const JsonValue document, ReadSet(text));
  const std::vector<JsonValue>& keys = document.Find("keys")->items;
  std::map<std::string, int> counts;
  for (const JsonValue& jwk : keys) ++counts[KeyIdOf(jwk)];
  std::shared_ptr<KeySet> set(new KeySet);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string id = KeyIdOf(keys[i]);
    const std::string name = id.empty() ? absl::StrCat("keys[", i, "]") : Quoted(id);
    if (id.empty()) {
      set->skipped_.push_back({name, "it has no kid of 1 to 256 octets"});
    } else if (counts[id] > 1) {
      // Which of them a token means, nobody could say.
      set->skipped_.push_back({name, "several keys have this kid"});
    } else if (absl::StatusOr<IssuerKey> key = ReadIssuerKey(keys[i]); key.ok()) {
      set->keys_.emplace(id, *std::move(key));
    } else {
      set->skipped_.push_back({name, std::string(key.status().message())});
    }
  }
  if (set->keys_.empty()) {
    return Refused(absl::StrCat(
        "the key set holds no key that can be used", set->skipped_.empty() ? "" : "; ",
        set->skipped_.empty() ? "" : set->skipped_[0].name, set->skipped_.empty() ? "" : ": ",
        set->skipped_.empty() ? "" : set->skipped_[0].why));
  }
  return std::shared_ptr<const KeySet>(std::move(set));
}

const IssuerKey* KeySet::Find(absl::string_view key_id) const {
  const auto found = keys_.find(key_id);
  return found == keys_.end() ? nullptr : &found->second;
}

}  // namespace hourglass::issuance
