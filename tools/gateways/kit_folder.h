// A kit's files become a folder, all of them or none.
#ifndef HOURGLASS_TOOLS_GATEWAYS_KIT_FOLDER_H_
#define HOURGLASS_TOOLS_GATEWAYS_KIT_FOLDER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "tools/gateways/kit.h"

namespace hourglass::gateways {

// Where nothing is at `folder`: writes the files into a folder beside it, syncs them, and renames
// the whole into its place, so that nobody ever sees a part, whenever this process ends. Folders
// have mode 0755, files as KitFile says, whatever the umask. With `force`, into a folder that is
// there: replaces these files together or none (client::CommitTogether), and leaves alone what else
// is in it. Errors: FIELD_INVALID with field `--out`, also where something is there and `force` is
// false, where it is no folder, and where the folder above is not there; then no file has changed.
absl::Status WriteKitFolder(const std::string& folder, absl::Span<const KitFile> files, bool force);

}  // namespace hourglass::gateways

#endif  // HOURGLASS_TOOLS_GATEWAYS_KIT_FOLDER_H_
