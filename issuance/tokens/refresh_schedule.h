// When a key set is fetched again: a decision alone, without clock, thread or lock.
#ifndef HOURGLASS_ISSUANCE_TOKENS_REFRESH_SCHEDULE_H_
#define HOURGLASS_ISSUANCE_TOKENS_REFRESH_SCHEDULE_H_

#include <chrono>

namespace hourglass::issuance {

struct RefreshPace {
  std::chrono::seconds interval = std::chrono::hours(24);  // after a success
  // After a failure, doubled with each in a row up to the second.
  std::chrono::seconds first_retry = std::chrono::seconds(10);
  std::chrono::seconds last_retry = std::chrono::minutes(5);
  // Between a success and an attempt because of a key that nobody knows.
  std::chrono::seconds after_unknown_key = std::chrono::minutes(1);
};

// Not for several threads at once.
class RefreshSchedule {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit RefreshSchedule(const RefreshPace& pace) : pace_(pace) {}

  // True from the beginning until the first attempt.
  bool IsDue(Time now) const { return now >= next_; }

  void Succeeded(Time now);
  void Failed(Time now);
  // A key was asked for that the newest set does not have. After a failure that changes nothing:
  // the next attempt is near.
  void KeyIsUnknown();

 private:
  const RefreshPace pace_;
  Time next_ = Time::min();
  Time succeeded_ = Time::min();
  int failures_ = 0;  // in a row
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_REFRESH_SCHEDULE_H_
