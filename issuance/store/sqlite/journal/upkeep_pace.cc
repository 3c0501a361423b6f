#include "issuance/store/sqlite/journal/upkeep_pace.h"

namespace hourglass::issuance::sqlite {
namespace {

constexpr std::chrono::milliseconds kStint(1);

}  // namespace

void UpkeepPace::SetBacklog(std::size_t waiting) {
  if (waiting <= 1) {
    rest_for_work_ = 7;
  } else {
    rest_for_work_ = waiting == 2 ? 1 : 0;
  }
}

std::chrono::nanoseconds UpkeepPace::RestAfter(std::chrono::nanoseconds used) {
  const std::chrono::nanoseconds worked = used - rested_at_;
  if (worked < kStint) return std::chrono::nanoseconds(0);
  rested_at_ = used;
  return worked * rest_for_work_;
}

}  // namespace hourglass::issuance::sqlite
