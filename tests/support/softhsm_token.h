// A SoftHSM token of the test's own.
#ifndef HOURGLASS_TESTS_SUPPORT_SOFTHSM_TOKEN_H_
#define HOURGLASS_TESTS_SUPPORT_SOFTHSM_TOKEN_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {

// Folder, configuration, tokens and PIN file. SoftHSM reads SOFTHSM2_CONF once per process, when a
// process first uses the module, and sees no token that is added later: make one of these, with
// every token, before any key is opened, and keep it to the end. The variable is set in this
// process, and so in those that it starts. Ends the process if SoftHSM is missing.
class SofthsmToken {
 public:
  static constexpr char kModulePath[] = "/usr/lib/softhsm/libsofthsm2.so";

  explicit SofthsmToken(const std::vector<std::string>& labels = {"hourglass"});
  SofthsmToken(const SofthsmToken&) = delete;
  SofthsmToken& operator=(const SofthsmToken&) = delete;

  // `pkcs11:token=LABEL?module-path=…&pin-source=file:…` of the token with this label, or of the
  // first.
  std::string Uri(absl::string_view label = "") const;

  // The same in every token. The file's mode is 0600.
  std::string pin() const { return "135790"; }
  const std::string& pin_file() const { return pin_file_; }
  // The folder that SoftHSM keeps this token in, for tests that take it away.
  const std::string& Folder(absl::string_view label) const;

  // Runs OpenSC's pkcs11-tool in another process, logged in to the token (the first if `label` is
  // empty).
  CommandResult Tool(const std::vector<std::string>& arguments, absl::string_view label = "") const;

 private:
  TemporaryDirectory directory_;
  std::vector<std::string> labels_;
  std::map<std::string, std::string> folders_;  // by label; of the last token of this label
  std::string pin_file_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_SOFTHSM_TOKEN_H_
