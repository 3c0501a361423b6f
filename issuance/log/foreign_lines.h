// What libraries write to standard error, as lines of the event log.
#ifndef HOURGLASS_ISSUANCE_LOG_FOREIGN_LINES_H_
#define HOURGLASS_ISSUANCE_LOG_FOREIGN_LINES_H_

#include <thread>

#include "issuance/log/event_log.h"

namespace hourglass::issuance {

// While this object lives, what gRPC and protobuf log, and whatever else is written to descriptor 2
// (abseil, the TPM's stack, a module in this process), becomes an event `library_said`: `library`
// (grpc, protobuf, standard_error), `at` (file and line, of the former two) and `message`, of a
// line its first 1024 octets. Descriptor 2 is a pipe meanwhile whose reader never waits, so nobody
// waits who writes to it. What a process says that is about to crash (SIGABRT, SIGSEGV, SIGBUS,
// SIGFPE, SIGILL) still reaches the real standard error, as it is.
//
// One at a time, and before gRPC has threads.
class ForeignLines {
 public:
  // `log` must outlive this object, and write to another descriptor than 2.
  explicit ForeignLines(const EventLog* log);
  // Logs what is left. Descriptor 2 is the real standard error again where that takes octets at
  // once, and else goes nowhere, so that no farewell of a library holds up the end.
  ~ForeignLines();
  ForeignLines(const ForeignLines&) = delete;
  ForeignLines& operator=(const ForeignLines&) = delete;

 private:
  void Read();

  const EventLog& log_;
  int real_;
  int read_ = -1;
  // Readable once reading is to end.
  int stop_ = -1;
  std::thread reader_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_LOG_FOREIGN_LINES_H_
