// Policies between the store's records, Graph's documents and the messages of the public contract.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ACCESS_POLICY_MAPPER_H_
#define HOURGLASS_ISSUANCE_SERVICES_ACCESS_POLICY_MAPPER_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/policies.pb.h"
#include "issuance/access/evaluation.h"
#include "issuance/access/facts.h"
#include "issuance/access/named_location.h"
#include "issuance/store/access_records.h"

namespace hourglass::issuance {

// What is to be put, of no tenant yet, and what is to be told of it.
struct PolicyImport {
  std::vector<PolicyRecord> records;
  std::vector<v1::PolicyNotice> notices;
};

// Of a document as access::ParseGraphExport takes it. `as_report_only` makes every conditional
// access policy report-only. Errors: FIELD_INVALID with field `document` for what it cannot read,
// for an id or a name that cannot be kept, and for an id that is there twice, by whatever letters'
// case. A pure function.
absl::StatusOr<PolicyImport> ReadPolicyImport(absl::string_view document, bool as_report_only);

// The record of a conditional access policy with another state, in its document, too. Errors:
// FIELD_INVALID with field `policy_id` for a record of another kind or one that cannot be read.
absl::StatusOr<PolicyRecord> WithState(const PolicyRecord& record, access::PolicyState state);

// Ids of named locations that policies of these refer to, with the policy's name, where one is
// `location_id`: nullopt for none.
std::optional<std::string> UserOfLocation(const std::vector<PolicyRecord>& records,
                                          absl::string_view location_id);

// Without its notices.
v1::Policy ToProto(const PolicyRecord& record);

// What of the record is not enforced, and what it refers to and is not there. Empty of a record
// that cannot be read.
std::vector<v1::PolicyNotice> NoticesOf(const PolicyRecord& record,
                                        const std::vector<access::NamedLocation>& locations,
                                        const access::AccessOptions& options);

// The part of it that is about what is not there.
std::vector<v1::PolicyNotice> MissingOf(const PolicyRecord& record,
                                        const std::vector<access::NamedLocation>& locations,
                                        const access::AccessOptions& options);

// Those among the records.
std::vector<access::NamedLocation> LocationsOf(const std::vector<PolicyRecord>& records);

// Errors: FIELD_INVALID with field `state` for one that is none.
absl::StatusOr<access::PolicyState> FromProto(v1::PolicyState state);
v1::PolicyState ToProto(access::PolicyState state);

// Errors: FIELD_INVALID with the field at fault below `sign_in`.
absl::StatusOr<access::SignInFacts> FromProto(const v1::SignInFacts& facts);

v1::PolicyOutcome ToProto(const access::PolicyResult& result);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ACCESS_POLICY_MAPPER_H_
