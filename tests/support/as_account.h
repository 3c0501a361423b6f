// What another account would see: for tests of who may use a file.
#ifndef HOURGLASS_TESTS_SUPPORT_AS_ACCOUNT_H_
#define HOURGLASS_TESTS_SUPPORT_AS_ACCOUNT_H_

#include <sys/types.h>

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hourglass {

// The user and group `nobody` of Debian.
inline constexpr uid_t kNobody = 65534;

// Whether this process is root's.
bool IsRoot();

// What `say` returns in a process of this user and of the group of the same number, without other
// groups: at most 8192 octets. As this process where it is not root's, which cannot be another.
// Starts with "as_account: " and says what failed where that cannot be had. For a process of one
// thread: `say` runs in a fork of it, and what it changes in memory is not seen here.
std::string SaidBy(uid_t user, const std::function<std::string()>& say);

// Whether the account can look at the path, and so pass all folders above it.
bool CanLookAt(uid_t user, const std::string& path);

// Whether each TemporaryDirectory of this process is in /tmp from now on, which every account can
// reach: TEST_TMPDIR may lie in a folder of root's alone. For a process of one thread.
bool UseTmp();

// For programs that refuse root, and run as nobody where this process is root's: makes the path
// theirs. Nothing where it is not root's. Errors: INTERNAL_ERROR.
absl::Status GiveToNobody(const std::string& path);

// The file, for them alone (mode 0600), whole or anew. Returns its path, which is `path`. Errors:
// INTERNAL_ERROR.
absl::StatusOr<std::string> WriteForNobody(const std::string& path, const std::string& content);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_AS_ACCOUNT_H_
