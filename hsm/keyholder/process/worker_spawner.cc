#include "hsm/keyholder/process/worker_spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/mutex.h"
#include "hsm/base/sanitizers.h"
#include "hsm/base/status_macros.h"

namespace hourglass::hsm {
namespace {

absl::Status Failed(absl::string_view call) {
  return Error(ErrorReason::kInternalError, "", absl::StrCat(call, ": ", strerror(errno)));
}

// What a custodian is told by, whatever the number of threads.
std::string IdentityOf(const std::variant<TokenUri, TpmConnection>& custodian) {
  return WriteStart({custodian, 1}).SerializeAsString();
}

struct Answer {
  SpawnReply reply;
  std::array<Descriptor, kMostEnds> ends;
};

// One packet with what comes beside it.
std::optional<Answer> ReceiveAnswer(int socket) {
  Answer answer = {};
  iovec octets = {&answer.reply, sizeof(answer.reply)};
  alignas(cmsghdr) char control[CMSG_SPACE(kMostEnds * sizeof(int))];
  msghdr message = {};
  message.msg_iov = &octets;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ssize_t size = -1;
  do {
    size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count && i < kMostEnds; ++i) {
      int number = -1;
      memcpy(&number, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      answer.ends[i].Reset(number);
    }
  }
  if (size != sizeof(answer.reply)) return std::nullopt;
  return answer;
}

class Spawner final : public WorkerParent {
 public:
  Spawner(Descriptor socket, pid_t pid, const SpawnerOptions& options)
      : socket_(std::move(socket)), pid_(pid), program_(options.program.path) {
    for (const auto& custodian : options.custodians) custodians_.push_back(IdentityOf(custodian));
  }

  absl::StatusOr<WorkerEnds> Start(const Holding& holding) override {
    const std::string wanted = IdentityOf(holding.custodian);
    size_t index = 0;
    while (index < custodians_.size() && custodians_[index] != wanted) ++index;
    if (index == custodians_.size()) {
      return CannotStart(
          "the configuration that this service started with does not name the token");
    }
    std::optional<Answer> answer =
        Ask({SpawnRequest::kStart, static_cast<int>(index), holding.threads, -1});
    if (!answer.has_value()) {
      return CannotStart("the process that starts it is gone: the service has to be started anew");
    }
    if (answer->reply.error != 0) return CannotStart(strerror(answer->reply.error));
    WorkerEnds ends;
    ends.pid = answer->reply.pid;
    ends.signing = std::move(answer->ends[0]);
    ends.standard_error = std::move(answer->ends[1]);
    ends.administration = std::move(answer->ends[2]);
    return ends;
  }

  std::optional<int> Reap(pid_t pid) override {
    const std::optional<Answer> answer = Ask({SpawnRequest::kReap, -1, 0, pid});
    if (!answer.has_value() || answer->reply.status < 0) return std::nullopt;
    return answer->reply.status;
  }

  pid_t pid() const override { return pid_; }

 private:
  absl::Status CannotStart(absl::string_view why) const {
    return Error(ErrorReason::kKeyUnavailable, "",
                 absl::StrCat("cannot start ", program_, ": ", why));
  }

  std::optional<Answer> Ask(const SpawnRequest& request) {
    const MutexLock lock(mutex_);
    if (send(socket_.number(), &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request)) {
      return std::nullopt;
    }
    return ReceiveAnswer(socket_.number());
  }

  Mutex mutex_;  // one question at a time
  const Descriptor socket_ ABSL_GUARDED_BY(mutex_);
  const pid_t pid_;
  const std::string program_;
  std::vector<std::string> custodians_;
};

// ThreadSanitizer has a thread of its own, which it makes anew in the child where it needs it.
constexpr int kMostThreads = kThreadSanitizer ? 2 : 1;

// As of now; a process that has several must not fork.
bool HasOneThread() {
  std::error_code error;
  int threads = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", error)) {
    static_cast<void>(entry);
    ++threads;
  }
  return !error && threads <= kMostThreads;
}

}  // namespace

absl::StatusOr<std::shared_ptr<WorkerParent>> ForkWorkerSpawner(const SpawnerOptions& options) {
  if (!HasOneThread()) {
    return Error(ErrorReason::kInternalError, "", "there are threads before the fork");
  }
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return Failed("socketpair");
  }
  Descriptor ours(ends[0]);
  const Descriptor theirs(ends[1]);
  const pid_t child = fork();
  if (child < 0) return Failed("fork");
  if (child == 0) {
    ours.Reset(-1);
    RunSpawner(theirs.number(), options);
  }
  return std::make_shared<Spawner>(std::move(ours), child, options);
}

}  // namespace hourglass::hsm
