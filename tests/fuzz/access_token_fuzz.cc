// Whatever claims an issuer signs, they are refused with a reason, or another reader finds in them
// all that makes a token good. What our reader of JSON reads, another reads in the same way.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "issuance/tokens/access_token.h"
#include "issuance/tokens/compact_jws.h"
#include "issuance/tokens/json.h"
#include "issuance/tokens/testing/token_issuer.h"
#include "issuance/tokens/token_fault.h"

namespace hourglass::issuance {
namespace {

using nlohmann::json;

constexpr Timestamp kNow = std::chrono::sys_days(std::chrono::year{2026} / 11 / 30);

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckSame(const JsonValue& ours, const json& theirs) {
  switch (ours.kind) {
    case JsonValue::Kind::kNull:
      return Require(theirs.is_null());
    case JsonValue::Kind::kBool:
      return Require(theirs.is_boolean() && theirs == ours.boolean);
    case JsonValue::Kind::kInteger:
      return Require(theirs.is_number_integer() && theirs.get<std::int64_t>() == ours.integer);
    case JsonValue::Kind::kNumber:
      return Require(theirs.is_number());
    case JsonValue::Kind::kString:
      return Require(theirs.is_string() && theirs == ours.text);
    case JsonValue::Kind::kArray:
      Require(theirs.is_array() && theirs.size() == ours.items.size());
      for (std::size_t i = 0; i < ours.items.size(); ++i) CheckSame(ours.items[i], theirs[i]);
      return;
    case JsonValue::Kind::kObject:
      // As many as in an object that keeps one of each name: none stands twice.
      Require(theirs.is_object() && theirs.size() == ours.members.size());
      for (const JsonMember& member : ours.members) {
        Require(theirs.contains(member.name));
        CheckSame(member.value, theirs[member.name]);
      }
      return;
  }
}

// What the other reader reads of it.
json CheckJson(absl::string_view text) {
  const std::variant<JsonValue, JsonFault> ours = ParseJson(text);
  // Numbers that are too large for the other one are none to it.
  json theirs = json::parse(text.begin(), text.end(), nullptr, false);
  if (const auto* value = std::get_if<JsonValue>(&ours); value != nullptr) {
    if (!theirs.is_discarded()) CheckSame(*value, theirs);
  } else if (std::get<JsonFault>(ours) == JsonFault::kNotUtf8) {
    // The other one takes a NUL for the end of the text, and reads no further.
    Require(theirs.is_discarded() || text.find('\0') != absl::string_view::npos);
  }
  return theirs;
}

void CheckAccepted(const json& claims, const TokenIdentity& identity) {
  const TokenRules rules = TokenIssuer::Rules();
  const std::int64_t now =
      std::chrono::floor<std::chrono::seconds>(kNow).time_since_epoch().count();
  const auto has = [](const auto& values, const std::string& value) {
    return std::find(values.begin(), values.end(), value) != values.end();
  };
  const auto lower = [&claims](const char* name) {
    return absl::AsciiStrToLower(claims.value(name, ""));
  };
  Require(claims["exp"].is_number_integer() && claims["exp"].get<std::int64_t>() > now - 120);
  Require(claims["exp"].get<std::int64_t>() <= now + 86400 + 120);
  Require(!claims.contains("nbf") || claims["nbf"].get<std::int64_t>() <= now + 120);
  Require(has(rules.issuers, claims["iss"].get<std::string>()));
  Require(lower("tid") == kTestDirectory && identity.directory_id == kTestDirectory);
  Require(claims["aud"] == kTestAudience ||
          (claims["aud"].is_array() && has(claims["aud"], kTestAudience)));
  Require(lower("azp") == kTestBroker || lower("appid") == kTestBroker);
  const std::vector<std::string> scopes = absl::StrSplit(claims["scp"].get<std::string>(), ' ');
  Require(has(scopes, kTestScope));
  Require(claims.value("idtyp", "user") == "user");
  Require(!identity.user_id.empty() && lower("oid") == identity.user_id);
  Require(!identity.device_id.empty() && lower("deviceid") == identity.device_id);
  Require(identity.token_id == claims.value("uti", claims.value("jti", "")));
  Require(claims.value("upn", "") == identity.upn);
  Require(claims.contains("cnf") == identity.sender_constrained);
}

void CheckClaims(absl::string_view payload) {
  static const TestKey* const key = new TestKey("ec-1", TokenAlgorithm::kEs256);
  static const auto* const keys =
      new std::shared_ptr<const KeySet>(*KeySet::Parse(json{{"keys", {key->Jwk()}}}.dump()));
  static const std::string* const header = new std::string(TokenIssuer::Header(*key).dump());
  const json claims = CheckJson(payload);
  const absl::StatusOr<TokenIdentity> identity =
      CheckAccessToken(SignedToken(*key, *header, payload), **keys, TokenIssuer::Rules(),
                       std::string(32, '\x5a'), kNow);
  if (!identity.ok()) {
    Require(TokenFaultOf(identity.status()) != TokenFault::kNone);
    Require(identity.status().message().size() < 400);
    return;
  }
  if (claims.is_object()) CheckAccepted(claims, *identity);
}

}  // namespace
}  // namespace hourglass::issuance

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size <= hourglass::issuance::kMaxTokenSize) {
    hourglass::issuance::CheckClaims({reinterpret_cast<const char*>(data), size});
  }
  return 0;
}
