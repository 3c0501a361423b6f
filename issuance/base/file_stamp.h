// How a file is told from what it was.
#ifndef HOURGLASS_ISSUANCE_BASE_FILE_STAMP_H_
#define HOURGLASS_ISSUANCE_BASE_FILE_STAMP_H_

#include <sys/stat.h>

#include "issuance/base/clock.h"

namespace hourglass::issuance {

struct FileStamp {
  unsigned long long device = 0;  // NOLINT(google-runtime-int): as wide as any dev_t and ino_t
  unsigned long long inode = 0;   // NOLINT(google-runtime-int)
  long long size = 0;             // NOLINT(google-runtime-int)
  long long modified = 0;         // NOLINT(google-runtime-int): nanoseconds since 1970
  long long changed = 0;          // NOLINT(google-runtime-int): nanoseconds since 1970

  bool operator==(const FileStamp&) const = default;
};

// Of what stat(2) says. To be taken before the file is read: a change between the two shows as
// another stamp the next time. Safe to call from several threads, as the next.
FileStamp StampOf(const struct stat& about);

// Whether what was read by `now` is all that there will be under this stamp. Time stamps of files
// are as coarse as the kernel's tick: a file that is younger than two seconds may change once more
// under the same one. `now` is of the machine's clock.
bool HasSettled(const FileStamp& stamp, Timestamp now);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_BASE_FILE_STAMP_H_
