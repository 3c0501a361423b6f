#include "tools/client/strict_json.h"

#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ca/encoding/file_forms.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::client {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::json;

absl::Status Invalid(absl::string_view path, absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, path, message);
}

std::string Joined(absl::string_view path, absl::string_view name) {
  return path.empty() ? std::string(name) : absl::StrCat(path, ".", name);
}

// Keeps the first member that appears a second time in its object.
class DoubledMembers {
 public:
  bool operator()(int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) {
      open_.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      open_.pop_back();
    } else if (event == Json::parse_event_t::key) {
      const auto name = parsed.get<std::string>();
      if (!open_.back().insert(name).second && first_.empty()) first_ = name;
    }
    return true;
  }

  const std::string& first() const { return first_; }

 private:
  std::vector<std::set<std::string>> open_;
  std::string first_;
};

// What nlohmann's messages begin with says nothing to people.
std::string InWords(const Json::parse_error& error) {
  const std::string message = error.what();
  const std::size_t begin = message.find("] ");
  return begin == std::string::npos ? message : message.substr(begin + 2);
}

absl::StatusOr<Json> Parse(const std::string& text) {
  DoubledMembers doubled;
  Json json;
  try {
    json = Json::parse(text, [&doubled](int depth, Json::parse_event_t event, Json& parsed) {
      return doubled(depth, event, parsed);
    });
  } catch (const Json::parse_error& error) {
    return Invalid("", absl::StrCat("is not JSON: ", InWords(error)));
  }
  if (!doubled.first().empty()) return Invalid(doubled.first(), "appears twice");
  return json;
}

absl::Status CheckMembers(const Json& object, const Descriptor& type, const std::string& path);

absl::Status CheckValue(const Json& value, const FieldDescriptor& field, const std::string& path) {
  if (field.is_repeated()) return Invalid(path, "is a list, which this program cannot read");
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return value.is_boolean() ? absl::OkStatus() : Invalid(path, "must be true or false");
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return value.is_number_integer() ? absl::OkStatus() : Invalid(path, "must be a whole number");
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return value.is_number_unsigned() ? absl::OkStatus()
                                        : Invalid(path, "must be a whole number, not negative");
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (field.message_type()->full_name() == "google.protobuf.Timestamp") {
        return value.is_string() ? absl::OkStatus()
                                 : Invalid(path, "must be a time such as \"2026-11-20T10:42:07Z\"");
      }
      return CheckMembers(value, *field.message_type(), path);
    default:
      return value.is_string() ? absl::OkStatus() : Invalid(path, "must be text");
  }
}

absl::Status CheckMembers(const Json& object, const Descriptor& type, const std::string& path) {
  if (!object.is_object()) return Invalid(path, "must be an object: { … }");
  std::set<const FieldDescriptor*> seen;
  for (const auto& [name, value] : object.items()) {
    const std::string member = Joined(path, name);
    const FieldDescriptor* field = type.FindFieldByName(name);
    if (field == nullptr) field = type.FindFieldByCamelcaseName(name);
    if (field == nullptr) return Invalid(member, "there is no such member");
    if (!seen.insert(field).second) {
      return Invalid(Joined(path, field->name()), "appears twice, in two spellings");
    }
    RETURN_IF_ERROR(CheckValue(value, *field, member));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadStrictJson(absl::string_view octets, google::protobuf::Message* message) {
  const std::string text = ca::AsText(octets);
  ASSIGN_OR_RETURN(const Json json, Parse(text));
  RETURN_IF_ERROR(CheckMembers(json, *message->GetDescriptor(), ""));
  const auto status = google::protobuf::util::JsonStringToMessage(text, message);
  if (status.ok()) return absl::OkStatus();
  // Below the first line protobuf draws where in the text the mistake is.
  const std::string words = status.message().as_string();
  return Invalid("", words.substr(0, words.find('\n')));
}

}  // namespace hourglass::client
