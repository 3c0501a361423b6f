// A strict reader of JSON (RFC 8259): one reading of each text, or none.
#ifndef HOURGLASS_ISSUANCE_TOKENS_JSON_H_
#define HOURGLASS_ISSUANCE_TOKENS_JSON_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

struct JsonMember;

// A value, which owns all that is in it.
struct JsonValue {
  enum class Kind {
    kNull,
    kBool,
    kInteger,  // written without fraction and exponent, and within 64 bits with a sign
    kNumber,   // any other
    kString,
    kArray,
    kObject,
  };

  Kind kind = Kind::kNull;
  bool boolean = false;             // of kBool
  std::int64_t integer = 0;         // of kInteger
  std::string text;                 // of kString: UTF-8; of kNumber: as it is written
  std::vector<JsonValue> items;     // of kArray
  std::vector<JsonMember> members;  // of kObject, in order; no name twice

  // The member of this name, which lives as long as this value; null where there is none, or this
  // is no object.
  const JsonValue* Find(absl::string_view name) const;
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

// Why a text is not read.
enum class JsonFault {
  kNotUtf8,
  kSyntax,         // no JSON, more than one value, or half of a surrogate pair
  kDuplicateName,  // an object has two members of one name, however it is written
  kTooMuch,        // of what JsonLimits bounds
};

// More is refused.
struct JsonLimits {
  int depth = 8;      // arrays and objects in each other
  int members = 128;  // of one object
  int values = 4096;  // of the whole text
};

// Reads one value with white space around it and nothing else: no byte order mark, comment or comma
// at an end. Safe to call from several threads.
std::variant<JsonValue, JsonFault> ParseJson(absl::string_view text, const JsonLimits& limits = {});

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_JSON_H_
