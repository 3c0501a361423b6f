// The store's records as messages of the public contract.
#ifndef HOURGLASS_ISSUANCE_SERVICES_RECORD_MAPPER_H_
#define HOURGLASS_ISSUANCE_SERVICES_RECORD_MAPPER_H_

#include <vector>

#include "absl/status/statusor.h"
#include "ca/issuers/root_states.h"
#include "hourglass/v1/devices.pb.h"
#include "hourglass/v1/journal.pb.h"
#include "hourglass/v1/roots.pb.h"
#include "hourglass/v1/tenants.pb.h"
#include "hourglass/v1/trust_bundles.pb.h"
#include "hsm/key/signing_key.h"
#include "issuance/store/records.h"

namespace hourglass::issuance {

v1::KeyType ToProto(hsm::KeyType key_type);
v1::RootState ToProto(ca::RootState state);
v1::Root ToProto(const RootRecord& root);
// `roots` are the tenant's.
v1::Tenant ToProto(const TenantRecord& tenant, const std::vector<RootRecord>& roots);
v1::Intermediate ToProto(const IntermediateRecord& intermediate);
v1::JournalEntry ToProto(const JournalRecord& record);
v1::RelyingParty ToProto(const RelyingPartyRecord& party);
// Errors: JOURNAL_UNAVAILABLE where the stored state cannot be read.
absl::StatusOr<v1::Device> ToProto(const DeviceRecord& device);
v1::AdministrativeAction ToProto(const AdministrativeAction& action);

// Errors: FIELD_MISSING, FIELD_INVALID with field `key_type`.
absl::StatusOr<hsm::KeyType> FromProto(v1::KeyType key_type);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_RECORD_MAPPER_H_
