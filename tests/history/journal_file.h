// What a database says, as lines of JSON: a record each, and each with its tenant. The tenant
// itself comes last of what is its own, so that a file that was cut off is noticed.
//
//   {"record":"root","tenant":"contoso","root":"r1","state":"PRIMARY","not_after":…,"certificate":…}
//   {"record":"action",…,"sequence":1,"at":…,"action":"root_created","root":"r1","from":"",
//    "to":"STAGED"}
//   {"record":"certificate",…,"request":"r-1","epoch":1,"root":"r1","serial_number":…,
//    "intermediate":"","to_be_signed":…,"not_after":…,"intended_at":…,"certificate":…,
//    "released_at":…}
//   {"record":"intermediate",…}
//   {"record":"tenant","tenant":"contoso","epoch":1,"revision":2}
//
// `not_after` is in seconds, all other times in microseconds since 1970; octets are base64. Times
// of commit, and of what did not happen, are left out.
#ifndef HOURGLASS_TESTS_HISTORY_JOURNAL_FILE_H_
#define HOURGLASS_TESTS_HISTORY_JOURNAL_FILE_H_

#include <istream>
#include <ostream>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/history/history.h"

namespace hourglass::history {

// Whoever calls this looks at the state of `file`.
void WriteTenant(const TenantHistory& tenant, std::ostream& file);

// In the order in which they end. Errors: FIELD_INVALID with field `NAME:LINE` for a line that is
// none of the above or comes after its tenant; with field `NAME` where a tenant has no end, or the
// last line none.
absl::StatusOr<std::vector<TenantHistory>> ReadTenants(std::istream& text, absl::string_view name);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_JOURNAL_FILE_H_
