#include "issuance/tokens/key_set_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hourglass::issuance {
namespace {

constexpr std::chrono::seconds kBetweenLooks(1);

// Time stamps of files are as coarse as the kernel's tick: a file that is younger than this may
// change once more under the same stamp.
constexpr std::chrono::nanoseconds kSettlesAfter = std::chrono::seconds(2);

std::int64_t Nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

KeySetFile::KeySetFile(std::string path, const Clock* clock, std::function<Time()> now,
                       KeySetNews news)
    : path_(std::move(path)), clock_(clock), now_(std::move(now)), kept_(path_, std::move(news)) {
  Get();
}

absl::StatusOr<KeySetFile::Stamp> KeySetFile::Look() const {
  struct stat about = {};
  if (stat(path_.c_str(), &about) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot be read: ", std::strerror(errno)));
  }
  if (!S_ISREG(about.st_mode)) return absl::InvalidArgumentError("is no regular file");
  return Stamp{about.st_dev, about.st_ino, about.st_size, Nanoseconds(about.st_mtim),
               Nanoseconds(about.st_ctim)};
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
  // Taken before the file is read: a change between the two shows as another stamp the next time.
  const absl::StatusOr<Stamp> stamp = Look();
  if (!stamp.ok()) {
    known_.reset();
    kept_.Take(stamp.status(), now);
    return;
  }
  if (known_ == *stamp) return;
  const absl::StatusOr<std::string> text = Read();
  kept_.Take(text, now);
  const bool settled =
      now.time_since_epoch() - std::chrono::nanoseconds(stamp->changed) > kSettlesAfter;
  known_ = text.ok() && settled ? std::optional(*stamp) : std::nullopt;
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
