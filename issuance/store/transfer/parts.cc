#include "issuance/store/transfer/parts.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"
#include "issuance/store/transfer/decision_parts.h"

namespace hourglass::issuance {
namespace {

constexpr CellKind kInteger = CellKind::kInteger;
constexpr CellKind kBoolean = CellKind::kBoolean;
constexpr CellKind kText = CellKind::kText;
constexpr CellKind kOctets = CellKind::kOctets;
constexpr bool kMayBeNothing = true;

// A day before what the journal's functions in PostgreSQL take.
constexpr std::int64_t kLatestIntent = 9'000'000'000'000'000'000 - 86'400'000'000;

Part Tenants() {
  return {"tenants",
          "tenants",
          "tenants",
          1,
          {{"tenant_id", kText},
           {"display_name", kText},
           {"created_at", kInteger},
           {"epoch", kInteger},
           {"revision", kInteger},
           {"last_generation", kInteger},
           {"root_name_key", kText, kMayBeNothing},
           {"policy_revision", kInteger}}};
}

Part Roots() {
  return {"roots",
          "roots",
          "roots",
          2,
          {{"tenant_id", kText},
           {"root_id", kText},
           {"generation", kInteger},
           {"state", kText},
           {"key_type", kText},
           {"key_uri", kText},
           {"key_made_for_root", kBoolean},
           {"key_destroyed_at", kInteger, kMayBeNothing},
           {"certificate", kOctets},
           {"not_before", kInteger},
           {"not_after", kInteger},
           {"created_at", kInteger},
           {"created_by", kText},
           {"state_since", kInteger},
           {"state_revision", kInteger},
           {"bundle_version", kInteger},
           {"last_leaf_not_after", kInteger, kMayBeNothing},
           {"request_id", kText}}};
}

Part PlannedKeys() {
  return {"planned keys",
          "planned_keys",
          "planned_keys",
          1,
          {{"key_uri", kText},
           {"tenant_id", kText},
           {"generation", kInteger},
           {"public_key", kOctets},
           {"is_condemned", kBoolean, false, "condemned"}}};
}

Part BoundKeys() {
  return {"bound keys",
          "bound_keys",
          "bound_keys",
          1,
          {{"key_uri", kText}, {"tenant_id", kText}, {"public_key", kOctets}}};
}

Part Intermediates() {
  return {"intermediates",
          "intermediates",
          "intermediates",
          3,
          {{"tenant_id", kText},
           {"root_id", kText},
           {"sequence", kInteger},
           {"epoch", kInteger},
           {"serial_number", kOctets},
           {"key_type", kText},
           {"not_before", kInteger},
           {"not_after", kInteger},
           {"tbs_certificate", kOctets},
           {"intended_at", kInteger},
           {"certificate", kOctets, kMayBeNothing},
           {"released_at", kInteger, kMayBeNothing}}};
}

Part Devices() {
  return {"devices",
          "devices",
          "devices",
          2,
          {{"tenant_id", kText},
           {"device_id", kText},
           {"state", kOctets},
           {"reported_at", kInteger},
           {"reported_by", kText}}};
}

Part RelyingParties() {
  return {"relying parties",
          "relying_parties",
          "relying_parties",
          2,
          {{"tenant_id", kText},
           {"name", kText},
           {"identity", kText},
           {"kind", kText},
           {"is_manual", kBoolean},
           {"fetched_version", kInteger},
           {"fetched_at", kInteger, kMayBeNothing},
           {"acknowledged_version", kInteger},
           {"acknowledged_sha256", kOctets},
           {"acknowledged_at", kInteger, kMayBeNothing},
           {"acknowledged_by", kText},
           {"registered_at", kInteger}}};
}

Part PolicyVersions() {
  return {"policy versions",
          "policy_versions",
          "policy_versions",
          3,
          {{"tenant_id", kText},
           {"policy_id", kText},
           {"revision", kInteger},
           {"is_deleted", kBoolean},
           {"kind", kText},
           {"display_name", kText},
           {"state", kText},
           {"changed_at", kInteger},
           {"changed_by", kText},
           {"reason", kText},
           {"document", kText}}};
}

Part Policies() {
  return {"policies",
          "policies",
          "policies",
          2,
          {{"tenant_id", kText}, {"policy_id", kText}, {"revision", kInteger}}};
}

Part Users() {
  return {"users",
          "directory_users",
          "directory_users",
          2,
          {{"tenant_id", kText},
           {"user_id", kText},
           {"folded_id", kText},
           {"upn", kText},
           {"folded_upn", kText},
           {"onprem_sid", kText},
           {"is_guest", kBoolean},
           {"is_enabled", kBoolean},
           {"updated_at", kInteger},
           {"updated_by", kText},
           {"role_ids", kText},
           {"group_ids", kText}}};
}

Part Blocks() {
  return {"blocks",
          "blocks",
          "blocks",
          3,
          {{"tenant_id", kText},
           {"kind", kText},
           {"folded_subject", kText},
           {"subject", kText},
           {"reason", kText},
           {"blocked_by", kText},
           {"blocked_at", kInteger},
           {"blocked_until", kInteger, kMayBeNothing}}};
}

Part DeviceKeys() {
  return {"device keys",
          "device_keys",
          "device_keys",
          2,
          {{"tenant_id", kText},
           {"key_id", kText},
           {"device_id", kText},
           {"folded_device_id", kText},
           {"state", kText},
           {"public_key", kOctets},
           {"enrolled_at", kInteger},
           {"enrolled_by", kText},
           {"approved_at", kInteger, kMayBeNothing},
           {"approved_by", kText},
           {"approval_reason", kText},
           {"removed_at", kInteger, kMayBeNothing},
           {"removed_by", kText},
           {"removal_reason", kText},
           {"is_released", kBoolean}}};
}

Part AdministrativeActions() {
  return {"administrative actions",
          "administrative_actions",
          "administrative_actions",
          2,
          {{"tenant_id", kText},
           {"sequence", kInteger},
           {"at", kInteger},
           {"caller", kText},
           {"action", kText},
           {"subject", kText},
           {"from_state", kText},
           {"to_state", kText},
           {"reason", kText},
           {"overrides", kBoolean}}};
}

Part Journal() {
  return {"journal",
          "intents",
          "intents",
          1,
          {{"sequence", kInteger},
           {"tenant_id", kText},
           {"epoch", kInteger},
           {"root_id", kText},
           {"request_id", kText},
           {"request_digest", kOctets},
           {"caller", kText},
           {"user_id", kText},
           {"user_upn", kText},
           {"device_id", kText},
           {"verdict_id", kText},
           {"policy_version", kText},
           {"verdict_evaluated_at", kInteger},
           {"serial_number", kOctets},
           {"not_before", kInteger},
           {"not_after", kInteger},
           {"tbs_certificate", kOctets},
           {"intermediate_serial_number", kOctets},
           {"intended_at", kInteger},
           {"certificate", kOctets, kMayBeNothing},
           {"released_at", kInteger, kMayBeNothing},
           {"identity", kText},
           {"token_issuer", kText},
           {"token_id", kText}}};
}

Part TimeMark() {
  return {"time mark",
          "time_marks",
          "time_mark",
          1,
          {{"newest_at", kInteger},
           {"boot_id", kText},
           {"reference", kInteger},
           {"settled", kBoolean},
           {"ignored_up_to", kInteger},
           {"acceptances", kInteger}}};
}

// Keys are words and numbers; what is not printable is escaped.
std::string InWords(const Cell& cell) {
  if (const auto* number = std::get_if<std::int64_t>(&cell)) return absl::StrCat(*number);
  if (const auto* text = std::get_if<std::string>(&cell)) return absl::Utf8SafeCEscape(*text);
  return "nothing";
}

void AppendNumber(std::uint64_t number, std::string& octets) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    octets.push_back(static_cast<char>((number >> shift) & 0xff));
  }
}

}  // namespace

absl::Span<const Part> Parts() {
  static const auto* const parts = new std::vector<Part>{
      Tenants(),       Roots(),           PlannedKeys(),    BoundKeys(),
      Intermediates(), Devices(),         RelyingParties(), PolicyVersions(),
      Policies(),      Users(),           Blocks(),         DeviceKeys(),
      RefusalPart(),   NewestEventPart(), EventPart(),      AdministrativeActions(),
      Journal(),       TimeMark()};
  return *parts;
}

const Part& JournalPart() { return Parts()[Parts().size() - 2]; }
const Part& TimeMarkPart() { return Parts().back(); }

std::string NameOf(const Part& part, const Row& row) {
  std::string name(part.name);
  for (std::size_t i = 0; i < part.key_size && i < row.size(); ++i) {
    absl::StrAppend(&name, i == 0 ? " " : "/", InWords(row[i]));
  }
  return name;
}

std::string CanonicalOctets(const Row& row) {
  std::string octets;
  for (const Cell& cell : row) {
    octets.push_back(static_cast<char>(cell.index()));
    if (const auto* number = std::get_if<std::int64_t>(&cell)) {
      AppendNumber(static_cast<std::uint64_t>(*number), octets);
    } else if (const auto* text = std::get_if<std::string>(&cell)) {
      AppendNumber(text->size(), octets);
      octets.append(*text);
    }
  }
  return octets;
}

absl::Status CheckMovable(const Part& part, const Row& row) {
  const auto refuse = [&](absl::string_view column, absl::string_view why) {
    return Error(
        ErrorReason::kJournalUnavailable, "",
        absl::StrCat("database: ", NameOf(part, row), " cannot be moved: ", column, " ", why));
  };
  for (std::size_t i = 0; i < part.columns.size(); ++i) {
    if (part.columns[i].kind != kText) continue;
    const auto* const text = std::get_if<std::string>(&row[i]);
    if (text == nullptr) continue;
    if (text->find('\0') != std::string::npos) return refuse(part.columns[i].name, "has a NUL");
    if (!text->empty() && !ca::DecodeUtf8(*text).has_value()) {
      return refuse(part.columns[i].name, "is not UTF-8");
    }
  }
  if (&part != &JournalPart()) return absl::OkStatus();
  const std::int64_t intended_at = std::get<std::int64_t>(row[kJournalIntendedAt]);
  if (intended_at < 0 || intended_at > kLatestIntent) {
    return refuse("intended_at", "is a time that no partition has");
  }
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
