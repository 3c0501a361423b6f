#include "issuance/tokens/claims.h"

#include <cstdint>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/status_macros.h"
#include "issuance/tokens/guid.h"
#include "issuance/tokens/token_fault.h"

namespace hourglass::issuance {
namespace {

constexpr std::int64_t kLastSecond = 253'402'300'799;  // 9999-12-31 23:59:59 UTC

absl::Status Malformed(absl::string_view name, absl::string_view must) {
  return TokenError(TokenFault::kClaimMalformed, absl::StrCat(name, " must be ", must));
}

// What nearly all of them are; to decode UTF-8 takes longer than all the rest.
bool IsPrintableAscii(absl::string_view text) {
  bool all = true;
  for (const char c : text) all = all && c >= ' ' && c <= '~';
  return all;
}

bool IsText(const JsonValue& value) {
  if (value.kind != JsonValue::Kind::kString || value.text.empty()) return false;
  if (value.text.size() > kMaxClaimText) return false;
  if (IsPrintableAscii(value.text)) return true;
  const std::optional<ca::Utf8Text> text = ca::DecodeUtf8(value.text);
  return text.has_value() && !text->has_controls;
}

}  // namespace

absl::StatusOr<Claims> Claims::Parse(absl::string_view payload) {
  std::variant<JsonValue, JsonFault> read = ParseJson(payload);
  if (const JsonFault* const fault = std::get_if<JsonFault>(&read)) {
    if (*fault == JsonFault::kDuplicateName) {
      return TokenError(TokenFault::kDuplicateMember, "the claims have a member twice");
    }
    return TokenError(TokenFault::kClaimsMalformed, "the claims are no JSON");
  }
  JsonValue& object = std::get<JsonValue>(read);
  if (object.kind != JsonValue::Kind::kObject) {
    return TokenError(TokenFault::kClaimsMalformed, "the claims are no JSON object");
  }
  return Claims(std::move(object));
}

absl::StatusOr<std::string> Claims::Text(absl::string_view name) const {
  const JsonValue* const value = Find(name);
  if (value == nullptr) return "";
  if (IsText(*value)) return value->text;
  return Malformed(
      name, absl::StrCat("text of 1 to ", kMaxClaimText, " octets without control characters"));
}

absl::StatusOr<std::string> Claims::Guid(absl::string_view name) const {
  ASSIGN_OR_RETURN(const std::string text, Text(name));
  std::string guid = CanonicalGuid(text);
  if (guid.empty() && !text.empty()) return Malformed(name, "a GUID");
  return guid;
}

absl::StatusOr<std::vector<std::string>> Claims::Texts(absl::string_view name,
                                                       std::size_t max) const {
  const JsonValue* const value = Find(name);
  std::vector<std::string> texts;
  if (value == nullptr) return texts;
  const auto malformed = [name, max] {
    return Malformed(name, absl::StrCat("an array of at most ", max, " texts of 1 to ",
                                        kMaxClaimText, " octets without control characters"));
  };
  if (value->kind != JsonValue::Kind::kArray || value->items.size() > max) return malformed();
  texts.reserve(value->items.size());
  for (const JsonValue& item : value->items) {
    if (!IsText(item)) return malformed();
    texts.push_back(item.text);
  }
  return texts;
}

absl::StatusOr<std::vector<std::string>> Claims::TextOrTexts(absl::string_view name,
                                                             std::size_t max) const {
  const JsonValue* const value = Find(name);
  if (value == nullptr || value->kind == JsonValue::Kind::kArray) return Texts(name, max);
  ASSIGN_OR_RETURN(std::string text, Text(name));
  return std::vector<std::string>{std::move(text)};
}

absl::StatusOr<std::optional<std::chrono::sys_seconds>> Claims::Time(absl::string_view name) const {
  const JsonValue* const value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (value->kind != JsonValue::Kind::kInteger || value->integer < 0 ||
      value->integer > kLastSecond) {
    return Malformed(name, "a whole number of seconds since 1970, until the year 9999");
  }
  return std::optional(std::chrono::sys_seconds(std::chrono::seconds(value->integer)));
}

absl::StatusOr<bool> Claims::Flag(absl::string_view name) const {
  const JsonValue* const value = Find(name);
  if (value == nullptr) return false;
  if (value->kind != JsonValue::Kind::kBool) return Malformed(name, "true or false");
  return value->boolean;
}

absl::StatusOr<const JsonValue*> Claims::Object(absl::string_view name) const {
  const JsonValue* const value = Find(name);
  if (value != nullptr && value->kind != JsonValue::Kind::kObject) {
    return Malformed(name, "an object");
  }
  return value;
}

}  // namespace hourglass::issuance
