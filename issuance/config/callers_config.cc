#include "issuance/config/callers_config.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "issuance/base/tenant_id.h"
#include "issuance/identity/revocation_lists.h"

namespace hourglass::issuance {
namespace {

using yaml::Mapping;

void ReadRoles(Mapping fields, Caller* caller) {
  if (!fields.Has("roles")) fields.Mistake("roles", "is missing");
  const std::vector<std::string> names = fields.Strings("roles");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto role = ParseRole(names[i]);
    if (!role.ok()) {
      fields.ItemMistake(
          "roles", i, "must be broker, administrator, auditor, device_reporter or relying_party");
    } else if (caller->Has(*role)) {
      fields.ItemMistake("roles", i, "appears twice");
    } else {
      caller->roles.push_back(*role);
    }
  }
}

void ReadCallerTenants(Mapping fields, Caller* caller) {
  if (!fields.Has("tenants")) fields.Mistake("tenants", "is missing");
  std::vector<std::string> tenants = fields.Strings("tenants");
  if (tenants.size() == 1 && tenants[0] == "*") {
    caller->all_tenants = true;
    return;
  }
  std::set<std::string> seen;
  for (std::size_t i = 0; i < tenants.size(); ++i) {
    if (!IsTenantId(tenants[i])) {
      fields.ItemMistake("tenants", i, absl::StrCat(kTenantIdForm, ", or \"*\" alone for all"));
    } else if (!seen.insert(tenants[i]).second) {
      fields.ItemMistake("tenants", i, "appears twice");
    }
  }
  caller->tenants = std::move(tenants);
}

// Whom of those with its identity it does not mean.
void ReadShutOut(Mapping fields, Caller* caller) {
  if (const auto text = fields.String("not_before"); text.has_value()) {
    absl::Time time;
    std::string error;
    if (absl::EndsWith(*text, "Z") && absl::ParseTime(absl::RFC3339_full, *text, &time, &error)) {
      caller->not_before = Timestamp(std::chrono::microseconds(absl::ToUnixMicros(time)));
    } else {
      fields.Mistake("not_before", "must be a time in UTC as 2026-11-28T12:00:00Z");
    }
  }
  const std::vector<std::string> refused = fields.Strings("refused");
  for (std::size_t i = 0; i < refused.size(); ++i) {
    const auto parsed = ParseFingerprint(refused[i]);
    if (!parsed.ok()) {
      fields.ItemMistake("refused", i, parsed.status().message());
    } else if (*parsed == caller->identity) {
      fields.ItemMistake("refused", i, "is the caller's identity: take the caller out");
    } else {
      caller->refused.push_back(*parsed);
    }
  }
}

std::optional<std::string> Content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.is_open() || in.bad()) return std::nullopt;
  return content;
}

}  // namespace

std::vector<Caller> ReadCallers(Mapping root) {
  std::vector<Caller> callers;
  std::map<std::string, int> names;
  std::map<std::string, int> identities;
  for (Mapping& fields : root.RequiredMappings("callers")) {
    Caller caller;
    caller.name = fields.RequiredString("name");
    const std::optional<std::string> fault = ca::FaultInDisplayName(caller.name);
    if (!caller.name.empty() && fault.has_value()) fields.Mistake("name", *fault);
    if (++names[caller.name] == 2) fields.Mistake("name", "another caller has this name");
    const std::string identity = fields.RequiredString("identity");
    if (const auto parsed = ParseIdentity(identity); parsed.ok()) {
      caller.identity = *parsed;
      if (++identities[*parsed] == 2) {
        fields.Mistake("identity", "another caller has this identity");
      }
    } else if (!identity.empty()) {
      fields.Mistake("identity", absl::StripPrefix(parsed.status().message(), "identity: "));
    }
    ReadRoles(fields, &caller);
    ReadCallerTenants(fields, &caller);
    ReadShutOut(fields, &caller);
    callers.push_back(std::move(caller));
  }
  return callers;
}

std::vector<std::string> ReadRevocationLists(Mapping tls, const std::string& trusted_roots_file,
                                             FileChecks checks) {
  std::vector<std::string> files = tls.Paths("revocation_lists");
  if (checks == FileChecks::kNone) return files;
  // Where these cannot be read, that is a mistake already.
  const std::optional<std::string> trusted_roots = Content(trusted_roots_file);
  if (!trusted_roots.has_value()) return files;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto read = RevocationLists::Read({files[i]}, *trusted_roots);
    if (read.ok()) continue;
    // Read alone it is always the first, and is not to be told as that.
    const std::string first = absl::StrCat(FieldOf(read.status()), ": ");
    tls.ItemMistake("revocation_lists", i, absl::StripPrefix(read.status().message(), first));
  }
  return files;
}

}  // namespace hourglass::issuance
