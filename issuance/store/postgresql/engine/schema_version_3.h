// What the third version adds: by whose word it is known for whom a certificate is.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SCHEMA_VERSION_3_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SCHEMA_VERSION_3_H_

#include "absl/strings/string_view.h"

namespace hourglass::issuance::postgresql {

// As kSchemaVersion2.
extern const absl::string_view kSchemaVersion3;

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SCHEMA_VERSION_3_H_
