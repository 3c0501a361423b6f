#include "issuance/tokens/key_set_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hourglass::issuance {
namespace {

constexpr std::chrono::seconds kBetweenLooks(1);

}  // namespace

KeySetFile::KeySetFile(std::string path, const Clock* clock, std::function<Time()> now,
                       KeySetNews news)
    : path_(std::move(path)), clock_(clock), now_(std::move(now)), kept_(path_, std::move(news)) {
  Get();
}

absl::StatusOr<FileStamp> KeySetFile::Look() const {
  struct stat about = {};
  if (stat(path_.c_str(), &about) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot be read: ", std::strerror(errno)));
  }
  if (!S_ISREG(about.st_mode)) return absl::InvalidArgumentError("is no regular file");
  return StampOf(about);
}

absl::StatusOr<std::string> KeySetFile::Read() const {
  std::ifstream in(path_, std::ios::binary);
  std::string text(kMaxKeySetSize + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) return absl::UnavailableError("cannot be read");
  // One octet more than a set may have is read, which is refused by whoever parses it.
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

void KeySetFile::ReadIfChanged() {
  const Timestamp now = clock_->Now();
  const absl::StatusOr<FileStamp> stamp = Look();
  if (!stamp.ok()) {
    known_.reset();
    kept_.Take(stamp.status(), now);
    return;
  }
  if (known_ == *stamp) return;
  const absl::StatusOr<std::string> text = Read();
  kept_.Take(text, now);
  known_ = text.ok() && HasSettled(*stamp, now) ? std::optional(*stamp) : std::nullopt;
}

bool KeySetFile::BeginLook() {
  const MutexLock lock(mutex_);
  const Time now = now_();
  if (looking_ || (next_look_.has_value() && now < *next_look_)) return false;
  next_look_ = now + kBetweenLooks;
  looking_ = true;
  return true;
}

void KeySetFile::EndLook() {
  const MutexLock lock(mutex_);
  looking_ = false;
}

std::shared_ptr<const KeySet> KeySetFile::Get() {
  if (BeginLook()) {
    ReadIfChanged();
    EndLook();
  }
  return kept_.keys();
}

}  // namespace hourglass::issuance
