#include "issuance/identity/caller.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ca/encoding/file_forms.h"
#include "ca/names/domain_name.h"
#include "hsm/base/error.h"
#include "hsm/base/mutex.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

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
    {Role::kRelyingParty, "relying_party"},
};

bool IsHostLabel(absl::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-'; });
}

bool IsHostName(absl::string_view name) {
  if (name.size() > ca::kMaxDomainSize) return false;
  const std::vector<absl::string_view> labels = absl::StrSplit(name, '.');
  return std::all_of(labels.begin(), labels.end(), IsHostLabel);
}

bool IsUri(absl::string_view text) {
  return absl::StrContains(text, ':') && text[0] != ':' &&
         std::all_of(text.begin(), text.end(), absl::ascii_isgraph);
}

absl::Status Unknown(absl::string_view message) {
  return Error(ErrorReason::kCallerUnknown, "", message);
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
               "must be broker, administrator, auditor, device_reporter or relying_party");
}

absl::StatusOr<std::string> ParseIdentity(absl::string_view text) {
  absl::string_view value = text;
  if (absl::ConsumePrefix(&value, "dns:") && IsHostName(value)) return absl::AsciiStrToLower(text);
  if (absl::ConsumePrefix(&value, "uri:") && IsUri(value)) return std::string(text);
  constexpr absl::string_view kForm =
      "must be dns:NAME, uri:URI or sha256: and 64 hexadecimal digits";
  if (absl::StartsWith(text, "dns:") || absl::StartsWith(text, "uri:")) {
    return Error(ErrorReason::kConfigurationInvalid, "identity", kForm);
  }
  // No host name and no URI begins so: what has 64 hexadecimal digits can only be this.
  absl::StatusOr<std::string> fingerprint = ParseFingerprint(text);
  if (fingerprint.ok()) return fingerprint;
  const bool was_meant = !ca::PastedHexadecimal(text).empty() ||
                         absl::StrContains(absl::AsciiStrToLower(text), "sha") ||
                         absl::StrContains(absl::AsciiStrToLower(text), "fingerprint");
  return Error(ErrorReason::kConfigurationInvalid, "identity",
               was_meant ? absl::StrCat(kForm, "; ", ca::WhatWasPasted(text)) : std::string(kForm));
}

absl::StatusOr<std::string> ParseFingerprint(absl::string_view text) {
  constexpr std::size_t kDigits = 64;
  const std::string digits = ca::PastedHexadecimal(text);
  if (digits.size() == kDigits) return absl::StrCat("sha256:", digits);
  return Error(ErrorReason::kConfigurationInvalid, "",
               absl::StrCat("must be the SHA-256 of a certificate, sha256: and ", kDigits,
                            " hexadecimal digits; ", ca::WhatWasPasted(text)));
}

std::string WarningAbout(const Caller& caller) {
  std::vector<absl::string_view> warnings;
  if (caller.Has(Role::kBroker) && caller.Has(Role::kDeviceReporter)) {
    warnings.push_back(
        "is broker and device_reporter in one: whoever has its key gets certificates for any "
        "device of its tenants");
  }
  if (caller.Has(Role::kRelyingParty) && caller.Has(Role::kAdministrator)) {
    warnings.push_back(
        "is relying_party and administrator in one: it acknowledges the roots that it promotes");
  }
  return absl::StrJoin(warnings, "; it ");
}

bool Caller::Has(Role role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

// Which certificate is whose. Forgets all when full, so that clients with many certificates cannot
// fill the memory.
class CallerDirectory::Known {
 public:
  struct Entry {
    const Caller* caller;
    CallerCertificate certificate;
  };

  // By all octets of the certificate, at each call: nothing less names a caller. Null where it is
  // not known.
  std::shared_ptr<const Entry> Find(absl::string_view pem) {
    const std::size_t hash = Entries::hasher()(pem);
    const ReaderMutexLock lock(mutex_);
    const auto found = entries_.find(pem, hash);
    return found == entries_.end() ? nullptr : found->second;
  }

  void Add(absl::string_view pem, const std::shared_ptr<const Entry>& entry) {
    const WriterMutexLock lock(mutex_);
    if (size_ + pem.size() > kMaxKnownSize) {
      entries_.clear();
      size_ = 0;
    }
    if (entries_.emplace(pem, entry).second) size_ += pem.size();
  }

 private:
  using Entries = absl::flat_hash_map<std::string, std::shared_ptr<const Entry>>;

  SharedMutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);
  std::size_t size_ ABSL_GUARDED_BY(mutex_) = 0;
};

CallerDirectory::CallerDirectory(std::vector<Caller> callers,
                                 absl::flat_hash_map<std::string, std::size_t> by_identity,
                                 const Clock* clock, const RevocationLists* revocations)
    : callers_(std::move(callers)),
      by_identity_(std::move(by_identity)),
      clock_(clock),
      revocations_(revocations),
      known_(std::make_unique<Known>()) {}

CallerDirectory::CallerDirectory(CallerDirectory&&) noexcept = default;
CallerDirectory& CallerDirectory::operator=(CallerDirectory&&) noexcept = default;
CallerDirectory::~CallerDirectory() = default;

absl::StatusOr<CallerDirectory> CallerDirectory::Create(std::vector<Caller> callers,
                                                        const Clock* clock,
                                                        const RevocationLists* revocations) {
  std::set<std::string> names;
  absl::flat_hash_map<std::string, std::size_t> by_identity;
  for (std::size_t i = 0; i < callers.size(); ++i) {
    if (!names.insert(callers[i].name).second) {
      return Error(ErrorReason::kConfigurationInvalid, absl::StrCat("callers[", i, "].name"),
                   "another caller has this name");
    }
    ASSIGN_OR_RETURN(callers[i].identity, ParseIdentity(callers[i].identity));
    for (std::string& refused : callers[i].refused) {
      ASSIGN_OR_RETURN(refused, ParseIdentity(refused));
    }
    if (!by_identity.emplace(callers[i].identity, i).second) {
      return Error(ErrorReason::kConfigurationInvalid, absl::StrCat("callers[", i, "].identity"),
                   "another caller has this identity");
    }
  }
  return CallerDirectory(std::move(callers), std::move(by_identity), clock, revocations);
}

absl::StatusOr<const Caller*> CallerDirectory::CallerOf(
    const CallerCertificate& certificate) const {
  const Caller* caller = nullptr;
  for (const std::string& identity : certificate.identities) {
    const auto found = by_identity_.find(identity);
    if (found == by_identity_.end()) continue;
    const Caller* named = &callers_[found->second];
    if (caller != nullptr && caller != named) {
      return Unknown("the client certificate carries identities of two callers");
    }
    caller = named;
  }
  if (caller == nullptr) return Unknown("the client certificate is bound to no caller");
  return caller;
}

absl::Status CallerDirectory::Check(const Caller& caller,
                                    const CallerCertificate& certificate) const {
  const Timestamp now = clock_->Now();
  RETURN_IF_ERROR(CheckPeriod(certificate, now));
  if (caller.not_before.has_value() && certificate.not_before < *caller.not_before) {
    return Error(ErrorReason::kCallerRefused, "",
                 absl::StrCat("the client certificate was issued before not_before of caller ",
                              caller.name));
  }
  if (std::find(caller.refused.begin(), caller.refused.end(), certificate.sha256()) !=
      caller.refused.end()) {
    return Error(ErrorReason::kCallerRefused, "",
                 absl::StrCat("the client certificate is one of refused of caller ", caller.name));
  }
  return revocations_ == nullptr ? absl::OkStatus() : revocations_->Check(certificate.serial, now);
}

absl::StatusOr<const Caller*> CallerDirectory::Identify(absl::string_view client_certificate_pem,
                                                        std::string* certificate_sha256) const {
  std::shared_ptr<const Known::Entry> known = known_->Find(client_certificate_pem);
  if (known == nullptr) {
    ASSIGN_OR_RETURN(CallerCertificate certificate, ReadCallerCertificate(client_certificate_pem));
    ASSIGN_OR_RETURN(const Caller* caller, CallerOf(certificate));
    known = std::make_shared<Known::Entry>(Known::Entry{caller, std::move(certificate)});
    known_->Add(client_certificate_pem, known);
  }
  RETURN_IF_ERROR(Check(*known->caller, known->certificate));
  if (certificate_sha256 != nullptr) {
    const absl::string_view sha256 = known->certificate.sha256();
    *certificate_sha256 = absl::HexStringToBytes(sha256.substr(sha256.find(':') + 1));
  }
  return known->caller;
}

absl::StatusOr<AdmittedPeer> CallerDirectory::Admit(absl::Span<const X509* const> chain) const {
  if (chain.empty()) return Unknown("no client certificate");
  AdmittedPeer peer;
  ASSIGN_OR_RETURN(peer.certificate, ReadCallerCertificate(*chain.front()));
  ASSIGN_OR_RETURN(peer.caller, CallerOf(peer.certificate));
  for (const X509* authority : chain.subspan(1)) {
    ASSIGN_OR_RETURN(CertificateSerial serial, ReadCertificateSerial(*authority));
    peer.authorities.push_back(std::move(serial));
  }
  RETURN_IF_ERROR(CheckAgain(peer));
  return peer;
}

absl::Status CallerDirectory::CheckAgain(const AdmittedPeer& peer) const {
  RETURN_IF_ERROR(Check(*peer.caller, peer.certificate));
  if (revocations_ == nullptr) return absl::OkStatus();
  for (const CertificateSerial& authority : peer.authorities) {
    RETURN_IF_ERROR(revocations_->Check(authority, clock_->Now()));
  }
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
