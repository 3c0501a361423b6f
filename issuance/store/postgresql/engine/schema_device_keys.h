// The tables of device keys, which a version of the schema adds.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SCHEMA_DEVICE_KEYS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SCHEMA_DEVICE_KEYS_H_

#include "absl/strings/string_view.h"

namespace hourglass::issuance::postgresql {

// Statements, separated by semicolons, for a connection whose search_path is the schema. Lives as
// long as the process.
extern const absl::string_view kSchemaDeviceKeys;

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SCHEMA_DEVICE_KEYS_H_
