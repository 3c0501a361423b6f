#include "tests/history/journal_file.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ca/issuers/root_states.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tests/history/json_fields.h"

namespace hourglass::history {
namespace {

std::int64_t Micros(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp TimestampOf(std::int64_t micros) { return Timestamp(std::chrono::microseconds(micros)); }

void AddTime(const char* name, std::optional<Timestamp> time, Json* json) {
  if (time.has_value()) (*json)[name] = Micros(*time);
}

Timestamp TakeTime(JsonFields& fields, const char* name) {
  return TimestampOf(fields.Number(name));
}
std::optional<Timestamp> TakeOptionalTime(JsonFields& fields, const char* name) {
  const std::optional<std::int64_t> micros = fields.OptionalNumber(name);
  return micros.has_value() ? std::optional<Timestamp>(TimestampOf(*micros)) : std::nullopt;
}
ca::Time TakeSeconds(JsonFields& fields, const char* name) {
  return ca::Time(std::chrono::seconds(fields.Number(name)));
}

Json AsJson(const RecordedRoot& root) {
  return {{"record", "root"},
          {"root", root.root_id},
          {"state", std::string(ca::RootStateName(root.state))},
          {"not_after", root.not_after.time_since_epoch().count()},
          {"certificate", Base64(root.certificate)}};
}

Json AsJson(const RootAction& action) {
  Json json = {{"record", "action"},      {"sequence", action.sequence},
               {"at", Micros(action.at)}, {"action", action.action},
               {"root", action.root_id},  {"from", action.from_state},
               {"to", action.to_state}};
  AddTime("committed_at", action.committed_at, &json);
  return json;
}

Json AsJson(const RecordedIntermediate& record) {
  Json json = {{"record", "intermediate"},
               {"epoch", record.epoch},
               {"root", record.root_id},
               {"serial_number", Base64(record.serial_number)},
               {"certificate", Base64(record.certificate)}};
  AddTime("released_at", record.released_at, &json);
  return json;
}

Json AsJson(const RecordedCertificate& record) {
  Json json = {{"record", "certificate"},
               {"request", record.request_id},
               {"epoch", record.epoch},
               {"root", record.root_id},
               {"serial_number", Base64(record.serial_number)},
               {"intermediate", Base64(record.intermediate_serial_number)},
               {"to_be_signed", Base64(record.to_be_signed)},
               {"not_after", record.not_after.time_since_epoch().count()},
               {"intended_at", Micros(record.intended_at)},
               {"certificate", Base64(record.certificate)}};
  AddTime("intent_committed_at", record.intent_committed_at, &json);
  AddTime("released_at", record.released_at, &json);
  AddTime("release_committed_at", record.release_committed_at, &json);
  return json;
}

template <typename Records>
void WriteAll(const TenantHistory& tenant, const Records& records, std::ostream& file) {
  for (const auto& record : records) {
    Json json = AsJson(record);
    json["tenant"] = tenant.tenant_id;
    file << LineOf(json) << '\n';
  }
}

absl::Status Take(JsonFields& fields, std::vector<RecordedRoot>* roots) {
  RecordedRoot& root = roots->emplace_back();
  root.root_id = fields.Text("root");
  const std::optional<ca::RootState> state = ca::RootStateNamed(fields.Text("state"));
  if (!state.has_value()) return Error(ErrorReason::kFieldInvalid, "", "`state` is none");
  root.state = *state;
  root.not_after = TakeSeconds(fields, "not_after");
  root.certificate = fields.Octets("certificate");
  return fields.Finish();
}

absl::Status Take(JsonFields& fields, std::vector<RootAction>* actions) {
  RootAction& action = actions->emplace_back();
  action.sequence = fields.Count("sequence");
  action.at = TakeTime(fields, "at");
  action.action = fields.Text("action");
  action.root_id = fields.Text("root");
  action.from_state = fields.Text("from");
  action.to_state = fields.Text("to");
  action.committed_at = TakeOptionalTime(fields, "committed_at");
  return fields.Finish();
}

absl::Status Take(JsonFields& fields, std::vector<RecordedIntermediate>* records) {
  RecordedIntermediate& record = records->emplace_back();
  record.epoch = fields.Count("epoch");
  record.root_id = fields.Text("root");
  record.serial_number = fields.Octets("serial_number");
  record.certificate = fields.Octets("certificate");
  record.released_at = TakeOptionalTime(fields, "released_at");
  return fields.Finish();
}

absl::Status Take(JsonFields& fields, std::vector<RecordedCertificate>* records) {
  RecordedCertificate& record = records->emplace_back();
  record.request_id = fields.Text("request");
  record.epoch = fields.Count("epoch");
  record.root_id = fields.Text("root");
  record.serial_number = fields.Octets("serial_number");
  record.intermediate_serial_number = fields.Octets("intermediate");
  record.to_be_signed = fields.Octets("to_be_signed");
  record.not_after = TakeSeconds(fields, "not_after");
  record.intended_at = TakeTime(fields, "intended_at");
  record.intent_committed_at = TakeOptionalTime(fields, "intent_committed_at");
  record.certificate = fields.Octets("certificate");
  record.released_at = TakeOptionalTime(fields, "released_at");
  record.release_committed_at = TakeOptionalTime(fields, "release_committed_at");
  return fields.Finish();
}

class TenantsReader {
 public:
  absl::Status ReadLine(absl::string_view line) {
    ASSIGN_OR_RETURN(JsonFields fields, JsonFields::Parse(line));
    const std::string kind = fields.Text("record");
    const std::string tenant_id = fields.Text("tenant");
    if (ended_.count(tenant_id) > 0) {
      return Error(ErrorReason::kFieldInvalid, "", "comes after its tenant");
    }
    TenantHistory& tenant = open_[tenant_id];
    tenant.tenant_id = tenant_id;
    if (kind == "root") return Take(fields, &tenant.roots);
    if (kind == "action") return Take(fields, &tenant.actions);
    if (kind == "intermediate") return Take(fields, &tenant.intermediates);
    if (kind == "certificate") return Take(fields, &tenant.certificates);
    if (kind != "tenant") return Error(ErrorReason::kFieldInvalid, "", "is no record known here");
    tenant.epoch = fields.Count("epoch");
    tenant.revision = fields.Count("revision");
    tenants_.push_back(std::move(tenant));
    open_.erase(tenant_id);
    ended_.insert(tenant_id);
    return fields.Finish();
  }

  bool HasEnded() const { return open_.empty(); }
  std::vector<TenantHistory> TakeTenants() { return std::move(tenants_); }

 private:
  std::vector<TenantHistory> tenants_;
  std::map<std::string, TenantHistory> open_;
  std::set<std::string> ended_;
};

}  // namespace

void WriteTenant(const TenantHistory& tenant, std::ostream& file) {
  WriteAll(tenant, tenant.roots, file);
  WriteAll(tenant, tenant.actions, file);
  WriteAll(tenant, tenant.intermediates, file);
  WriteAll(tenant, tenant.certificates, file);
  file << LineOf({{"record", "tenant"},
                  {"tenant", tenant.tenant_id},
                  {"epoch", tenant.epoch},
                  {"revision", tenant.revision}})
       << '\n';
}

absl::StatusOr<std::vector<TenantHistory>> ReadTenants(std::istream& text, absl::string_view name) {
  TenantsReader reader;
  std::string line;
  for (int number = 1; std::getline(text, line); ++number) {
    const absl::Status read = reader.ReadLine(line);
    if (!read.ok()) {
      return Error(ErrorReason::kFieldInvalid, absl::StrCat(name, ":", number), read.message());
    }
    if (text.eof()) return Error(ErrorReason::kFieldInvalid, name, "its last line has no end");
  }
  if (!reader.HasEnded()) return Error(ErrorReason::kFieldInvalid, name, "a tenant has no end");
  return reader.TakeTenants();
}

}  // namespace hourglass::history
