// A folder of key files, one file a key.
#ifndef HOURGLASS_HSM_KEY_KEY_FOLDER_H_
#define HOURGLASS_HSM_KEY_KEY_FOLDER_H_

#include <openssl/crypto.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::hsm {

// Wiped when it goes.
class SecretText {
 public:
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  ~SecretText() { OPENSSL_cleanse(text_.data(), text_.size()); }
  SecretText(SecretText&& other) noexcept : text_(std::exchange(other.text_, "")) {}
  SecretText& operator=(SecretText&&) = delete;
  const std::string& get() const { return text_; }
  std::string& get() { return text_; }

 private:
  std::string text_;
};

// Each key is the file NAME + `suffix`, mode 0600, of the folder's owner where root makes it, so
// that the service can read what its administrator made or replaced. Safe to use from several
// threads and processes. Errors are KEY_URI_INVALID with field `key_uri` for a name that is none
// (IsKeyName of hsm/key/key_uri.h), and otherwise of field `field_prefix` + NAME.
class KeyFolder {
 public:
  struct Naming {
    std::string configuration_field;  // `keys.software_directory`
    std::string field_prefix;         // `software:`
    std::string suffix;               // `.pem`
  };

  // The folder is made (mode 0700) if only it, and no parent, is missing. Errors:
  // CONFIGURATION_INVALID where `path` is not absolute, no folder, may be written to by others
  // than its owner, or belongs to another user than this one or root.
  static absl::StatusOr<KeyFolder> Create(absl::string_view path, Naming naming);

  // Absolute, without a slash at its end.
  const std::string& path() const { return path_; }
  std::string FieldOf(absl::string_view name) const;

  // OK, KEY_EXISTS, or KEY_URI_INVALID.
  absl::Status CheckFree(absl::string_view name) const;

  // The file appears complete and flushed to the disk, or not at all; one that is there is never
  // replaced. Errors: KEY_EXISTS, KEY_UNAVAILABLE.
  absl::Status Write(absl::string_view name, absl::string_view content) const;
  // The file is the old or the new one at any time, complete and flushed. Errors: KEY_UNAVAILABLE.
  absl::Status Replace(absl::string_view name, absl::string_view content) const;

  // Errors: KEY_NOT_FOUND, KEY_UNFIT for a file that others than its owner may read or write or
  // that is no regular file, KEY_INVALID for one larger than `largest` octets, KEY_UNAVAILABLE.
  absl::StatusOr<SecretText> Read(absl::string_view name, std::size_t largest) const;

  // Of every key, in alphabetical order. Errors: KEY_UNAVAILABLE.
  absl::StatusOr<std::vector<std::string>> Names() const;

  // Errors: KEY_NOT_FOUND, KEY_UNAVAILABLE.
  absl::Status Remove(absl::string_view name) const;

 private:
  KeyFolder(std::string path, Naming naming) : path_(std::move(path)), naming_(std::move(naming)) {}
  std::string FileOf(absl::string_view name) const;
  absl::Status Unavailable(absl::string_view name, absl::string_view action) const;
  absl::Status Place(absl::string_view name, absl::string_view content, bool replace) const;

  std::string path_;
  Naming naming_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_KEY_FOLDER_H_
