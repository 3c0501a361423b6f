// Times between the journal's form and protobuf's.
#ifndef HOURGLASS_ISSUANCE_WIRE_PROTO_TIME_H_
#define HOURGLASS_ISSUANCE_WIRE_PROTO_TIME_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/timestamp.pb.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

google::protobuf::Timestamp ToProto(Timestamp time);

// Fractions of a microsecond are cut. Errors: FIELD_INVALID with `field` for years before 1 or
// after 9999 and nanoseconds outside 0…999 999 999 (the limits of google.protobuf.Timestamp).
absl::StatusOr<Timestamp> FromProto(const google::protobuf::Timestamp& time,
                                    absl::string_view field);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_WIRE_PROTO_TIME_H_
