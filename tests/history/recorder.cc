#include "tests/history/recorder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tests/history/client_log.h"

namespace hourglass::history {

absl::StatusOr<std::unique_ptr<Recorder>> Recorder::Open(const std::string& path,
                                                         absl::string_view client,
                                                         const issuance::KernelTime* time,
                                                         const issuance::Clock* clock) {
  issuance::Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
  if (!file.valid()) return Error(ErrorReason::kFieldInvalid, path, std::strerror(errno));
  auto recorder =
      absl::WrapUnique(new Recorder(path, std::string(client), std::move(file), time, clock));
  RETURN_IF_ERROR(recorder->WriteLine(FirstLineOfLog(client, time->BootId())));
  return recorder;
}

Recorder::Recorder(std::string path, std::string client, issuance::Descriptor file,
                   const issuance::KernelTime* time, const issuance::Clock* clock)
    : path_(std::move(path)),
      client_(std::move(client)),
      file_(std::move(file)),
      time_(time),
      clock_(clock) {}

Call Recorder::Begin(absl::string_view tenant_id, absl::string_view replica) const {
  Call call;
  call.client = client_;
  call.tenant_id = std::string(tenant_id);
  call.replica = std::string(replica);
  call.sent_at = clock_->Now();
  call.sent = time_->Uptime();
  return call;
}

absl::Status Recorder::Write(IssueCall call) {
  call.call.answered = time_->Uptime();
  return WriteLine(LogLine(call));
}

absl::Status Recorder::Write(AdministrativeCall call) {
  call.call.answered = time_->Uptime();
  return WriteLine(LogLine(call));
}

absl::Status Recorder::Close() { return WriteLine(LastLineOfLog()); }

absl::Status Recorder::WriteLine(std::string line) {
  line += '\n';
  const MutexLock lock(mutex_);
  // What stands behind a part of a line would be read as its rest.
  if (is_broken_) return Error(ErrorReason::kFieldInvalid, path_, "an earlier line is not whole");
  const ssize_t written = write(file_.get(), line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) return absl::OkStatus();
  is_broken_ = true;
  return Error(ErrorReason::kFieldInvalid, path_,
               written < 0 ? std::strerror(errno) : "the line was not written whole");
}

}  // namespace hourglass::history
