// Software keys as files of one folder.
#ifndef HOURGLASS_HSM_STORE_SOFTWARE_FOLDER_H_
#define HOURGLASS_HSM_STORE_SOFTWARE_FOLDER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/key_folder.h"
#include "hsm/key/signing_key.h"

namespace hourglass::hsm {

// Each key is the PKCS#8 PEM file NAME.pem, mode 0600, of the folder. Safe to call from several
// threads and processes. Names must be as IsKeyName of hsm/key/key_uri.h says; the field of errors
// is `software:NAME`.
class SoftwareFolder {
 public:
  // The folder is made (mode 0700) if only it, and no parent, is missing. Errors:
  // CONFIGURATION_INVALID with field `keys.software_directory` where `path` is not absolute, no
  // folder, or may be written to by others than its owner.
  static absl::StatusOr<SoftwareFolder> Create(absl::string_view path);

  // Absolute, without a slash at its end.
  const std::string& path() const { return folder_.path(); }

  // The file appears complete and flushed to the disk, or not at all. Errors: KEY_EXISTS,
  // KEY_UNAVAILABLE.
  absl::StatusOr<std::unique_ptr<SigningKey>> Generate(absl::string_view name, KeyType type) const;

  // Errors: KEY_NOT_FOUND, KEY_UNFIT for a file that others than its owner may read or write, or
  // that is no regular file, KEY_UNAVAILABLE, those of SoftwareKeyFromPem.
  absl::StatusOr<std::unique_ptr<SigningKey>> Open(absl::string_view name) const;

  // Of every key, in alphabetical order. Errors: KEY_UNAVAILABLE.
  absl::StatusOr<std::vector<std::string>> Names() const;

  // Errors: KEY_NOT_FOUND, KEY_UNAVAILABLE.
  absl::Status Destroy(absl::string_view name) const;

 private:
  explicit SoftwareFolder(KeyFolder folder) : folder_(std::move(folder)) {}

  KeyFolder folder_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_STORE_SOFTWARE_FOLDER_H_
