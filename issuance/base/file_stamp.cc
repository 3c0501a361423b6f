#include "issuance/base/file_stamp.h"

#include <chrono>
#include <cstdint>

namespace hourglass::issuance {
namespace {

constexpr std::chrono::nanoseconds kSettlesAfter = std::chrono::seconds(2);

std::int64_t Nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileStamp StampOf(const struct stat& about) {
  return {about.st_dev, about.st_ino, about.st_size, Nanoseconds(about.st_mtim),
          Nanoseconds(about.st_ctim)};
}

bool HasSettled(const FileStamp& stamp, Timestamp now) {
  return now.time_since_epoch() - std::chrono::nanoseconds(stamp.changed) > kSettlesAfter;
}

}  // namespace hourglass::issuance
