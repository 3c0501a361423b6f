#include "issuance/log/foreign_lines.h"

#include <fcntl.h>
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "issuance/log/last_words.h"

namespace hourglass::issuance {
namespace {

constexpr char kEvent[] = "library_said";
// Octets of a line that are kept; the event log cuts them.
constexpr std::size_t kMaxLine = 1100;
// What is said without a line feed is a line after so long.
constexpr int kLineEndsMilliseconds = 20;

// Where the libraries' handlers, which are plain functions, find the log.
struct Target {
  Mutex mutex;
  const EventLog* log ABSL_GUARDED_BY(mutex) = nullptr;
};

// Never destroyed: gRPC's threads may outlive main.
Target& TheTarget() {
  static Target* const target = new Target;
  return *target;
}

void SetTarget(const EventLog* log) {
  Target& target = TheTarget();
  const MutexLock lock(target.mutex);
  target.log = log;
}

enum class Weight { kDebug, kInfo, kWarning, kFailure };

void Say(Weight weight, absl::string_view library, absl::string_view file, int line,
         absl::string_view message) {
  Target& target = TheTarget();
  const MutexLock lock(target.mutex);
  const EventLog* const log = target.log;
  if (log == nullptr) return;
  const std::string at = absl::StrCat(file.substr(file.rfind('/') + 1), ":", line);
  const EventLog::Fields fields = {{"library", library}, {"at", at}, {"message", message}};
  switch (weight) {
    case Weight::kDebug:
      return log->Debug(kEvent, fields);
    case Weight::kInfo:
      return log->Info(kEvent, fields);
    case Weight::kWarning:
      return log->Warning(kEvent, fields);
    case Weight::kFailure:
      return log->Failure(kEvent, fields);
  }
}

// Most of gRPC's errors are what strangers do to it.
void GrpcSays(gpr_log_func_args* said) {
  const Weight weight = said->severity == GPR_LOG_SEVERITY_ERROR  ? Weight::kWarning
                        : said->severity == GPR_LOG_SEVERITY_INFO ? Weight::kInfo
                                                                  : Weight::kDebug;
  Say(weight, "grpc", said->file, said->line, said->message);
}

void ProtobufSays(google::protobuf::LogLevel level, const char* file, int line,
                  const std::string& message) {
  const Weight weight = level == google::protobuf::LOGLEVEL_FATAL  ? Weight::kFailure
                        : level == google::protobuf::LOGLEVEL_INFO ? Weight::kInfo
                                                                   : Weight::kWarning;
  Say(weight, "protobuf", file, line, message);
}

// Cuts what comes into lines, of bounded length.
class LineCutter {
 public:
  explicit LineCutter(const EventLog& log) : log_(log) {}

  void Add(absl::string_view octets) {
    for (const char octet : octets) {
      if (octet == '\n') {
        EndLine();
      } else if (line_.size() < kMaxLine) {
        line_.push_back(octet);
      }
    }
  }

  bool in_line() const { return !line_.empty(); }

  void EndLine() {
    if (line_.empty()) return;
    log_.Warning(kEvent, {{"library", "standard_error"}, {"message", line_}});
    line_.clear();
  }

 private:
  const EventLog& log_;
  std::string line_;
};

bool TakesOctets(int descriptor) {
  pollfd writable{descriptor, POLLOUT, 0};
  return poll(&writable, 1, 0) == 1 && (writable.revents & POLLOUT) != 0;
}

void ReplaceStandardError(int with) {
  if (with >= 0) dup2(with, STDERR_FILENO);
}

}  // namespace

ForeignLines::ForeignLines(const EventLog* log)
    : log_(*log), real_(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)) {
  SetTarget(log);
  gpr_set_log_function(GrpcSays);
  google::protobuf::SetLogHandler(ProtobufSays);
  int ends[2] = {-1, -1};
  stop_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_ < 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    // Not worth refusing the start.
    log_.Warning("standard_error_not_captured", {});
    return;
  }
  read_ = ends[0];
  LastWordsGoTo(real_, read_);
  // Its duplicate is inherited, as standard error is.
  ReplaceStandardError(ends[1]);
  close(ends[1]);
  reader_ = std::thread([this] { Read(); });
}

ForeignLines::~ForeignLines() {
  // gRPC's own default would write to descriptor 2 again.
  SetTarget(nullptr);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  ReplaceStandardError(real_ >= 0 && TakesOctets(real_) ? real_ : nowhere);
  if (nowhere >= 0) close(nowhere);
  if (reader_.joinable()) {
    eventfd_write(stop_, 1);
    reader_.join();
  }
  LastWordsGoNowhere();
  for (const int descriptor : {read_, stop_, real_}) {
    if (descriptor >= 0) close(descriptor);
  }
}

void ForeignLines::Read() {
  LineCutter lines(log_);
  char octets[4096];
  while (true) {
    const ssize_t count = read(read_, octets, sizeof(octets));
    if (count > 0) {
      lines.Add({octets, static_cast<std::size_t>(count)});
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    pollfd ends[2] = {{count == 0 ? -1 : read_, POLLIN, 0}, {stop_, POLLIN, 0}};
    const int ready = poll(ends, 2, lines.in_line() ? kLineEndsMilliseconds : -1);
    if (ready == 0) lines.EndLine();
    if (ready > 0 && ends[0].revents == 0) break;
  }
  lines.EndLine();
}

}  // namespace hourglass::issuance
