#include "tools/doctor/registry_check.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "issuance/yaml/nearest_name.h"
#include "tools/doctor/finding_list.h"

namespace hourglass::doctor {
namespace {

constexpr char kIgnore[] = "IgnoreNoRevocationCheck";
constexpr char kNone[] = "NoRevocationCheck";
// The switches of docs "RasMan\PPP\EAP" that are about revocation.
constexpr absl::string_view kSwitches[] = {kIgnore, kNone, "IgnoreRevocationOffline",
                                           "NoRootRevocationCheck"};
constexpr absl::string_view kEapKey = "services\\rasman\\ppp\\eap";
constexpr char kRight[] =
    "set the DWORD IgnoreNoRevocationCheck to 1 under HKEY_LOCAL_MACHINE\\SYSTEM\\"
    "CurrentControlSet\\Services\\RasMan\\PPP\\EAP\\13, on every NPS that sees the request, and "
    "start Windows anew";

bool IsSwitch(absl::string_view name) {
  return std::any_of(std::begin(kSwitches), std::end(kSwitches), [name](absl::string_view known) {
    return absl::EqualsIgnoreCase(known, name);
  });
}

// The switch that `name` was probably meant to be; "" where it is one, or none.
absl::string_view MeantSwitch(absl::string_view name) {
  constexpr std::size_t kLongest = 40;
  constexpr std::size_t kTypos = 5;  // `IgnoreNoRevocation` lacks five letters
  if (IsSwitch(name) || name.size() > kLongest) return "";
  const std::string lower = absl::AsciiStrToLower(name);
  absl::string_view meant;
  std::size_t nearest = kTypos + 1;
  for (const absl::string_view known : kSwitches) {
    const std::size_t distance = yaml::EditDistance(lower, absl::AsciiStrToLower(known));
    if (distance < nearest) {
      nearest = distance;
      meant = known;
    }
  }
  return meant;
}

bool IsOn(const RegistryValue& value) {
  return value.type == RegistryValue::Type::kDword && value.dword != 0;
}

class Check {
 public:
  Check(const RegistryExport& registry, const std::string& file)
      : registry_(registry), findings_(file) {}

  std::vector<Finding> Run();

 private:
  void CheckForm();
  void CheckKey(const RegistryKey& key);
  void CheckSwitch(const RegistryValue& value);
  void CheckPlace(const RegistryValue& value);
  void CheckData(const RegistryValue& value);
  void CheckOther(const RegistryValue& value);
  void CheckMethods();
  // Whether a switch is on for an EAP method: 13 or 25.
  bool On(absl::string_view method, absl::string_view name) const;
  bool HasKey(absl::string_view below) const;

  const RegistryExport& registry_;
  FindingList findings_;
};

bool Check::On(absl::string_view method, absl::string_view name) const {
  const std::string wanted = absl::StrCat(kEapKey, "\\", method);
  return std::any_of(registry_.values.begin(), registry_.values.end(),
                     [&](const RegistryValue& value) {
                       return BelowControlSet(value.key) == wanted &&
                              absl::EqualsIgnoreCase(value.name, name) && IsOn(value);
                     });
}

bool Check::HasKey(absl::string_view below) const {
  return std::any_of(registry_.keys.begin(), registry_.keys.end(), [below](const RegistryKey& key) {
    const auto path = BelowControlSet(key.path);
    return !key.deleted && path.has_value() && absl::StartsWith(*path, below);
  });
}

void Check::CheckForm() {
  if (registry_.is_old_form && registry_.is_utf16) {
    findings_.AddWarning("reg-old-header", "its header is REGEDIT4, and it is UTF-16",
                         "Windows reads a file with this header as ANSI, and imports none of it",
                         "write `Windows Registry Editor Version 5.00` in its first line", 1);
  }
}

void Check::CheckKey(const RegistryKey& key) {
  findings_.GoTo(key.line, key.path);
  const std::string lower = absl::AsciiStrToLower(key.path);
  const std::optional<std::string> below = BelowControlSet(key.path);
  if (key.deleted) {
    if (below.has_value() && absl::StartsWith(*below, kEapKey)) {
      findings_.AddWarning("reg-key-deleted", "the file deletes this key",
                           "to import it takes the switches away", kRight);
    }
    return;
  }
  if (below == "services\\rasman\\devicetunnel") {
    findings_.AddNote("reg-device-tunnel-left-over", "a device tunnel is, or was, on this machine",
                      "a key left over from one that was removed keeps a new one from being made",
                      "delete the key where there is no device tunnel any more");
  }
  absl::string_view method = below.has_value() ? absl::string_view(*below) : absl::string_view();
  if (!absl::ConsumePrefix(&method, absl::StrCat(kEapKey, "\\"))) return;
  if (method == "19" || method == "0d" || absl::StartsWith(method, "0x")) {
    findings_.AddError("reg-method-in-hexadecimal",
                       absl::StrCat("the EAP method `", method, "` is written in hexadecimal"),
                       "the key's name is the decimal number: 13 is EAP-TLS (0x0d), 25 is PEAP "
                       "(0x19); nothing reads this one",
                       kRight);
  }
}

// Where a switch stands that nothing reads.
void Check::CheckPlace(const RegistryValue& value) {
  const std::string lower = absl::AsciiStrToLower(value.key);
  const std::optional<std::string> below = BelowControlSet(value.key);
  if (absl::StrContains(lower, "wow6432node")) {
    findings_.AddError("reg-wow6432node", "it stands below Wow6432Node",
                       "that part is for 32-bit programs: nothing reads it there", kRight);
  } else if (!below.has_value()) {
    findings_.AddError("reg-wrong-hive",
                       absl::StrCat(value.name,
                                    " does not stand below HKEY_LOCAL_MACHINE\\SYSTEM\\"
                                    "CurrentControlSet"),
                       "nothing reads it there", kRight);
  } else if (*below == kEapKey) {
    findings_.AddError("reg-no-method", absl::StrCat(value.name, " stands in the key EAP itself"),
                       "it is read below the number of the method only", kRight);
  } else if (*below == absl::StrCat(kEapKey, "\\26")) {
    findings_.AddError("reg-password-method",
                       absl::StrCat(value.name, " stands below 26, which is EAP-MSCHAPv2"),
                       "that method has no certificates: nothing reads it there", kRight);
  }
}

void Check::CheckData(const RegistryValue& value) {
  switch (value.type) {
    case RegistryValue::Type::kDword:
      if (!value.is_padded) {
        findings_.AddWarning("reg-dword-short",
                             absl::StrCat(value.name, " has fewer than eight digits"),
                             "whether Windows takes it is not documented", "write dword:00000001");
      }
      if (value.dword == 0 && value.name == kIgnore) {
        findings_.AddError("reg-switched-off", absl::StrCat(value.name, " is 0"),
                           "it is the same as if it were not there", kRight);
      } else if (value.dword > 1) {
        findings_.AddWarning(
            "reg-not-one", absl::StrCat(value.name, " is ", value.dword),
            "the digits of a dword are hexadecimal, and this one is a switch: 0 or 1",
            "write dword:00000001");
      }
      return;
    case RegistryValue::Type::kDeleted:
      findings_.AddWarning("reg-value-deleted", absl::StrCat("the file deletes ", value.name),
                           "to import it takes the switch away", kRight);
      return;
    case RegistryValue::Type::kText:
      findings_.AddError("reg-text-not-dword", absl::StrCat(value.name, " is a text (REG_SZ)"),
                         "it is read as a DWORD only", kRight);
      return;
    case RegistryValue::Type::kOctets:
    case RegistryValue::Type::kNotUnderstood:
      findings_.AddError("reg-no-dword", absl::StrCat(value.name, " is no DWORD"),
                         "it is read as a DWORD only", kRight);
  }
}

void Check::CheckSwitch(const RegistryValue& value) {
  findings_.GoTo(value.line, value.key);
  const bool near_rasman = absl::StrContains(absl::AsciiStrToLower(value.key), "rasman\\ppp");
  const absl::string_view trimmed = absl::StripAsciiWhitespace(value.name);
  if (IsSwitch(value.name)) {
    CheckPlace(value);
    CheckData(value);
    return;
  }
  if (!near_rasman) return;
  if (IsSwitch(trimmed)) {
    findings_.AddError("reg-name-with-blank",
                       absl::StrCat("a blank stands before or behind the name ", trimmed),
                       "it is another name: nothing reads it", kRight);
  } else if (const absl::string_view meant = MeantSwitch(value.name); !meant.empty()) {
    findings_.AddError("reg-name-misspelt",
                       absl::StrCat(value.name, " is no switch; ", meant, " was probably meant"),
                       "nothing reads it", kRight);
  }
}

// Values that have to do with VPN certificates, and not with revocation of user certificates.
void Check::CheckOther(const RegistryValue& value) {
  const std::optional<std::string> below = BelowControlSet(value.key);
  if (!below.has_value()) return;
  findings_.GoTo(value.line, value.key);
  const std::string name = absl::AsciiStrToLower(value.name);
  if (*below == "services\\remoteaccess\\parameters\\ikev2" && name == "certauthflags" &&
      value.dword == 4) {
    findings_.AddWarning("reg-ikev2-revocation",
                         "RRAS checks the revocation of machine certificates",
                         "one that names no revocation list is likely to be refused in IKEv2",
                         "delete CertAuthFlags where machine certificates of Hourglass are used, "
                         "and restart RemoteAccess");
  } else if (*below == "services\\kdc" && name == "strongcertificatebindingenforcement") {
    findings_.AddNote("reg-of-domain-controller",
                      "StrongCertificateBindingEnforcement is a setting of domain controllers",
                      "it does nothing on an NPS", "look at it on the domain controllers");
  } else if (*below == "services\\rasman\\config" && name == "autotriggerdisabledprofileslist" &&
             value.octets.find_first_not_of('\0') != std::string::npos) {
    findings_.AddNote("reg-auto-trigger-disabled",
                      "profiles are named that never connect by themselves",
                      "Always On does not apply to them on this client",
                      "delete AutoTriggerDisabledProfilesList");
  } else if (*below == "services\\remoteaccess\\policy" && name == "enable ntlmv2 compatibility") {
    findings_.AddNote("reg-ntlmv2", "the server is set up for MS-CHAPv2",
                      "that has nothing to do with certificates",
                      "see that no policy takes passwords");
  }
}

// What the switches come to.
void Check::CheckMethods() {
  findings_.GoTo(0, "");
  const bool ignores = On("13", kIgnore);
  if (On("13", kNone) || On("25", kNone)) {
    findings_.AddWarning(
        "reg-no-revocation-at-all",
        "NoRevocationCheck is 1: no certificate's revocation is looked at",
        ignores ? "certificates of other authorities stay good when they are "
                  "revoked; IgnoreNoRevocationCheck alone is enough"
                : "certificates of other authorities stay good when they are "
                  "revoked: it is wider than needed",
        "delete NoRevocationCheck; IgnoreNoRevocationCheck is the narrower switch");
  }
  if (ignores || On("13", kNone)) return;
  const char* const effect =
      "a certificate of Hourglass names no revocation list, and is refused (NPS 6273, reason 258; "
      "the client sees error 812 or 853)";
  if (On("25", kIgnore)) {
    findings_.AddError("reg-only-peap", "IgnoreNoRevocationCheck is on for PEAP (25) only", effect,
                       absl::StrCat("the method inside PEAP is EAP-TLS: ", kRight));
  } else if (HasKey(kEapKey)) {
    findings_.AddError("reg-revocation-demanded",
                       "IgnoreNoRevocationCheck is not on for EAP-TLS (13)", effect, kRight);
  } else {
    findings_.AddError("reg-key-not-exported",
                       "the file does not hold the key RasMan\\PPP\\EAP, where revocation is set",
                       absl::StrCat("if the switch is not set on the machine, ", effect),
                       "export it: reg export HKLM\\SYSTEM\\CurrentControlSet\\Services\\RasMan "
                       "rasman.reg");
  }
}

std::vector<Finding> Check::Run() {
  CheckForm();
  for (const RegistryKey& key : registry_.keys) CheckKey(key);
  for (const RegistryValue& value : registry_.values) {
    CheckSwitch(value);
    CheckOther(value);
  }
  CheckMethods();
  return findings_.Take();
}

}  // namespace

std::vector<Finding> CheckRegistry(const RegistryExport& registry, const std::string& file) {
  return Check(registry, file).Run();
}

std::vector<Finding> CheckRegistryFile(absl::string_view octets, const std::string& file) {
  const absl::StatusOr<RegistryExport> registry = ReadRegistryExport(octets);
  if (registry.ok()) return CheckRegistry(*registry, file);
  return {{"reg-unreadable",
           Severity::kError,
           std::string(registry.status().message()),
           "nothing can be told of this registry",
           "export it with `reg export HKLM\\SYSTEM\\CurrentControlSet\\Services\\RasMan "
           "rasman.reg`",
           {file, 0, ""}}};
}

}  // namespace hourglass::doctor
