#include "issuance/services/device_state_check.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/base/os_version.h"
#include "issuance/compliance/decision.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::size_t kMaxTextSize = 256;
constexpr int kMaxTexts = 64;
constexpr std::size_t kMaxBuildSize = 64;
constexpr char kTimestampType[] = "google.protobuf.Timestamp";

absl::Status Invalid(absl::string_view field, absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, field, message);
}

absl::Status CheckTime(const google::protobuf::Timestamp& time, Timestamp now,
                       absl::string_view field) {
  ASSIGN_OR_RETURN(const Timestamp parsed, FromProto(time, field));
  if (parsed > now + kClockTolerance) {
    return Invalid(field, "lies more than 5 minutes in the future");
  }
  return absl::OkStatus();
}

absl::Status CheckText(const std::string& text, absl::string_view field) {
  const std::optional<ca::Utf8Text> decoded = ca::DecodeUtf8(text);
  if (decoded.has_value() && !decoded->has_controls && text.size() <= kMaxTextSize) {
    return absl::OkStatus();
  }
  return Invalid(field, absl::StrCat("must be UTF-8 of at most ", kMaxTextSize,
                                     " octets without control characters"));
}

// Times and texts, whatever they mean.
class FormCheck {
 public:
  explicit FormCheck(Timestamp now) : now_(now) {}

  absl::Status Check(const Message& message, absl::string_view path) const {
    std::vector<const FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    for (const FieldDescriptor* const field : fields) {
      RETURN_IF_ERROR(CheckField(message, *field, absl::StrCat(path, ".", field->name())));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status CheckField(const Message& message, const FieldDescriptor& field,
                          const std::string& path) const {
    const Reflection& reflection = *message.GetReflection();
    if (field.is_repeated()) return CheckTexts(message, field, path);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      return CheckText(reflection.GetString(message, &field), path);
    }
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return absl::OkStatus();
    const Message& inner = reflection.GetMessage(message, &field);
    if (field.message_type()->full_name() != kTimestampType) return Check(inner, path);
    google::protobuf::Timestamp time;
    time.CopyFrom(inner);
    return CheckTime(time, now_, path);
  }

  // Of a TextList, which alone has what is repeated.
  static absl::Status CheckTexts(const Message& message, const FieldDescriptor& field,
                                 const std::string& path) {
    const Reflection& reflection = *message.GetReflection();
    const int count = reflection.FieldSize(message, &field);
    if (count > kMaxTexts) {
      return Invalid(path, absl::StrCat("at most ", kMaxTexts, " values are kept"));
    }
    for (int i = 0; i < count; ++i) {
      RETURN_IF_ERROR(CheckText(reflection.GetRepeatedString(message, &field, i),
                                absl::StrCat(path, "[", i, "]")));
    }
    return absl::OkStatus();
  }

  const Timestamp now_;
};

// Checks of single texts, of which an empty one is unknown.
class Texts {
 public:
  explicit Texts(absl::string_view field) : field_(field) {}

  absl::Status Version(const std::string& text, absl::string_view name) const {
    return Expect(text.empty() || ParseOsVersion(text).has_value(), name,
                  "must be up to four numbers of at most nine digits joined by dots");
  }

  absl::Status Build(const std::string& text, absl::string_view name) const {
    return Expect(
        text.size() <= kMaxBuildSize && std::all_of(text.begin(), text.end(), absl::ascii_isgraph),
        name, "must be printable ASCII of at most 64 characters");
  }

  absl::Status Date(const std::string& text, absl::string_view name) const {
    bool is_date = text.size() == 10;
    for (std::size_t i = 0; is_date && i < text.size(); ++i) {
      is_date = i == 4 || i == 7 ? text[i] == '-' : absl::ascii_isdigit(text[i]);
    }
    return Expect(text.empty() || is_date, name, "must be a date as 2026-11-01");
  }

  absl::Status OneOf(const std::string& text, absl::string_view name,
                     absl::Span<const absl::string_view> words) const {
    const bool is_one = std::find(words.begin(), words.end(), text) != words.end();
    return Expect(text.empty() || is_one, name,
                  absl::StrCat("must be one of ", absl::StrJoin(words, ", ")));
  }

 private:
  absl::Status Expect(bool holds, absl::string_view name, absl::string_view message) const {
    return holds ? absl::OkStatus() : Invalid(absl::StrCat(field_, ".", name), message);
  }

  const absl::string_view field_;
};

constexpr absl::string_view kPasswordTypes[] = {"numeric", "alphanumeric"};
constexpr absl::string_view kThreatLevels[] = {"secured", "low", "medium", "high"};
constexpr absl::string_view kTrustTypes[] = {"AzureAD", "ServerAD", "Workplace"};
constexpr absl::string_view kOwnerships[] = {"Company", "Personal"};

}  // namespace

absl::Status CheckDeviceState(const v1::DeviceState& state, Timestamp now,
                              absl::string_view field) {
  RETURN_IF_ERROR(FormCheck(now).Check(state, field));
  const Texts texts(field);
  const v1::AutomaticUpdate& update = state.automatic_update();
  RETURN_IF_ERROR(texts.Version(update.os_version(), "automatic_update.os_version"));
  RETURN_IF_ERROR(texts.Build(update.os_build(), "automatic_update.os_build"));
  RETURN_IF_ERROR(texts.Date(update.security_patch(), "automatic_update.security_patch"));
  RETURN_IF_ERROR(
      texts.Version(state.antivirus().defender_version(), "antivirus.defender_version"));
  RETURN_IF_ERROR(
      texts.OneOf(state.password_policy().type(), "password_policy.type", kPasswordTypes));
  RETURN_IF_ERROR(
      texts.OneOf(state.protection().threat_level(), "protection.threat_level", kThreatLevels));
  const v1::DirectoryEntry& directory = state.directory();
  RETURN_IF_ERROR(texts.OneOf(directory.trust_type(), "directory.trust_type", kTrustTypes));
  return texts.OneOf(directory.ownership(), "directory.ownership", kOwnerships);
}

}  // namespace hourglass::issuance
