#include "hsm/keyholder/process/worker_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/signals.h"
#include "hsm/base/status_macros.h"
#include "hsm/keyholder/protocol/protocol.h"

namespace hourglass::hsm {
namespace {

using Outcome = PacketBuffer::Outcome;

constexpr size_t kLongestLine = 4096;
// Of one call of TakeStandardError: a module that never stops writing must not keep its parent.
constexpr size_t kMostStandardError = 64UL * 1024;

// Until the other side has closed its end, as the end of its process does.
void AwaitHangUp(int socket, std::chrono::milliseconds longest) {
  const auto deadline = std::chrono::steady_clock::now() + longest;
  pollfd file = {socket, 0, 0};
  for (;;) {
    const auto rest =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (rest.count() <= 0 || poll(&file, 1, static_cast<int>(rest.count())) > 0) return;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(
    std::shared_ptr<WorkerParent> parent, const Holding& holding) {
  ASSIGN_OR_RETURN(WorkerEnds ends, parent->Start(holding));
  return std::unique_ptr<WorkerProcess>(new WorkerProcess(std::move(parent), std::move(ends)));
}

absl::StatusOr<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(const std::string& program,
                                                                    const Holding& holding) {
  return Start(ParentHere({program, {}, true}), holding);
}

WorkerProcess::~WorkerProcess() { End(); }

WorkerProcess::Sent WorkerProcess::Send(const keyholder::Request& request) {
  const int to = IsAdministrative(request) ? administration_socket() : socket();
  const Outcome outcome = to < 0 ? Outcome::kHungUp : buffer_.Send(to, request);
  if (request.has_seal() || request.has_unseal()) buffer_.Wipe();
  switch (outcome) {
    case Outcome::kDone:
      return Sent::kYes;
    case Outcome::kWouldBlock:
      return Sent::kFull;
    case Outcome::kHungUp:
    case Outcome::kUnfit:
      break;
  }
  return Sent::kGone;
}

absl::StatusOr<std::optional<keyholder::Reply>> WorkerProcess::Receive() {
  ASSIGN_OR_RETURN(std::optional<keyholder::Reply> reply, ReceiveFrom(socket()));
  if (reply.has_value() || administration_socket() < 0) return reply;
  return ReceiveFrom(administration_socket());
}

absl::StatusOr<std::optional<keyholder::Reply>> WorkerProcess::ReceiveFrom(int socket) {
  std::optional<keyholder::Reply> reply(std::in_place);
  const Outcome outcome = buffer_.Receive(socket, &*reply);
  switch (outcome) {
    case Outcome::kDone:
      if (!reply->octets().empty()) buffer_.Wipe();
      return reply;
    case Outcome::kWouldBlock:
      return std::nullopt;
    case Outcome::kHungUp:
      return Error(ErrorReason::kKeyUnavailable, "", "the worker has hung up");
    case Outcome::kUnfit:
      break;
  }
  buffer_.Wipe();
  return Error(ErrorReason::kKeyUnavailable, "", "the worker sent what is no reply");
}

std::string WorkerProcess::TakeStandardError() {
  std::string lines;
  char octets[4096];
  while (lines.size() < kMostStandardError) {
    const ssize_t count = read(standard_error(), octets, sizeof(octets));
    if (count < 0 && errno == EINTR) continue;
    // Where nothing can be read any more there is no more to come, or the process has ended.
    const bool over = count == 0 || (count < 0 && !ending_.empty());
    if (count > 0) AddToLines({octets, static_cast<size_t>(count)}, &lines);
    if (over && !partial_line_.empty()) absl::StrAppend(&lines, partial_line_, "\n");
    if (over) partial_line_.clear();
    if (count <= 0) break;
  }
  return lines;
}

void WorkerProcess::AddToLines(absl::string_view octets, std::string* lines) {
  for (const char octet : octets) {
    if (octet != '\n') partial_line_.push_back(octet);
    if (octet != '\n' && partial_line_.size() < kLongestLine) continue;
    absl::StrAppend(lines, partial_line_, "\n");
    partial_line_.clear();
  }
}

std::string WorkerProcess::End(std::chrono::milliseconds grace) {
  if (!ending_.empty()) return ending_;
  // Modules write while they log in, and SoftHSM empties its token's file first: whoever is killed
  // in between leaves no token.
  shutdown(socket(), SHUT_WR);
  AwaitHangUp(socket(), grace);
  const std::optional<int> status = parent_->Reap(pid());
  ending_ = status.has_value() ? ProcessEnding(*status) : "ended";
  return ending_;
}

}  // namespace hourglass::hsm
