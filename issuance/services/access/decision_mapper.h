// Refusals and events, between the store's records and the messages of the public contract.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ACCESS_DECISION_MAPPER_H_
#define HOURGLASS_ISSUANCE_SERVICES_ACCESS_DECISION_MAPPER_H_

#include <google/protobuf/repeated_ptr_field.h>

#include "absl/strings/string_view.h"
#include "hourglass/v1/decisions.pb.h"
#include "issuance/store/decision_records.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

v1::Refusal ToProto(const RefusalRecord& refusal);

// As RefusalRecord and DecisionEvent keep them; none of what is none.
google::protobuf::RepeatedPtrField<v1::DenyReason> ReasonsIn(absl::string_view kept);

// With the certificates that it concerns left to the caller.
v1::DecisionEvent ToProto(const DecisionEvent& event);
v1::LiveCertificate ToProto(const JournalRecord& record, absl::string_view root_sha256);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ACCESS_DECISION_MAPPER_H_
