// What the commands about keys share.
#ifndef HOURGLASS_TOOLS_HOURGLASS_KEYS_H_
#define HOURGLASS_TOOLS_HOURGLASS_KEYS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/keys/local_key.h"

namespace hourglass::cli {

struct KeyOptions {
  std::string key;
  std::string key_type;
  std::string tenant;
  bool yes = false;
  std::string module;
  int module_timeout = 20;  // seconds
  std::vector<int> threads = {1, 2, 4};
  int seconds = 2;
  std::string recovery_code_file;
  std::string recovery_code_out;
  CustodyOptions custody;
};

// Each of these asks no service.

// What a module or a TPM is, or whether a key is fit for a root; exit code 1 where it is not.
absl::StatusOr<Answer> ProbeKeys(const KeyOptions& options);
// How fast a key signs.
absl::StatusOr<Answer> BenchKey(const KeyOptions& options);
// Makes a key, or says that it is there.
absl::StatusOr<Answer> CreateLocalKey(const KeyOptions& options);
// Makes a sealed key with a recovery code, which goes to a new file. Errors: KEY_EXISTS also where
// the key or the file is there; KEY_URI_INVALID for a key that is not sealed.
absl::StatusOr<Answer> CreateRecoverableKey(const KeyOptions& options);
// Binds a sealed key to the TPM's registers as they are now.
absl::StatusOr<Answer> ResealKey(const KeyOptions& options);

// What is said of a key that was made, or is there; `next` of it and how to use it.
Answer AnswerAboutMadeKey(const LocalKey& key, const std::string& key_type, bool created);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_KEYS_H_
