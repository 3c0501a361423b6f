// The members of a JSON object, each taken once, none guessed and none left over.
#ifndef HOURGLASS_TESTS_HISTORY_JSON_FIELDS_H_
#define HOURGLASS_TESTS_HISTORY_JSON_FIELDS_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::history {

using Json = nlohmann::json;

// One line, without its end. Octets that are not UTF-8 become U+FFFD.
std::string LineOf(const Json& json);

// Octets as a JSON value: base64 (RFC 4648 section 4).
std::string Base64(absl::string_view octets);

// Takes values out of an object and remembers the first that is not there or of another type. A
// value that cannot be taken is empty or 0.
class JsonFields {
 public:
  // One object of JSON, RFC 8259. Errors: FIELD_INVALID.
  static absl::StatusOr<JsonFields> Parse(absl::string_view text);

  bool Has(const char* name) const { return object_.contains(name); }
  std::string Text(const char* name);
  std::string Octets(const char* name);
  std::int64_t Number(const char* name);
  std::uint64_t Count(const char* name);  // not negative
  bool Flag(const char* name);
  std::optional<std::int64_t> OptionalNumber(const char* name);
  JsonFields Object(const char* name);

  // To be called once for each `Object`, which it takes over.
  void Finish(const JsonFields& object);
  // Errors: FIELD_INVALID with what could not be taken, or what was not taken.
  absl::Status Finish() const;

 private:
  explicit JsonFields(Json object) : object_(std::move(object)) {}

  // Null where it is not there, or not as `is` wants it.
  const Json* Take(const char* name, bool (Json::*is)() const noexcept);

  Json object_;
  std::size_t taken_ = 0;
  std::string first_fault_;
};

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_JSON_FIELDS_H_
