// What a store knows of the time.
#ifndef HOURGLASS_ISSUANCE_STORE_TIME_RECORDS_H_
#define HOURGLASS_ISSUANCE_STORE_TIME_RECORDS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

// How late it was at least when somebody last looked, and what the clock was compared with.
struct TimeMark {
  // The newest time that was believed.
  Timestamp newest_at;
  // The start of the machine that `reference` is of; that of no other machine is equal.
  std::string boot_id;
  // The wall clock less the uptime.
  std::chrono::microseconds reference{0};
  // Whether a time service had kept the clock right since that start.
  bool settled = false;
  // Records dated up to then prove nothing: an administrator said that the clock was wrong.
  Timestamp ignored_up_to;
  // How often an administrator said so.
  std::int64_t acceptances = 0;

  bool operator==(const TimeMark&) const = default;
};

// Safe to call from several threads and processes. Errors of all: JOURNAL_UNAVAILABLE.
class TimeRecords {
 public:
  virtual ~TimeRecords() = default;

  virtual absl::StatusOr<std::optional<TimeMark>> GetMark() = 0;
  // Durably, unless there is one with more acceptances; of one with as many, the newer `newest_at`
  // stays. Returns what there is now.
  virtual absl::StatusOr<TimeMark> KeepMark(const TimeMark& mark) = 0;

  // When the newest intent of the journal was written, by the clock of then; empty without one. May
  // miss one that a clock which went back dated later than those after it.
  virtual absl::StatusOr<std::optional<Timestamp>> NewestIntent() = 0;
  // The same of the devices' reports. Reads every device.
  virtual absl::StatusOr<std::optional<Timestamp>> NewestReport() = 0;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TIME_RECORDS_H_
