#include "hsm/key/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"

namespace hourglass::hsm {
namespace {

// Octets read, at most `capacity`, or nothing with errno set.
std::optional<size_t> ReadUpTo(const std::string& path, char* buffer, size_t capacity) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  size_t size = 0;
  ssize_t got = 0;
  do {
    got = read(file, buffer + size, capacity - size);
    if (got > 0) size += static_cast<size_t>(got);
  } while ((got > 0 && size < capacity) || (got < 0 && errno == EINTR));
  const int cause = errno;
  close(file);
  errno = cause;
  if (got < 0) return std::nullopt;
  return size;
}

std::optional<std::string> PathOf(const PinSource& source) {
  if (source.kind == PinSource::Kind::kFile) return source.name;
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr) return std::nullopt;
  return absl::StrCat(directory, "/", source.name);
}

bool IsBlank(char octet) { return octet == ' ' || octet == '\t'; }

// What editors and shells put beside a PIN; empty where there is nothing of it. A token would count
// it as a wrong PIN, and locks after a few.
absl::string_view MistakeIn(absl::string_view pin) {
  constexpr absl::string_view kByteOrderMarks[] = {"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"};
  for (const absl::string_view mark : kByteOrderMarks) {
    if (absl::StartsWith(pin, mark)) {
      return "the PIN begins with a byte order mark: write it as plain text without one";
    }
  }
  if (absl::StrContains(pin, '\0')) return "the PIN holds a NUL octet: write it as plain text";
  const size_t line_end = pin.find_first_of("\r\n");
  if (line_end != absl::string_view::npos) {
    const absl::string_view rest = pin.substr(line_end);
    if (rest == "\r")
      return "the PIN's line ends with CR LF or CR: end it with LF, or with nothing";
    return "there is more than one line: the PIN must be the only one";
  }
  if (pin.empty()) return "the PIN is empty";
  if (IsBlank(pin.front())) return "the PIN begins with a blank";
  if (IsBlank(pin.back())) return "the PIN ends with a blank";
  return "";
}

// Nothing where there is no randomness, and then never.
const std::optional<std::string>& Salt() {
  static const auto* const salt = [] {
    std::string octets(32, '\0');
    const bool made = RAND_bytes(reinterpret_cast<unsigned char*>(octets.data()), 32) == 1;
    return new std::optional<std::string>(made ? std::optional<std::string>(octets) : std::nullopt);
  }();
  return *salt;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Pin>> Pin::Read(const PinSource& source) {
  const auto fail = [&](absl::string_view message) {
    return Error(ErrorReason::kKeyUnavailable, FormatPinSource(source), message);
  };
  std::unique_ptr<Pin> pin(new Pin());
  if (source.kind == PinSource::Kind::kEnvironment) {
    const char* value = std::getenv(source.name.c_str());
    if (value == nullptr) return fail("the environment variable of the PIN is not set");
    pin->size_ = strnlen(value, pin->octets_.size());
    std::memcpy(pin->octets_.data(), value, pin->size_);
  } else {
    const std::optional<std::string> path = PathOf(source);
    if (!path.has_value()) return fail("CREDENTIALS_DIRECTORY is not set");
    const std::optional<size_t> size = ReadUpTo(*path, pin->octets_.data(), pin->octets_.size());
    if (!size.has_value()) return fail(absl::StrCat("cannot read the PIN: ", strerror(errno)));
    pin->size_ = *size;
    if (pin->size_ > 0 && pin->octets_[pin->size_ - 1] == '\n') --pin->size_;
  }
  if (pin->size_ > kLongest) return fail("the PIN is longer than 255 octets");
  const absl::string_view mistake = MistakeIn(pin->value());
  if (!mistake.empty()) return fail(mistake);
  return pin;
}

absl::StatusOr<std::string> Pin::Fingerprint() const {
  const std::optional<std::string>& salt = Salt();
  const EvpMdCtxPtr hash(EVP_MD_CTX_new());
  std::string fingerprint(32, '\0');
  if (!salt.has_value() || hash == nullptr ||
      EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr) != 1 ||
      EVP_DigestUpdate(hash.get(), salt->data(), salt->size()) != 1 ||
      EVP_DigestUpdate(hash.get(), octets_.data(), size_) != 1 ||
      EVP_DigestFinal_ex(hash.get(), reinterpret_cast<unsigned char*>(fingerprint.data()),
                         nullptr) != 1) {
    return Error(ErrorReason::kInternalError, "pin", DrainOpensslErrors());
  }
  return fingerprint;
}

Pin::~Pin() { OPENSSL_cleanse(octets_.data(), octets_.size()); }

}  // namespace hourglass::hsm
