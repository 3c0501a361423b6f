#include "tests/history/json_fields.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::history {

std::string LineOf(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Base64(absl::string_view octets) { return absl::Base64Escape(octets); }

absl::StatusOr<JsonFields> JsonFields::Parse(absl::string_view text) {
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_object()) return JsonFields(std::move(json));
  return Error(ErrorReason::kFieldInvalid, "", "is no JSON object");
}

const Json* JsonFields::Take(const char* name, bool (Json::*is)() const noexcept) {
  const auto value = object_.find(name);
  if (value != object_.end() && (*value.*is)()) {
    ++taken_;
    return &*value;
  }
  if (first_fault_.empty()) first_fault_ = absl::StrCat("has no `", name, "`, or of another type");
  return nullptr;
}

std::string JsonFields::Text(const char* name) {
  const Json* const value = Take(name, &Json::is_string);
  return value == nullptr ? "" : value->get<std::string>();
}

std::string JsonFields::Octets(const char* name) {
  const Json* const value = Take(name, &Json::is_string);
  if (value == nullptr) return "";
  std::string octets;
  if (absl::Base64Unescape(value->get_ref<const std::string&>(), &octets)) return octets;
  if (first_fault_.empty()) first_fault_ = absl::StrCat("`", name, "` is no base64");
  return "";
}

std::int64_t JsonFields::Number(const char* name) {
  const Json* const value = Take(name, &Json::is_number_integer);
  return value == nullptr ? 0 : value->get<std::int64_t>();
}

std::uint64_t JsonFields::Count(const char* name) {
  const Json* const value = Take(name, &Json::is_number_unsigned);
  return value == nullptr ? 0 : value->get<std::uint64_t>();
}

bool JsonFields::Flag(const char* name) {
  const Json* const value = Take(name, &Json::is_boolean);
  return value != nullptr && value->get<bool>();
}

std::optional<std::int64_t> JsonFields::OptionalNumber(const char* name) {
  if (!Has(name)) return std::nullopt;
  return Number(name);
}

JsonFields JsonFields::Object(const char* name) {
  const Json* const value = Take(name, &Json::is_object);
  return JsonFields(value == nullptr ? Json::object() : *value);
}

void JsonFields::Finish(const JsonFields& object) {
  const absl::Status status = object.Finish();
  if (!status.ok() && first_fault_.empty()) first_fault_ = std::string(status.message());
}

absl::Status JsonFields::Finish() const {
  if (!first_fault_.empty()) return Error(ErrorReason::kFieldInvalid, "", first_fault_);
  if (taken_ == object_.size()) return absl::OkStatus();
  return Error(ErrorReason::kFieldInvalid, "", "has a member that nothing here knows");
}

}  // namespace hourglass::history
