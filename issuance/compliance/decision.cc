#include "issuance/compliance/decision.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "issuance/wire/proto_time.h"
#include "issuance/yaml/mapping.h"

namespace hourglass::issuance {
namespace {

std::string AgeText(std::chrono::seconds age) { return yaml::DurationText(age); }

// The value of a proto3 optional field, nullopt where it is absent.
template <typename Message, typename Value>
std::optional<Value> Known(const Message& message, bool (Message::*has)() const,
                           Value (Message::*get)() const) {
  if (!(message.*has)()) return std::nullopt;
  return (message.*get)();
}

// One group of the policy at work: collects the reasons against a device.
class GroupJudge {
 public:
  GroupJudge(absl::string_view group, std::string remediation_url, Timestamp now,
             std::vector<v1::DenyReason>* reasons)
      : group_(group), remediation_url_(std::move(remediation_url)), now_(now), reasons_(reasons) {}

  void Deny(absl::string_view setting, absl::string_view message) {
    reasons_->push_back(
        MakeDenyReason(absl::StrCat(group_, ".", setting), message, remediation_url_));
  }

  // Where `demanded`, the device must have said that `subject` is on (or off, where `wanted` is
  // false).
  void Switch(bool demanded, absl::string_view setting, absl::string_view subject,
              std::optional<bool> value, bool wanted = true) {
    if (!demanded || value == wanted) return;
    Deny(setting, !value.has_value() ? absl::StrCat("it is not known whether ", subject, " is on")
                                     : absl::StrCat(subject, " is ", *value ? "on" : "off"));
  }

  // Where there is a limit, `time` must be known, and not older than that, and not in the future.
  void Age(std::optional<std::chrono::seconds> limit, absl::string_view setting,
           absl::string_view subject, bool known, const google::protobuf::Timestamp& time) {
    if (!limit.has_value()) return;
    const auto at = FromProto(time, "");
    if (!known || !at.ok()) {
      Deny(setting, absl::StrCat("it is not known when ", subject));
    } else if (*at > now_ + kClockTolerance) {
      Deny(setting, absl::StrCat("the time when ", subject, " lies in the future"));
    } else if (now_ - *at > *limit) {
      Deny(setting, absl::StrCat("more than ", AgeText(*limit), " have passed since ", subject));
    }
  }

 private:
  const absl::string_view group_;
  const std::string remediation_url_;
  const Timestamp now_;
  std::vector<v1::DenyReason>* const reasons_;
};

void JudgeAntivirus(const AntivirusPolicy& policy, const v1::Antivirus& state, GroupJudge judge) {
  using State = v1::Antivirus;
  judge.Switch(policy.enabled, "enabled", "antivirus",
               Known(state, &State::has_enabled, &State::enabled));
  judge.Switch(policy.real_time_protection, "real_time_protection", "real-time protection",
               Known(state, &State::has_real_time_protection, &State::real_time_protection));
  judge.Age(policy.max_signature_age, "max_signature_age",
            "the antivirus signatures were last updated", state.has_signatures_updated_at(),
            state.signatures_updated_at());
}

void JudgeAutomaticUpdate(const AutomaticUpdatePolicy& policy, const v1::AutomaticUpdate& state,
                          GroupJudge judge) {
  using State = v1::AutomaticUpdate;
  judge.Switch(policy.enabled, "enabled", "automatic update",
               Known(state, &State::has_enabled, &State::enabled));
  judge.Age(policy.max_age, "max_age", "updates were last installed", state.has_last_installed_at(),
            state.last_installed_at());
  if (!policy.min_os_version.has_value()) return;
  const auto version = ParseOsVersion(state.os_version());
  if (!version.has_value()) {
    judge.Deny("min_os_version", "the version of the operating system is not known");
  } else if (*version < *policy.min_os_version) {
    judge.Deny("min_os_version", absl::StrCat("the operating system must be at version ",
                                              policy.min_os_version_text, " or later"));
  }
}

void JudgePasswordPolicy(const PasswordPolicy& policy, const v1::PasswordPolicy& state,
                         GroupJudge judge) {
  using State = v1::PasswordPolicy;
  judge.Switch(policy.required, "required", "the demand for a password",
               Known(state, &State::has_required, &State::required));
  if (policy.min_length.has_value()) {
    const auto length = Known(state, &State::has_minimum_length, &State::minimum_length);
    if (!length.has_value()) {
      judge.Deny("min_length", "the least length of the password is not known");
    } else if (*length < static_cast<unsigned>(*policy.min_length)) {
      judge.Deny("min_length", absl::StrCat("passwords of less than ", *policy.min_length,
                                            " characters are allowed"));
    }
  }
  if (policy.max_lock_after_minutes.has_value()) {
    const auto minutes = Known(state, &State::has_lock_after_minutes, &State::lock_after_minutes);
    if (!minutes.has_value()) {
      judge.Deny("max_lock_after_minutes", "it is not known when the idle device locks itself");
    } else if (*minutes == 0 || *minutes > static_cast<unsigned>(*policy.max_lock_after_minutes)) {
      judge.Deny("max_lock_after_minutes",
                 absl::StrCat("the idle device does not lock itself within ",
                              *policy.max_lock_after_minutes, " minutes"));
    }
  }
}

void JudgeDiskEncryption(const DiskEncryptionPolicy& policy, const v1::DiskEncryption& state,
                         GroupJudge judge) {
  using State = v1::DiskEncryption;
  judge.Switch(policy.enabled, "enabled", "disk encryption",
               Known(state, &State::has_enabled, &State::enabled));
}

void JudgeHealth(const DeviceHealthAttestationPolicy& policy,
                 const v1::DeviceHealthAttestation& state, GroupJudge judge) {
  using State = v1::DeviceHealthAttestation;
  judge.Age(policy.max_age, "max_age", "the health of the device was attested",
            state.has_attested_at(), state.attested_at());
  judge.Switch(policy.secure_boot, "secure_boot", "secure boot",
               Known(state, &State::has_secure_boot, &State::secure_boot));
  judge.Switch(policy.code_integrity, "code_integrity", "code integrity",
               Known(state, &State::has_code_integrity, &State::code_integrity));
  judge.Switch(policy.no_boot_debugging, "boot_debugging", "boot debugging",
               Known(state, &State::has_boot_debugging, &State::boot_debugging), false);
  judge.Switch(policy.no_kernel_debugging, "kernel_debugging", "kernel debugging",
               Known(state, &State::has_kernel_debugging, &State::kernel_debugging), false);
  judge.Switch(policy.no_test_signing, "test_signing", "test signing",
               Known(state, &State::has_test_signing, &State::test_signing), false);
  judge.Switch(
      policy.early_launch_antimalware, "early_launch_antimalware", "early launch antimalware",
      Known(state, &State::has_early_launch_antimalware, &State::early_launch_antimalware));
}

}  // namespace

v1::DenyReason MakeDenyReason(absl::string_view setting, absl::string_view message,
                              absl::string_view remediation_url) {
  v1::DenyReason reason;
  reason.set_setting(std::string(setting));
  reason.set_message(std::string(message));
  reason.set_remediation_url(std::string(remediation_url));
  return reason;
}

std::vector<v1::DenyReason> Decide(const CompliancePolicy& policy, const v1::DeviceState& state,
                                   Timestamp reported_at, Timestamp now) {
  if (reported_at > now + kClockTolerance) {
    return {MakeDenyReason("report_validity", "the device's last report lies in the future",
                           policy.remediation_url)};
  }
  if (now - reported_at > policy.report_validity) {
    return {MakeDenyReason(
        "report_validity",
        absl::StrCat("the device's last report is older than ", AgeText(policy.report_validity)),
        policy.remediation_url)};
  }
  std::vector<v1::DenyReason> reasons;
  const auto judge = [&](absl::string_view group, const auto& group_policy) {
    return GroupJudge(group,
                      group_policy.remediation_url.empty() ? policy.remediation_url
                                                           : group_policy.remediation_url,
                      now, &reasons);
  };
  JudgeAntivirus(policy.antivirus, state.antivirus(), judge("antivirus", policy.antivirus));
  JudgeAutomaticUpdate(policy.automatic_update, state.automatic_update(),
                       judge("automatic_update", policy.automatic_update));
  JudgePasswordPolicy(policy.password_policy, state.password_policy(),
                      judge("password_policy", policy.password_policy));
  JudgeDiskEncryption(policy.disk_encryption, state.disk_encryption(),
                      judge("disk_encryption", policy.disk_encryption));
  JudgeHealth(policy.device_health_attestation, state.device_health_attestation(),
              judge("device_health_attestation", policy.device_health_attestation));
  return reasons;
}

}  // namespace hourglass::issuance
