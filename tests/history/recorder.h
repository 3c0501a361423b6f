// What a client process writes of its calls, so that a kill of it loses nothing that counts.
#ifndef HOURGLASS_TESTS_HISTORY_RECORDER_H_
#define HOURGLASS_TESTS_HISTORY_RECORDER_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/edge/descriptor.h"
#include "issuance/timekeeping/kernel_time.h"
#include "tests/history/history.h"

namespace hourglass::history {

// The log of one process (tests/history/client_log.h). Each line is one write(2) that appends: what
// was written is the kernel's, and outlives the process; it is not flushed to the disk, since no
// test cuts the machine's power. So a client that writes a call before it begins the next one loses
// with its life, for each of its threads, what it had in hand, on which nobody has acted.
//
// Safe to call from several threads.
class Recorder {
 public:
  // Makes the file, with its first line. `time` and `clock` must outlive this, and be those of the
  // machine: neither shifted nor faked. Errors: FIELD_INVALID with `path` as field where the file
  // is there already or cannot be made.
  static absl::StatusOr<std::unique_ptr<Recorder>> Open(const std::string& path,
                                                        absl::string_view client,
                                                        const issuance::KernelTime* time,
                                                        const issuance::Clock* clock);

  // A call that is sent now: to be asked for right before it is.
  Call Begin(absl::string_view tenant_id, absl::string_view replica) const;

  // Writes a call that is answered now, whatever `call.answered` says: to be called as soon as it
  // is. Errors: FIELD_INVALID with the path as field where the line could not be written whole,
  // and for every line after that one: the client must end then, since nobody would know of what
  // it does.
  absl::Status Write(IssueCall call);
  absl::Status Write(AdministrativeCall call);

  // No call is under way, and none comes. Errors: as Write.
  absl::Status Close();

 private:
  Recorder(std::string path, std::string client, issuance::Descriptor file,
           const issuance::KernelTime* time, const issuance::Clock* clock);
  absl::Status WriteLine(std::string line) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string path_;
  const std::string client_;
  const issuance::Descriptor file_;
  const issuance::KernelTime* const time_;
  const issuance::Clock* const clock_;
  Mutex mutex_;
  bool is_broken_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_RECORDER_H_
