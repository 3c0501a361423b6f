// What the kits write, where tests start the programs that read it.
#ifndef HOURGLASS_TESTS_RELYING_PARTIES_KIT_FILES_H_
#define HOURGLASS_TESTS_RELYING_PARTIES_KIT_FILES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/gateways/kit.h"

namespace hourglass {

// The tenant `contoso` with the certificates of a PEM text as its roots r1, r2 and so on, of which
// the first is the primary. Ends the process where the text holds none.
gateways::KitSubject SubjectOf(absl::string_view roots_pem);

// The files of a kit with these values, completed.
absl::StatusOr<std::vector<gateways::KitFile>> FilesOf(const gateways::Kit& kit,
                                                       const gateways::KitSubject& subject,
                                                       gateways::Values given);

// The same, put into `folder`, which may be there.
absl::Status WriteKit(const gateways::Kit& kit, const gateways::KitSubject& subject,
                      gateways::Values given, const std::string& folder);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_RELYING_PARTIES_KIT_FILES_H_
