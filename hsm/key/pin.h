// The PIN of a token, held no longer than a login takes.
#ifndef HOURGLASS_HSM_KEY_PIN_H_
#define HOURGLASS_HSM_KEY_PIN_H_

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/key_uri.h"

namespace hourglass::hsm {

// Never copied or moved, so that its octets stand in one place, which is wiped when the object
// goes.
class Pin {
 public:
  static constexpr size_t kLongest = 255;

  // Reads the PIN afresh: a file's content without one trailing newline, or a variable's value.
  // Errors: KEY_UNAVAILABLE where it cannot be read, is empty or longer than kLongest octets,
  // begins with a byte order mark, holds an end of line (CR or LF) or NUL, or begins or ends with a
  // space or tab; the field is the source, and no message holds the PIN.
  static absl::StatusOr<std::unique_ptr<Pin>> Read(const PinSource& source);

  ~Pin();
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;

  absl::string_view value() const { return absl::string_view(octets_.data(), size_); }

  // SHA-256 of a salt of this process and the PIN: tells whether two PINs are the same, within this
  // process, without keeping either. Errors: INTERNAL_ERROR.
  absl::StatusOr<std::string> Fingerprint() const;

 private:
  Pin() = default;
  // One octet more than the longest PIN and a newline, to notice what is longer.
  std::array<char, kLongest + 2> octets_;
  size_t size_ = 0;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_PIN_H_
