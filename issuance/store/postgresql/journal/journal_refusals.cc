#include "issuance/store/postgresql/journal/journal_refusals.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::postgresql {
namespace {

constexpr absl::string_view kLookAtIntent =
    "SELECT t.tenant_id IS NOT NULL, t.epoch, t.primary_root,"
    "  EXISTS (SELECT FROM journal_keys WHERE tenant_id = $1 AND request_id = $2),"
    "  EXISTS (SELECT FROM intermediates WHERE tenant_id = $1 AND root_id = $3"
    "    AND serial_number = $4 AND certificate IS NOT NULL),"
    "  EXISTS (SELECT FROM journal_keys WHERE tenant_id = $1 AND root_id = $3"
    "    AND serial_number = $5) "
    "FROM (SELECT) AS one LEFT JOIN tenants t ON t.tenant_id = $1";

constexpr absl::string_view kLookAtRelease =
    "SELECT t.tenant_id IS NOT NULL, t.epoch, t.primary_root,"
    "  i.sequence IS NOT NULL, k.epoch, r.sequence IS NOT NULL "
    "FROM (SELECT) AS one LEFT JOIN tenants t ON t.tenant_id = $1 "
    "LEFT JOIN journal_keys k ON k.tenant_id = $1 AND k.request_id = $2 "
    "LEFT JOIN intents i ON i.tenant_id = k.tenant_id AND i.intended_at = k.intended_at"
    "  AND i.sequence = k.sequence "
    "LEFT JOIN releases r ON r.sequence = i.sequence AND r.intended_at = i.intended_at";

Statement LookAt(const Intent& intent) {
  return {kLookAtIntent,
          {Text{intent.tenant_id}, Text{intent.request_id}, Text{intent.root_id},
           Blob{intent.intermediate_serial_number}, Blob{intent.serial_number}}};
}

Statement LookAt(const Release& release) {
  return {kLookAtRelease, {Text{release.tenant_id}, Text{release.request_id}}};
}

std::optional<FencedTenant> TakeTenant(Rows& rows) {
  const bool is_there = rows.TakeBoolean();
  FencedTenant tenant;
  tenant.epoch = static_cast<std::uint64_t>(rows.TakeInteger());
  tenant.primary_root = rows.TakeOctets();
  return is_there ? std::make_optional(std::move(tenant)) : std::nullopt;
}

const FencedTenant* PointerTo(const std::optional<FencedTenant>& tenant) {
  return tenant.has_value() ? &*tenant : nullptr;
}

// `came_later`: its request's intent is of the same batch, and after this write.
absl::Status Reason(const Intent& intent, bool came_later, Rows& rows) {
  const std::optional<FencedTenant> tenant = TakeTenant(rows);
  const bool id_is_used = rows.TakeBoolean(), intermediate_is_released = rows.TakeBoolean(),
             serial_is_used = rows.TakeBoolean();
  absl::Status status = CheckIntent(PointerTo(tenant), intent);
  if (!status.ok()) return status;
  if (id_is_used && !came_later) return RequestIdUsedBefore();
  status = CheckIntermediateOf(intent, intermediate_is_released);
  if (!status.ok()) return status;
  return serial_is_used ? SerialNumberCollides() : PrimaryChanged();
}

absl::Status Reason(const Release& release, bool came_later, Rows& rows) {
  const std::optional<FencedTenant> tenant = TakeTenant(rows);
  const bool is_intended = rows.TakeBoolean();
  const auto epoch = static_cast<std::uint64_t>(rows.TakeInteger());
  const bool is_released = rows.TakeBoolean();
  if (!is_intended || came_later) return IntentUnknown();
  absl::Status status = CheckRelease(PointerTo(tenant), epoch, release);
  if (!status.ok()) return status;
  return is_released ? ReleasedBefore() : PrimaryChanged();
}

using Request = std::pair<absl::string_view, absl::string_view>;  // tenant and request id

Request RequestOf(const JournalWrite& write) {
  return std::visit([](const auto& record) { return Request(record.tenant_id, record.request_id); },
                    write);
}

// Where in the batch the intents are that were written.
std::map<Request, std::size_t> IntentsOf(absl::Span<const JournalWrite> writes,
                                         const std::vector<bool>& written) {
  std::map<Request, std::size_t> intents;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (written[i] && std::holds_alternative<Intent>(writes[i])) intents[RequestOf(writes[i])] = i;
  }
  return intents;
}

}  // namespace

std::vector<absl::Status> StatusesOf(Connection& connection, absl::Span<const JournalWrite> writes,
                                     const std::vector<bool>& written) {
  std::vector<absl::Status> statuses(writes.size());
  std::vector<std::size_t> refused;
  std::vector<Statement> looks;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (written[i]) continue;
    refused.push_back(i);
    looks.push_back(std::visit([](const auto& record) { return LookAt(record); }, writes[i]));
  }
  if (refused.empty()) return statuses;
  absl::StatusOr<std::vector<Rows>> seen = connection.RunTogether(looks);
  const std::map<Request, std::size_t> intents = IntentsOf(writes, written);
  for (std::size_t i = 0; i < refused.size(); ++i) {
    absl::Status& status = statuses[refused[i]];
    const JournalWrite& write = writes[refused[i]];
    if (!seen.ok() || !(*seen)[i].Next()) {
      status = seen.ok() ? PrimaryChanged() : seen.status();
      continue;
    }
    const auto intent = intents.find(RequestOf(write));
    const bool came_later = intent != intents.end() && intent->second > refused[i];
    status = std::visit([&](const auto& record) { return Reason(record, came_later, (*seen)[i]); },
                        write);
  }
  return statuses;
}

}  // namespace hourglass::issuance::postgresql
