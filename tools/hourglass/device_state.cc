#include "tools/hourglass/device_state.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/arguments.h"
#include "tools/client/strict_json.h"
#include "tools/client/wording.h"

namespace hourglass::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// How a setting is given: its option, and where it stands in DeviceState.
struct Setting {
  const char* option;
  const char* group;
  const char* field;
  const char* help;
};

constexpr Setting kSettings[] = {
    {"--antivirus", "antivirus", "enabled", "An antivirus program runs"},
    {"--real-time-protection", "antivirus", "real_time_protection",
     "It watches files as they are used"},
    {"--signatures-updated", "antivirus", "signatures_updated_at",
     "When its signatures were last updated"},
    {"--automatic-update", "automatic_update", "enabled", "Updates install themselves"},
    {"--updates-installed", "automatic_update", "last_installed_at",
     "When updates were last installed"},
    {"--os-version", "automatic_update", "os_version",
     "Operating system version, such as 10.0.22631.3880"},
    {"--password-required", "password_policy", "required", "A password unlocks the device"},
    {"--password-length", "password_policy", "minimum_length", "Characters that it must have"},
    {"--lock-after", "password_policy", "lock_after_minutes",
     "Idle minutes until the device locks itself"},
    {"--disk-encryption", "disk_encryption", "enabled", "All fixed disks are encrypted"},
    {"--attested", "device_health_attestation", "attested_at",
     "When the device's health was last attested"},
    {"--secure-boot", "device_health_attestation", "secure_boot", "Attested: secure boot"},
    {"--code-integrity", "device_health_attestation", "code_integrity", "Attested: code integrity"},
    {"--boot-debugging", "device_health_attestation", "boot_debugging", "Attested: boot debugging"},
    {"--kernel-debugging", "device_health_attestation", "kernel_debugging",
     "Attested: kernel debugging"},
    {"--test-signing", "device_health_attestation", "test_signing", "Attested: test signing"},
    {"--early-launch-antimalware", "device_health_attestation", "early_launch_antimalware",
     "Attested: early-launch antimalware"},
    {"--bitlocker", "device_health_attestation", "bitlocker", "Attested: BitLocker"},
    {"--firewall", "protection", "firewall", "The firewall is on"},
    {"--tpm", "protection", "tpm", "There is a TPM"},
    {"--threat-level", "protection", "threat_level", "secured, low, medium or high"},
    {"--managed", "management", "managed", "It is under a device management"},
    {"--noncompliant-since", "management", "noncompliant_since",
     "When it was first found not to be compliant; a grace period counts from then"},
    {"--registered", "directory", "registered", "The directory has it; known without this"},
    {"--trust-type", "directory", "trust_type", "AzureAD, ServerAD or Workplace"},
    {"--ownership", "directory", "ownership", "Company or Personal"},
    {"--operating-system", "directory", "operating_system", "Windows, MacMDM, iOS, Android, Linux"},
};

const FieldDescriptor* FieldOf(const Setting& setting) {
  const FieldDescriptor* group = v1::DeviceState::descriptor()->FindFieldByName(setting.group);
  return group->message_type()->FindFieldByName(setting.field);
}

const Message& GroupOf(const v1::DeviceState& state, const Setting& setting) {
  return state.GetReflection()->GetMessage(
      state, v1::DeviceState::descriptor()->FindFieldByName(setting.group));
}

Message* MutableGroupOf(v1::DeviceState& state, const Setting& setting) {
  return state.GetReflection()->MutableMessage(
      &state, v1::DeviceState::descriptor()->FindFieldByName(setting.group));
}

// The three kinds of value that people type, and text.
const char* ValueName(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "on|off";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "TIME";
    case FieldDescriptor::CPPTYPE_UINT32:
      return "N";
    default:
      return "TEXT";
  }
}

bool IsOneOf(const std::string& value, std::initializer_list<const char*> words) {
  return std::find(words.begin(), words.end(), value) != words.end();
}

absl::Status Invalid(const Setting& setting, absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, setting.option, message);
}

absl::Status SetSwitch(const Setting& setting, const std::string& value, Message* group) {
  const bool on = IsOneOf(value, {"on", "yes", "true"});
  if (!on && !IsOneOf(value, {"off", "no", "false"})) {
    return Invalid(setting, absl::StrCat("`", value, "` is neither on nor off"));
  }
  group->GetReflection()->SetBool(group, FieldOf(setting), on);
  return absl::OkStatus();
}

absl::Status SetSetting(const Setting& setting, const std::string& value, absl::Time now,
                        v1::DeviceState& state) {
  Message* group = MutableGroupOf(state, setting);
  const FieldDescriptor* field = FieldOf(setting);
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL) return SetSwitch(setting, value, group);
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    const auto time = client::ParsePastTime(value, now);
    if (!time.ok()) return Invalid(setting, time.status().message());
    group->GetReflection()->MutableMessage(group, field)->CopyFrom(client::TimestampOf(*time));
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
    uint32_t number;
    if (!absl::SimpleAtoi(value, &number)) {
      return Invalid(setting, absl::StrCat("`", value, "` is not a whole number"));
    }
    group->GetReflection()->SetUInt32(group, field, number);
  } else {
    group->GetReflection()->SetString(group, field, value);
  }
  return absl::OkStatus();
}

std::string TextsInWords(const v1::TextList& texts) {
  return texts.values().empty() ? "none" : absl::StrJoin(texts.values(), ", ");
}

// An empty text is unknown, but where its absence can be told from it: then there is none.
std::string TextInWords(const Message& group, const FieldDescriptor& field) {
  const std::string text = group.GetReflection()->GetString(group, &field);
  if (!text.empty()) return text;
  return field.has_presence() && group.GetReflection()->HasField(group, &field) ? "none"
                                                                                : "unknown";
}

std::string ValueInWords(const Message& group, const FieldDescriptor* field, absl::Time now) {
  const Reflection* reflection = group.GetReflection();
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) return TextInWords(group, *field);
  if (!reflection->HasField(group, field)) return "unknown";
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
    return reflection->GetBool(group, field) ? "on" : "off";
  }
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
    return absl::StrCat(reflection->GetUInt32(group, field));
  }
  if (field->message_type() == v1::TextList::descriptor()) {
    v1::TextList texts;
    texts.CopyFrom(reflection->GetMessage(group, field));
    return TextsInWords(texts);
  }
  google::protobuf::Timestamp time;
  time.CopyFrom(reflection->GetMessage(group, field));
  return client::TimeInWords(client::TimeOf(time), now);
}

std::string SettingInWords(const v1::DeviceState& state, const Setting& setting, absl::Time now) {
  return ValueInWords(GroupOf(state, setting), FieldOf(setting), now);
}

// What has no option of its own, where it is known: the rest is for who reads `--json`.
void AddOthers(const Message& group, const std::string& path, absl::Time now,
               client::Facts* facts) {
  std::vector<const FieldDescriptor*> fields;
  group.GetReflection()->ListFields(group, &fields);
  for (const FieldDescriptor* const field : fields) {
    const std::string name = absl::StrCat(path, ".", field->name());
    const bool has_option =
        std::any_of(std::begin(kSettings), std::end(kSettings), [&](const Setting& setting) {
          return name == absl::StrCat(setting.group, ".", setting.field);
        });
    if (!has_option) facts->emplace_back(name, ValueInWords(group, field, now));
  }
}

}  // namespace

void DeviceStateOptions::AddTo(CLI::App& command) {
  for (const Setting& setting : kSettings) {
    Given& given = *settings_.emplace_back(std::make_unique<Given>());
    given.set = [&setting](const std::string& value, absl::Time now, v1::DeviceState& state) {
      return SetSetting(setting, value, now, state);
    };
    const auto check = [&setting](std::string& value) {
      v1::DeviceState ignored;
      const absl::Status status = SetSetting(setting, value, absl::Now(), ignored);
      // Which option it was, the usage says already.
      return std::string(absl::StripPrefix(status.message(), absl::StrCat(setting.option, ": ")));
    };
    command.add_option(setting.option, given.value, setting.help)
        ->check(CLI::Validator(check, ""))
        ->type_name(ValueName(*FieldOf(setting)))
        ->group("Settings; what is not given is unknown, and unknown is not compliant");
  }
}

absl::Status DeviceStateOptions::ApplyTo(v1::DeviceState& state, absl::Time now) const {
  for (const auto& given : settings_) {
    if (!given->value.empty()) RETURN_IF_ERROR(given->set(given->value, now, state));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::DeviceState> DeviceStateFromJson(const std::string& json) {
  v1::DeviceState state;
  const absl::Status read = client::ReadStrictJson(json, &state);
  if (read.ok()) return state;
  const std::string member = hourglass::FieldOf(read);
  return Error(ErrorReason::kFieldInvalid,
               member.empty() ? "state" : absl::StrCat("state.", member),
               absl::StripPrefix(read.message(), absl::StrCat(member, ": ")));
}

client::Json DeviceStateAsJson(const v1::DeviceState& state) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(state, &text, options).ok()) return {};
  return client::Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

client::Facts DeviceStateInWords(const v1::DeviceState& state, absl::Time now) {
  client::Facts facts;
  for (const Setting& setting : kSettings) {
    facts.emplace_back(absl::StrCat(setting.group, ".", setting.field),
                       SettingInWords(state, setting, now));
  }
  std::vector<const FieldDescriptor*> groups;
  state.GetReflection()->ListFields(state, &groups);
  for (const FieldDescriptor* const group : groups) {
    AddOthers(state.GetReflection()->GetMessage(state, group), group->name(), now, &facts);
  }
  return facts;
}

}  // namespace hourglass::cli
