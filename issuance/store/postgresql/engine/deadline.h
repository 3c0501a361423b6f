// Waiting that ends.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_DEADLINE_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_DEADLINE_H_

#include <chrono>

namespace hourglass::issuance::postgresql {

// When something must have happened, by the steady clock.
class Deadline {
 public:
  // So long from now on.
  static Deadline In(std::chrono::milliseconds time);

  // What is left, rounded up; 0 where it has passed.
  std::chrono::milliseconds Left() const;
  // For the first of so many that come one after another: an equal part of what is left.
  Deadline Share(int among) const;

 private:
  explicit Deadline(std::chrono::steady_clock::time_point end) : end_(end) {}

  std::chrono::steady_clock::time_point end_;
};

// Waits until one of `events` (poll(2)) has come to the socket, or an error, which the next call to
// it tells. False where the deadline has passed before.
bool WaitForSocket(int socket, short events, const Deadline& deadline);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_DEADLINE_H_
