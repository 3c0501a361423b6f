// What is kept to decide who may connect, between the store's records and the messages of the
// public contract.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ACCESS_ACCESS_MAPPER_H_
#define HOURGLASS_ISSUANCE_SERVICES_ACCESS_ACCESS_MAPPER_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/blocks.pb.h"
#include "hourglass/v1/device_keys.pb.h"
#include "hourglass/v1/directory.pb.h"
#include "issuance/store/access_records.h"

namespace hourglass::issuance {

// Of a user's block `user_upn` is set where the subject has an `@`, else `user_id`.
v1::Block ToProto(const BlockRecord& block);
v1::DirectoryUser ToProto(const DirectoryUser& user);
v1::DeviceKey ToProto(const DeviceKeyRecord& key);

// None where it is not specified. Errors: FIELD_INVALID with field `state`.
absl::StatusOr<std::optional<DeviceKeyRecord::State>> FromProto(v1::DeviceKeyState state);

// Whom a block is about.
struct BlockedSubject {
  BlockRecord::Kind kind;
  std::string subject;
};

// Errors: FIELD_MISSING with field `subject` where none is set; those of CheckUser with field
// `subject.device_id`, `subject.user_id` or `subject.user_upn`.
absl::StatusOr<BlockedSubject> FromProto(const v1::BlockSubject& subject);

// The record of a user who is to be put, his groups and roles sorted and each once; who put him and
// when is left to the store. `field` names him: `users[3]`. Errors: FIELD_MISSING, FIELD_INVALID
// with the field of his at fault: `users[3].upn`.
absl::StatusOr<DirectoryUser> FromProto(const v1::DirectoryUser& user, absl::string_view field);

// Whether this may be a user's UPN in requests: UTF-8 of 3 to 256 octets with one `@`, without
// control characters. Errors: FIELD_MISSING, FIELD_INVALID with `field`.
absl::Status CheckUpn(absl::string_view upn, absl::string_view field);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ACCESS_ACCESS_MAPPER_H_
