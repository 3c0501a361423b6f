#include "issuance/services/access/policy_mapper.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/access/explanation.h"
#include "issuance/access/graph/graph_export.h"
#include "issuance/access/missing_references.h"
#include "issuance/access/terms.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

using access::GraphExport;

constexpr std::size_t kMaxPolicyIdSize = 128;
constexpr std::size_t kMaxNameSize = 1024;
constexpr char kDocument[] = "document";
// Of a document of one object.
constexpr absl::string_view kOnlyObject = "value[0].";

absl::Status InvalidDocument(absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, kDocument, message);
}

// Collects records, and holds them to what can be kept.
class RecordMaker {
 public:
  void Add(const access::ConditionalAccessPolicy& policy) {
    GraphExport one;
    one.policies = {policy};
    Add(PolicyKind::kConditionalAccess, policy.id, policy.display_name,
        access::GraphName(policy.state), one);
  }
  void Add(const access::NamedLocation& location) {
    GraphExport one;
    one.locations = {location};
    Add(PolicyKind::kNamedLocation, location.id, location.display_name, "", one);
  }
  void Add(const access::CompliancePolicy& policy) {
    GraphExport one;
    one.compliance_policies = {policy};
    Add(PolicyKind::kDeviceCompliance, policy.id, policy.display_name, "", one);
  }

  absl::StatusOr<std::vector<PolicyRecord>> Take() {
    RETURN_IF_ERROR(status_);
    return std::move(records_);
  }

 private:
  void Add(PolicyKind kind, const std::string& id, const std::string& name, absl::string_view state,
           const GraphExport& object) {
    status_.Update(Check(id, name));
    PolicyRecord record;
    record.policy_id = id;
    record.kind = kind;
    record.display_name = name;
    record.state = std::string(state);
    record.document = access::WriteGraphExport(object);
    records_.push_back(std::move(record));
  }

  absl::Status Check(const std::string& id, const std::string& name) {
    const std::optional<ca::Utf8Text> decoded = ca::DecodeUtf8(name);
    if (!decoded.has_value() || decoded->has_controls || name.size() > kMaxNameSize) {
      return InvalidDocument(absl::StrCat("the name of ", id, " must have at most ", kMaxNameSize,
                                          " octets without control characters"));
    }
    if (!CheckId(id, kMaxPolicyIdSize, kDocument).ok()) {
      return InvalidDocument(absl::StrCat(
          "\"", name, "\" needs an id of 1 to 128 characters of printable ASCII without space"));
    }
    if (!ids_.insert(absl::AsciiStrToLower(id)).second) {
      return InvalidDocument(absl::StrCat("the id ", id, " is there twice"));
    }
    return absl::OkStatus();
  }

  absl::Status status_;
  std::vector<PolicyRecord> records_;
  absl::flat_hash_set<std::string> ids_;
};

v1::PolicyNotice Notice(absl::string_view policy_id, absl::string_view path,
                        absl::string_view message) {
  v1::PolicyNotice notice;
  notice.set_policy_id(std::string(policy_id));
  notice.set_path(std::string(path));
  notice.set_message(std::string(message));
  return notice;
}

v1::PolicyKind ToProto(PolicyKind kind) {
  switch (kind) {
    case PolicyKind::kConditionalAccess:
      return v1::CONDITIONAL_ACCESS;
    case PolicyKind::kNamedLocation:
      return v1::NAMED_LOCATION;
    case PolicyKind::kDeviceCompliance:
      return v1::DEVICE_COMPLIANCE;
  }
  return v1::POLICY_KIND_UNSPECIFIED;
}

bool HasId(const std::vector<std::string>& ids, absl::string_view id) {
  return std::any_of(ids.begin(), ids.end(),
                     [id](const std::string& other) { return absl::EqualsIgnoreCase(other, id); });
}

template <typename Enum>
absl::Status ReadTerm(const std::string& text, absl::string_view field, std::optional<Enum>* term) {
  if (text.empty()) return absl::OkStatus();
  *term = access::FromGraphName<Enum>(text);
  if (term->has_value()) return absl::OkStatus();
  return Error(ErrorReason::kFieldInvalid, field, "is no value that Microsoft Graph has here");
}

}  // namespace

absl::StatusOr<PolicyImport> ReadPolicyImport(absl::string_view document, bool as_report_only) {
  absl::StatusOr<GraphExport> read = access::ParseGraphExport(document);
  if (!read.ok()) return InvalidDocument(read.status().message());
  RecordMaker maker;
  for (access::ConditionalAccessPolicy& policy : read->policies) {
    if (as_report_only) policy.state = access::PolicyState::kReportOnly;
    maker.Add(policy);
  }
  for (const access::NamedLocation& location : read->locations) maker.Add(location);
  for (const access::CompliancePolicy& policy : read->compliance_policies) maker.Add(policy);
  PolicyImport import;
  ASSIGN_OR_RETURN(import.records, maker.Take());
  if (import.records.empty()) return InvalidDocument("has no policy");
  for (const access::Notice& notice : read->notices) {
    import.notices.push_back(Notice(notice.object_id, notice.path, notice.message));
  }
  return import;
}

absl::StatusOr<PolicyRecord> WithState(const PolicyRecord& record, access::PolicyState state) {
  absl::StatusOr<GraphExport> read = access::ParseGraphExport(record.document);
  if (!read.ok() || read->policies.size() != 1) {
    return Error(ErrorReason::kFieldInvalid, "policy_id",
                 "is that of no conditional access policy, which alone has a state");
  }
  read->policies[0].state = state;
  PolicyRecord changed = record;
  changed.state = std::string(access::GraphName(state));
  changed.document = access::WriteGraphExport(*read);
  return changed;
}

std::optional<std::string> UserOfLocation(const std::vector<PolicyRecord>& records,
                                          absl::string_view location_id) {
  for (const PolicyRecord& record : records) {
    const absl::StatusOr<GraphExport> read = access::ParseGraphExport(record.document);
    if (!read.ok()) continue;
    for (const access::ConditionalAccessPolicy& policy : read->policies) {
      const auto& locations = policy.conditions.locations;
      if (!locations.has_value()) continue;
      if (HasId(locations->include, location_id) || HasId(locations->exclude, location_id)) {
        return policy.display_name;
      }
    }
  }
  return std::nullopt;
}

v1::Policy ToProto(const PolicyRecord& record) {
  v1::Policy policy;
  policy.set_tenant_id(record.tenant_id);
  policy.set_id(record.policy_id);
  policy.set_kind(ToProto(record.kind));
  policy.set_display_name(record.display_name);
  const auto state = access::FromGraphName<access::PolicyState>(record.state);
  if (state.has_value()) policy.set_state(ToProto(*state));
  policy.set_document(record.document);
  policy.set_revision(record.revision);
  *policy.mutable_changed_at() = ToProto(record.changed_at);
  policy.set_changed_by(record.changed_by);
  return policy;
}

std::vector<v1::PolicyNotice> NoticesOf(const PolicyRecord& record,
                                        const std::vector<access::NamedLocation>& locations,
                                        const access::AccessOptions& options) {
  std::vector<v1::PolicyNotice> notices;
  const absl::StatusOr<GraphExport> read = access::ParseGraphExport(record.document);
  if (!read.ok()) return notices;
  for (const access::Notice& notice : read->notices) {
    if (notice.kind != access::Notice::Kind::kNotEnforced) continue;
    notices.push_back(
        Notice(record.policy_id, absl::StripPrefix(notice.path, kOnlyObject), notice.message));
  }
  std::vector<v1::PolicyNotice> missing = MissingOf(record, locations, options);
  std::move(missing.begin(), missing.end(), std::back_inserter(notices));
  return notices;
}

std::vector<v1::PolicyNotice> MissingOf(const PolicyRecord& record,
                                        const std::vector<access::NamedLocation>& locations,
                                        const access::AccessOptions& options) {
  std::vector<v1::PolicyNotice> notices;
  const absl::StatusOr<GraphExport> read = access::ParseGraphExport(record.document);
  if (!read.ok()) return notices;
  for (const access::ConditionalAccessPolicy& policy : read->policies) {
    for (const auto& missing : access::MissingReferences(policy, locations, options)) {
      notices.push_back(Notice(record.policy_id, missing.path, missing.why));
    }
  }
  return notices;
}

std::vector<access::NamedLocation> LocationsOf(const std::vector<PolicyRecord>& records) {
  std::vector<access::NamedLocation> locations;
  for (const PolicyRecord& record : records) {
    if (record.kind != PolicyKind::kNamedLocation) continue;
    absl::StatusOr<GraphExport> read = access::ParseGraphExport(record.document);
    if (!read.ok()) continue;
    std::move(read->locations.begin(), read->locations.end(), std::back_inserter(locations));
  }
  return locations;
}

absl::StatusOr<access::PolicyState> FromProto(v1::PolicyState state) {
  switch (state) {
    case v1::POLICY_ENABLED:
      return access::PolicyState::kEnabled;
    case v1::POLICY_DISABLED:
      return access::PolicyState::kDisabled;
    case v1::POLICY_REPORT_ONLY:
      return access::PolicyState::kReportOnly;
    default:
      return Error(ErrorReason::kFieldInvalid, "state",
                   "must be POLICY_ENABLED, POLICY_DISABLED or POLICY_REPORT_ONLY");
  }
}

v1::PolicyState ToProto(access::PolicyState state) {
  switch (state) {
    case access::PolicyState::kEnabled:
      return v1::POLICY_ENABLED;
    case access::PolicyState::kDisabled:
      return v1::POLICY_DISABLED;
    case access::PolicyState::kReportOnly:
      return v1::POLICY_REPORT_ONLY;
  }
  return v1::POLICY_STATE_UNSPECIFIED;
}

absl::StatusOr<access::SignInFacts> FromProto(const v1::SignInFacts& facts) {
  access::SignInFacts known;
  if (!facts.ip_address().empty()) {
    known.address = access::ParseIpAddress(facts.ip_address());
    if (!known.address.has_value()) {
      return Error(ErrorReason::kFieldInvalid, "sign_in.ip_address",
                   "must be an address of IPv4 or IPv6");
    }
  }
  if (!facts.country().empty()) {
    if (facts.country().size() != 2 ||
        !std::all_of(facts.country().begin(), facts.country().end(), absl::ascii_isalpha)) {
      return Error(ErrorReason::kFieldInvalid, "sign_in.country",
                   "must be two letters, as ISO 3166-1 has them");
    }
    known.country = absl::AsciiStrToUpper(facts.country());
  }
  RETURN_IF_ERROR(ReadTerm(facts.sign_in_risk(), "sign_in.sign_in_risk", &known.sign_in_risk));
  RETURN_IF_ERROR(ReadTerm(facts.user_risk(), "sign_in.user_risk", &known.user_risk));
  RETURN_IF_ERROR(ReadTerm(facts.client_app(), "sign_in.client_app", &known.client_app));
  if (known.client_app == access::ClientApp::kAll ||
      known.client_app == access::ClientApp::kEasSupported) {
    return Error(ErrorReason::kFieldInvalid, "sign_in.client_app",
                 "is a word of policies, and no client application");
  }
  if (facts.has_mfa()) known.mfa = facts.mfa();
  if (facts.has_authenticated_at()) {
    ASSIGN_OR_RETURN(known.authenticated_at,
                     FromProto(facts.authenticated_at(), "sign_in.authenticated_at"));
    if (facts.mfa()) known.mfa_at = known.authenticated_at;
  }
  if (!facts.authentication_methods().empty()) {
    known.methods.emplace(facts.authentication_methods().begin(),
                          facts.authentication_methods().end());
  }
  return known;
}

v1::PolicyOutcome ToProto(const access::PolicyResult& result) {
  v1::PolicyOutcome outcome;
  outcome.set_policy_id(result.policy->id);
  outcome.set_display_name(result.policy->display_name);
  outcome.set_state(ToProto(result.policy->state));
  outcome.set_description(access::DescribeResult(result));
  switch (result.application) {
    case access::Application::kNotApplied:
      outcome.set_application(v1::PolicyOutcome::NOT_APPLIED);
      outcome.set_excluded_by(std::string(access::ConditionPath(result.excluded_by)));
      return outcome;
    case access::Application::kPossiblyApplies:
      outcome.set_application(v1::PolicyOutcome::POSSIBLY_APPLIES);
      break;
    case access::Application::kApplies:
      outcome.set_application(v1::PolicyOutcome::APPLIES);
      break;
  }
  outcome.set_satisfaction(
      result.satisfaction == access::Satisfaction::kBlocks      ? v1::PolicyOutcome::BLOCKS
      : result.satisfaction == access::Satisfaction::kSatisfied ? v1::PolicyOutcome::SATISFIED
                                                                : v1::PolicyOutcome::UNSATISFIED);
  for (const access::ControlResult& control : result.controls) {
    outcome.add_controls(access::DescribeControl(control));
  }
  return outcome;
}

}  // namespace hourglass::issuance
