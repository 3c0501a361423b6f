#include "issuance/config/config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ca/certificate/profile.h"
#include "ca/issuers/intermediate_certificate.h"
#include "ca/request/certificate_request.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/keyholder/process/account.h"
#include "issuance/base/file_trust.h"
#include "issuance/base/host_port.h"
#include "issuance/base/tenant_id.h"
#include "issuance/config/access_config.h"
#include "issuance/config/callers_config.h"
#include "issuance/config/compliance_config.h"
#include "issuance/config/identity_config.h"
#include "issuance/config/issuing_config.h"
#include "issuance/config/keys_config.h"
#include "issuance/config/request_limits_config.h"
#include "issuance/config/rotation_config.h"
#include "issuance/config/store_config.h"
#include "issuance/config/strong_mapping_config.h"
#include "issuance/identity/upn_domains.h"
#include "issuance/log/event_log.h"
#include "issuance/yaml/document.h"
#include "issuance/yaml/file.h"
#include "issuance/yaml/mapping.h"

namespace hourglass::issuance {
namespace {

using yaml::Mapping;

// Reads one document field by field. What it returns counts only if the document ends without a
// mistake.
class ConfigReader {
 public:
  // `of_keyholders`: of what key holders use where they have an account of their own.
  ConfigReader(Program program, FileChecks checks, FileChecks of_keyholders, Timestamp now)
      : program_(program), checks_(checks), of_keyholders_(of_keyholders), now_(now) {}

  Config Read(Mapping root) const;

 private:
  TlsFiles ReadTls(Mapping fields, TlsSide side) const;
  std::string ReadFolder(Mapping fields, absl::string_view name,
                         std::optional<std::string> path) const;
  void CheckWritable(const std::string& data_directory, Mapping root) const;
  std::string ReadAddressFile(Mapping root) const;
  void ReadWhatIssues(Mapping root, Config* config) const;
  void ReadWhatDecides(Mapping root, Config* config) const;

  bool ChecksFiles() const { return checks_ != FileChecks::kNone; }

  const Program program_;
  const FileChecks checks_;
  const FileChecks of_keyholders_;
  const Timestamp now_;
};

std::string ReadListen(Mapping root) {
  std::string listen = root.RequiredString("listen");
  if (!listen.empty() && !ParseHostPort(listen).has_value()) {
    root.Mistake("listen", "must be host:port, port 0 to 65535");
  }
  return listen;
}

bool AreOfOneUser(const std::string& name, const std::string& other) {
  const absl::StatusOr<hsm::Account> account = hsm::FindAccount(name);
  const absl::StatusOr<hsm::Account> another = hsm::FindAccount(other);
  return account.ok() && another.ok() && account->user == another->user;
}

// A key holder of the service's own account would have nothing that the service has not.
void RefuseSharedAccount(const Config& config, Mapping keys, FileChecks checks) {
  const std::string& holders = config.keys.keyholder_account;
  if (holders.empty()) return;
  if (config.account.empty()) {
    keys.Mistake("account", "does nothing where the service has none: set account, too");
  } else if (config.account == holders ||
             (checks != FileChecks::kNone && AreOfOneUser(config.account, holders))) {
    keys.Mistake("account", "must be another than the service's");
  }
}

ca::KeyPolicy ReadAcceptedKeys(Mapping fields, ca::KeyPolicy policy) {
  policy.allow_ec_p256 = fields.Bool("ec_p256").value_or(policy.allow_ec_p256);
  policy.allow_ec_p384 = fields.Bool("ec_p384").value_or(policy.allow_ec_p384);
  policy.allow_rsa = fields.Bool("rsa").value_or(policy.allow_rsa);
  policy.min_rsa_bits = fields.Integer("min_rsa_bits", ca::kMinRsaBits, ca::kMaxRsaBits)
                            .value_or(policy.min_rsa_bits);
  policy.max_rsa_bits = fields.Integer("max_rsa_bits", ca::kMinRsaBits, ca::kMaxRsaBits)
                            .value_or(policy.max_rsa_bits);
  if (policy.min_rsa_bits > policy.max_rsa_bits) {
    fields.Mistake("min_rsa_bits", "must not be more than max_rsa_bits");
  }
  if (!policy.allow_rsa) {
    for (const char* name : {"min_rsa_bits", "max_rsa_bits"}) {
      if (fields.Has(name)) fields.Mistake(name, "does nothing while rsa is false");
    }
  }
  if (!policy.allow_ec_p256 && !policy.allow_ec_p384 && !policy.allow_rsa) {
    fields.Mistake("", "must accept at least one of ec_p256, ec_p384 and rsa");
  }
  return policy;
}

SubKeyConfig ReadSubKey(Mapping fields, SubKeyConfig sub_key, std::chrono::seconds leaf_lifetime) {
  sub_key.enabled = fields.Bool("enabled").value_or(sub_key.enabled);
  sub_key.lifetime =
      fields.Seconds("lifetime", ca::kMinIntermediateLifetime, ca::kMaxIntermediateLifetime)
          .value_or(sub_key.lifetime);
  const auto key_type = fields.Choice("key_type", hsm::KeyTypeNames());
  if (key_type.has_value()) {
    sub_key.key_type = hsm::ParseKeyType(*key_type).value_or(sub_key.key_type);
  }
  // It is renewed at half of its life, and the old one must carry whole leaves while that is tried.
  if (sub_key.enabled && sub_key.lifetime < 4 * leaf_lifetime) {
    fields.Mistake("lifetime", "must be at least four times the lifetime of the certificates");
  }
  return sub_key;
}

// `used`: whether a tenant that these fields count for has a sub-key.
void RefuseIdleSubKey(Mapping fields, bool used) {
  if (used) return;
  for (const char* name : {"lifetime", "key_type"}) {
    if (fields.Has(name)) fields.Mistake(name, "does nothing while enabled is false");
  }
}

DeviceKeyUse ReadDeviceKeys(Mapping fields, DeviceKeyUse use) {
  constexpr absl::string_view kUses[] = {"off", "when_enrolled", "required"};
  const auto given = fields.Choice("device_keys", kUses);
  if (!given.has_value()) return use;
  if (*given == "off") return DeviceKeyUse::kOff;
  return *given == "required" ? DeviceKeyUse::kRequired : DeviceKeyUse::kWhenEnrolled;
}

// `config` with the fields that are given replaced.
IssuingConfig ReadIssuing(Mapping fields, IssuingConfig config) {
  ca::LeafProfileOptions& profile = config.profile;
  profile.lifetime = fields.Seconds("lifetime", ca::kMinLeafLifetime, ca::kMaxLeafLifetime)
                         .value_or(profile.lifetime);
  profile.backdate = fields.Seconds("backdate", std::chrono::seconds(0), ca::kMaxBackdate)
                         .value_or(profile.backdate);
  profile.no_rev_avail = fields.Bool("no_rev_avail").value_or(profile.no_rev_avail);
  ReadStrongMapping(fields.Optional("strong_mapping"), config);
  config.key_policy = ReadAcceptedKeys(fields.Optional("accepted_keys"), config.key_policy);
  config.quota.roots = fields.Integer("max_roots", 1, 1000).value_or(config.quota.roots);
  config.quota.keys = fields.Integer("max_keys", 1, 100'000).value_or(config.quota.keys);
  config.sub_key = ReadSubKey(fields.Optional("sub_key"), config.sub_key, profile.lifetime);
  config.rotation = ReadRotation(fields, config.rotation, profile.lifetime);
  config.device_keys = ReadDeviceKeys(fields, config.device_keys);
  return config;
}

UpnDomains ReadUpnDomains(Mapping fields) {
  UpnDomains domains;
  const std::vector<std::string> listed = fields.Strings("upn_domains");
  for (std::size_t i = 0; i < listed.size(); ++i) {
    const std::optional<std::string> mistake = domains.Add(listed[i]);
    if (mistake.has_value()) fields.ItemMistake("upn_domains", i, *mistake);
  }
  return domains;
}

// `tenants`, and what holds for all of them.
void ReadTenants(Mapping root, FileChecks checks, Timestamp now, Config* config) {
  Mapping defaults = root.Optional("issuing");
  config->issuing = ReadIssuing(defaults, config->issuing);
  bool sub_keys = config->issuing.sub_key.enabled;
  for (auto& [tenant_id, fields] : root.NamedMappings("tenants")) {
    if (!IsTenantId(tenant_id)) fields.Mistake("", kTenantIdForm);
    IssuingConfig issuing = ReadIssuing(fields, config->issuing);
    issuing.upn_domains = ReadUpnDomains(fields);
    RefuseIdleSubKey(fields.Optional("sub_key"), issuing.sub_key.enabled);
    sub_keys = sub_keys || issuing.sub_key.enabled;
    config->access.emplace(tenant_id, ReadAccess(fields.Optional("access")));
    config->identity.emplace(tenant_id, ReadIdentity(fields, checks, now));
    config->tenants.emplace(tenant_id, std::move(issuing));
  }
  RefuseIdleSubKey(defaults.Optional("sub_key"), sub_keys);
}

LimitsConfig ReadLimits(Mapping root, Program program) {
  const bool issues = program == Program::kHourglassd;
  Mapping fields = root.Optional("limits");
  LimitsConfig limits;
  if (issues) limits.requests = ReadRequestLimits(root);
  if (issues) limits.workers = fields.Integer("workers", 1, 1024).value_or(limits.workers);
  limits.queue_length = fields.Integer("queue_length", 1, 100000).value_or(limits.queue_length);
  if (issues) {
    limits.loaded_tenants =
        fields.Integer("loaded_tenants", 100, 1'000'000).value_or(limits.loaded_tenants);
  }
  limits.connections = fields.Integer("connections", 16, 100'000).value_or(limits.connections);
  limits.connections_per_source =
      fields.Integer("connections_per_source", 16, 100'000).value_or(limits.connections_per_source);
  return limits;
}

JournalConfig ReadJournal(Mapping fields) {
  using std::chrono::hours;
  JournalConfig journal;
  journal.retention = fields.Seconds("retention", hours(24), hours(24 * 36500));
  journal.decisions =
      fields.Seconds("decisions", hours(48), hours(24 * 3650)).value_or(journal.decisions);
  return journal;
}

std::string ReadMetrics(Mapping fields) {
  const std::string listen = fields.present() ? fields.RequiredString("listen") : "";
  if (!listen.empty() && !ParseHostPort(listen).has_value()) {
    fields.Mistake("listen", "must be host:port, port 0 to 65535");
  }
  return listen;
}

TlsFiles ConfigReader::ReadTls(Mapping fields, TlsSide side) const {
  TlsFiles files = ReadTlsFiles(fields);
  // Who starts it again may not be able to renew, and its clock may be set right later.
  const auto now = checks_ == FileChecks::kAll ? std::optional(now_) : std::nullopt;
  if (ChecksFiles()) CheckTlsFiles(files, side, now, fields);
  return files;
}

std::string ConfigReader::ReadFolder(Mapping fields, absl::string_view name,
                                     std::optional<std::string> path) const {
  if (ChecksFiles() && path.has_value() && !path->empty()) CheckFolder(*path, fields, name);
  return path.value_or("");
}

void ConfigReader::CheckWritable(const std::string& data_directory, Mapping root) const {
  std::error_code error;
  if (!ChecksFiles() || !std::filesystem::is_directory(data_directory, error)) return;
  if (::access(data_directory.c_str(), R_OK | W_OK | X_OK) == 0) return;
  root.Mistake("data_directory", absl::StrCat("cannot be written: ", std::strerror(errno)));
}

std::string ConfigReader::ReadAddressFile(Mapping root) const {
  std::string path = root.Path("address_file").value_or("");
  const std::size_t slash = path.rfind('/');
  if (!ChecksFiles() || slash == std::string::npos) return path;
  const std::string folder = path.substr(0, slash + 1);
  struct stat about = {};
  if (stat(folder.c_str(), &about) != 0) {
    root.Mistake("address_file", absl::StrCat("cannot be used: ", std::strerror(errno)));
  } else if (const std::string mistake = MistakeInTrustOfPlace(path); !mistake.empty()) {
    root.Mistake("address_file", mistake);
  } else if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    root.Mistake("address_file", absl::StrCat("cannot be written: ", std::strerror(errno)));
  }
  return path;
}

void ConfigReader::ReadWhatIssues(Mapping root, Config* config) const {
  Mapping keys = root.Required("keys");
  config->keys = ReadKeys(keys, checks_, of_keyholders_);
  RefuseSharedAccount(*config, keys, checks_);
  ReadTenants(root, checks_, now_, config);
  config->compliance = ReadCompliance(root.Required("compliance"), checks_, now_);
  config->metrics_listen = ReadMetrics(root.Optional("metrics"));
}

void ConfigReader::ReadWhatDecides(Mapping root, Config* config) const {
  for (auto& [tenant_id, fields] : root.NamedMappings("tenants")) {
    if (!IsTenantId(tenant_id)) fields.Mistake("", kTenantIdForm);
    config->access.emplace(tenant_id, ReadAccess(fields.Optional("access")));
  }
  Mapping compliance = root.Required("compliance");
  config->compliance = ReadCompliance(compliance, checks_, now_);
  if (compliance.Has("endpoint")) {
    compliance.Mistake("endpoint", "is hourglassd's: this program decides by itself");
  }
}

Config ConfigReader::Read(Mapping root) const {
  Config config;
  config.account = ReadAccount(root, checks_);
  config.listen = ReadListen(root);
  config.address_file = ReadAddressFile(root);
  config.data_directory = ReadFolder(root, "data_directory", root.RequiredPath("data_directory"));
  CheckWritable(config.data_directory, root);
  Mapping tls = root.Required("tls");
  config.tls = ReadTls(tls, TlsSide::kServer);
  config.revocation_lists = ReadRevocationLists(tls, config.tls.trusted_roots, checks_);
  config.callers = ReadCallers(root);
  config.program = program_;
  if (program_ == Program::kHourglassd) {
    ReadWhatIssues(root, &config);
  } else {
    ReadWhatDecides(root, &config);
  }
  config.limits = ReadLimits(root, program_);
  config.journal = ReadJournal(root.Optional("journal"));
  config.store = ReadStore(root.Optional("store"), checks_, now_);
  config.log_level = root.Choice("log_level", kLogLevels).value_or(config.log_level);
  config.log_personal_data = root.Bool("log_personal_data").value_or(config.log_personal_data);
  return config;
}

absl::StatusOr<Config> Parse(absl::string_view yaml, absl::string_view file_name,
                             const ConfigReader& reader, bool checks_trust) {
  yaml::Document document(yaml, file_name);
  if (checks_trust) {
    const std::string mistake = MistakeInTrust(std::string(file_name));
    if (!mistake.empty()) document.AddMistake(1, "", mistake);
  }
  Config config = reader.Read(document.Root());
  RETURN_IF_ERROR(document.Finish());
  return config;
}

}  // namespace

absl::StatusOr<Config> ParseConfig(absl::string_view yaml, absl::string_view file_name,
                                   Program program) {
  return Parse(yaml, file_name,
               ConfigReader(program, FileChecks::kNone, FileChecks::kNone, Timestamp()), false);
}

absl::StatusOr<Config> LoadConfig(absl::string_view file_name, FileChecks checks, Timestamp now,
                                  Program program) {
  ASSIGN_OR_RETURN(const std::string text, yaml::ReadConfigurationFile(file_name));
  return Parse(text, file_name, ConfigReader(program, checks, FileChecks::kNone, now),
               checks != FileChecks::kNone);
}

absl::StatusOr<Config> LoadConfig(absl::string_view file_name) {
  return LoadConfig(file_name, FileChecks::kStart, Timestamp());
}

absl::Status CheckKeyholderFiles(absl::string_view yaml, absl::string_view file_name,
                                 FileChecks checks) {
  const ConfigReader reader(Program::kHourglassd, FileChecks::kNone, checks, Timestamp());
  return Parse(yaml, file_name, reader, false).status();
}

}  // namespace hourglass::issuance
