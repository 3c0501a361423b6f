// How fast work goes on that nobody waits for.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_UPKEEP_PACE_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_UPKEEP_PACE_H_

#include <chrono>
#include <cstddef>

namespace hourglass::issuance::sqlite {

// A second of such work in one go would be a second in which requests wait. Spread over several,
// a millisecond now and then, it is not noticed. For one thread.
class UpkeepPace {
 public:
  // So many segments wait to be indexed, the one under way among them, and superfluous key runs to
  // be merged. One is worth an eighth of a processor; where a second waits, half of one; where more
  // do, all of it, or they would become ever more.
  void SetBacklog(std::size_t waiting);

  // How long to rest now. `used` is the processor time that this thread took since it began; zero
  // until it has worked for a millisecond since its last rest.
  std::chrono::nanoseconds RestAfter(std::chrono::nanoseconds used);

 private:
  int rest_for_work_ = 0;  // nanoseconds for each nanosecond
  std::chrono::nanoseconds rested_at_{0};
};

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_UPKEEP_PACE_H_
