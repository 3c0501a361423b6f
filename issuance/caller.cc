#include "issuance/caller.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "issuance/request_fields.h"

namespace hourglass::issuance {
namespace {

using GeneralNamesPtr = OpensslPtr<GENERAL_NAMES, GENERAL_NAMES_free>;

constexpr std::size_t kMaxHostNameSize = 253;
// Octets of known certificates, PEM: some tens of thousands.
constexpr std::size_t kMaxKnownSize = 32 * 1024 * 1024;

struct RoleRow {
  Role role;
  absl::string_view name;
};

constexpr RoleRow kRoles[] = {
    {Role::kBroker, "broker"},
    {Role::kAdministrator, "administrator"},
    {Role::kAuditor, "auditor"},
    {Role::kDeviceReporter, "device_reporter"},
};

bool IsHostLabel(absl::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-'; });
}

bool IsHostName(absl::string_view name) {
  if (name.size() > kMaxHostNameSize) return false;
  const std::vector<absl::string_view> labels = absl::StrSplit(name, '.');
  return std::all_of(labels.begin(), labels.end(), IsHostLabel);
}

bool IsUri(absl::string_view text) {
  return absl::StrContains(text, ':') && text[0] != ':' &&
         std::all_of(text.begin(), text.end(), absl::ascii_isgraph);
}

bool IsSha256Hex(absl::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
}

absl::Status Unknown(absl::string_view message) {
  return Error(ErrorReason::kCallerUnknown, "", message);
}

// The text of a dNSName or URI; nullopt where it holds what such names never do.
std::optional<std::string> NameText(const ASN1_IA5STRING* string) {
  const absl::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                               static_cast<std::size_t>(ASN1_STRING_length(string)));
  if (!std::all_of(text.begin(), text.end(), absl::ascii_isgraph)) return std::nullopt;
  return std::string(text);
}

absl::StatusOr<X509Ptr> ParseCertificate(absl::string_view pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  X509Ptr certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (certificate == nullptr) {
    DrainOpensslErrors();
    return Unknown("the client certificate cannot be read");
  }
  return certificate;
}

// Every text that an `identity` could be, in the form of ParseIdentity.
absl::StatusOr<std::vector<std::string>> IdentitiesOf(const X509& certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest, &size) != 1) {
    return Unknown("the client certificate cannot be hashed");
  }
  std::vector<std::string> identities = {absl::StrCat(
      "sha256:", absl::BytesToHexString({reinterpret_cast<const char*>(digest), size}))};

  int found = 0;
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, &found, nullptr)));
  if (names == nullptr && found != -1) {
    DrainOpensslErrors();
    return Unknown("the client certificate's subject alternative names cannot be read");
  }
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_URI) continue;
    const auto text = NameText(name->d.ia5);
    if (!text.has_value()) return Unknown("the client certificate has a malformed name");
    identities.push_back(name->type == GEN_DNS ? absl::StrCat("dns:", absl::AsciiStrToLower(*text))
                                               : absl::StrCat("uri:", *text));
  }
  return identities;
}

}  // namespace

absl::string_view RoleName(Role role) {
  for (const RoleRow& row : kRoles) {
    if (row.role == role) return row.name;
  }
  return "";
}

absl::StatusOr<Role> ParseRole(absl::string_view name) {
  for (const RoleRow& row : kRoles) {
    if (row.name == name) return row.role;
  }
  return Error(ErrorReason::kConfigurationInvalid, "roles",
               "must be broker, administrator, auditor or device_reporter");
}

absl::StatusOr<std::string> ParseIdentity(absl::string_view text) {
  absl::string_view value = text;
  if (absl::ConsumePrefix(&value, "dns:") && IsHostName(value)) return absl::AsciiStrToLower(text);
  if (absl::ConsumePrefix(&value, "uri:") && IsUri(value)) return std::string(text);
  if (absl::ConsumePrefix(&value, "sha256:") && IsSha256Hex(value)) {
    return absl::AsciiStrToLower(text);
  }
  return Error(ErrorReason::kConfigurationInvalid, "identity",
               "must be dns:NAME, uri:URI or sha256: and 64 hexadecimal digits");
}

bool Caller::Has(Role role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

absl::Status Authorize(const Caller& caller, std::initializer_list<Role> roles,
                       absl::string_view tenant_id) {
  if (std::none_of(roles.begin(), roles.end(), [&](Role role) { return caller.Has(role); })) {
    return Error(ErrorReason::kRoleNotPermitted, "",
                 absl::StrCat("caller ", caller.name, " has no role that may do this"));
  }
  if (caller.all_tenants || tenant_id.empty()) return CheckTenantId(tenant_id);
  if (std::find(caller.tenants.begin(), caller.tenants.end(), tenant_id) != caller.tenants.end()) {
    return absl::OkStatus();
  }
  return Error(ErrorReason::kTenantNotPermitted, "tenant_id",
               absl::StrCat("caller ", caller.name, " is not bound to this tenant"));
}

// Which certificate is whose. Forgets all when full, so that clients with many certificates cannot
// fill the memory.
class CallerDirectory::Known {
 public:
  // By all octets of the certificate, at each call: nothing less names a caller.
  const Caller* Find(absl::string_view pem) {
    const std::size_t hash = callers_.hash_function()(pem);
    const std::shared_lock lock(mutex_);
    const auto found = callers_.find(pem, hash);
    return found == callers_.end() ? nullptr : found->second;
  }

  void Add(absl::string_view pem, const Caller* caller) {
    const std::lock_guard lock(mutex_);
    if (size_ + pem.size() > kMaxKnownSize) {
      callers_.clear();
      size_ = 0;
    }
    if (callers_.emplace(pem, caller).second) size_ += pem.size();
  }

 private:
  std::shared_mutex mutex_;
  absl::flat_hash_map<std::string, const Caller*> callers_;  // guarded by mutex_
  std::size_t size_ = 0;                                     // guarded by mutex_
};

CallerDirectory::CallerDirectory(std::vector<Caller> callers,
                                 absl::flat_hash_map<std::string, std::size_t> by_identity)
    : callers_(std::move(callers)),
      by_identity_(std::move(by_identity)),
      known_(std::make_unique<Known>()) {}

CallerDirectory::CallerDirectory(CallerDirectory&&) noexcept = default;
CallerDirectory& CallerDirectory::operator=(CallerDirectory&&) noexcept = default;
CallerDirectory::~CallerDirectory() = default;

absl::StatusOr<CallerDirectory> CallerDirectory::Create(std::vector<Caller> callers) {
  std::set<std::string> names;
  absl::flat_hash_map<std::string, std::size_t> by_identity;
  for (std::size_t i = 0; i < callers.size(); ++i) {
    if (!names.insert(callers[i].name).second) {
      return Error(ErrorReason::kConfigurationInvalid, absl::StrCat("callers[", i, "].name"),
                   "another caller has this name");
    }
    ASSIGN_OR_RETURN(callers[i].identity, ParseIdentity(callers[i].identity));
    if (!by_identity.emplace(callers[i].identity, i).second) {
      return Error(ErrorReason::kConfigurationInvalid, absl::StrCat("callers[", i, "].identity"),
                   "another caller has this identity");
    }
  }
  return CallerDirectory(std::move(callers), std::move(by_identity));
}

absl::StatusOr<const Caller*> CallerDirectory::Identify(
    absl::string_view client_certificate_pem) const {
  if (const Caller* known = known_->Find(client_certificate_pem); known != nullptr) return known;
  ASSIGN_OR_RETURN(const X509Ptr certificate, ParseCertificate(client_certificate_pem));
  ASSIGN_OR_RETURN(const auto identities, IdentitiesOf(*certificate));
  const Caller* caller = nullptr;
  for (const std::string& identity : identities) {
    const auto found = by_identity_.find(identity);
    if (found == by_identity_.end()) continue;
    const Caller* named = &callers_[found->second];
    if (caller != nullptr && caller != named) {
      return Unknown("the client certificate carries identities of two callers");
    }
    caller = named;
  }
  if (caller == nullptr) return Unknown("the client certificate is bound to no caller");
  known_->Add(client_certificate_pem, caller);
  return caller;
}

}  // namespace hourglass::issuance
