// JSON that is read into a protobuf message and in which nothing is guessed.
#ifndef HOURGLASS_TOOLS_CLIENT_STRICT_JSON_H_
#define HOURGLASS_TOOLS_CLIENT_STRICT_JSON_H_

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hourglass::client {

// Fills `message` from one JSON object (RFC 8259): no comments, no second member of a name, no two
// spellings of one field (`disk_encryption`, `diskEncryption`), no unknown member, no null, truths
// that are true or false, whole numbers that are numbers. Times are RFC 3339 text. UTF-16 and a
// byte order mark are taken. Errors: FIELD_INVALID with the member's path as field
// (`disk_encryption.enabled`), or without a field where it is no JSON; `message` is unspecified
// then.
absl::Status ReadStrictJson(absl::string_view octets, google::protobuf::Message* message);

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_STRICT_JSON_H_
