// The thread that keeps one worker process alive and busy.
#ifndef HOURGLASS_HSM_KEYHOLDER_WORKER_LINK_H_
#define HOURGLASS_HSM_KEYHOLDER_WORKER_LINK_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "hsm/keyholder/owed_requests.h"
#include "hsm/keyholder/process/worker_process.h"
#include "hsm/keyholder/protocol/protocol.h"
#include "hsm/keyholder/queue/call_queue.h"
#include "hsm/keyholder/recovery/recovery.h"
#include "hsm/keyholder/remote_custodian.h"

namespace hourglass::hsm {

class WorkerLink {
 public:
  struct Options {
    int index = 0;  // of the queue's links
    std::variant<TokenUri, TpmConnection> custodian;
    RemoteCustodianOptions remote;
    std::shared_ptr<WorkerParent> parent;
    // Of the worker. `plan`, told what a worker has found, says how many are better.
    int threads = 1;
    std::function<int(const CustodianFacts&)> plan;
  };
  // `queue` must outlive the link, whose thread runs from now until CallQueue::Stop.
  WorkerLink(Options options, CallQueue* queue);
  ~WorkerLink();
  WorkerLink(const WorkerLink&) = delete;
  WorkerLink& operator=(const WorkerLink&) = delete;

 private:
  enum class Phase { kGreeting, kTesting, kServing };
  static constexpr std::chrono::seconds kIdleBeforeTest{10};

  void Run();
  void Start();
  void Serve();
  SteadyTime NextEvent() const;
  // Until the worker has sent something (true), the link is woken, or it is time.
  bool Poll(SteadyTime until);

  // Gives the worker as much as it has room for.
  void Fill(SteadyTime now);
  bool HasRoom(const CallQueue::Standing& standing) const;
  // Sends what the queue has, of which the worker owes `standing`. Whether there may be more to
  // send, as there is where a part of a list waits for its turn.
  bool SendCalls(const CallQueue::Standing& standing, bool part_waits, SteadyTime now);
  // Of what is sent now, while the worker owes `owed` requests of its signing socket.
  void SetDue(Debt& debt, int owed, SteadyTime now) const;
  // Sends the next part of what is unfinished.
  bool SendPart(SteadyTime now);
  CallQueue::Standing StandingNow() const;
  bool Send(Debt debt, SteadyTime now);
  keyholder::Request& RequestOf(const Debt& debt);
  void Receive();
  void HandleGreeting(const keyholder::Reply& reply, SteadyTime now);
  void HandleSignatures(Debt debt, keyholder::Reply& reply, SteadyTime now);
  // Gives back what the worker did not come to.
  bool TakeWhole(Debt& debt, const keyholder::Reply& reply);
  void HandleOther(Debt debt, keyholder::Reply& reply, SteadyTime now);
  void HandlePart(Debt debt, const keyholder::Reply& reply, SteadyTime now);
  // Kills the worker and hands back what it owes; the first only where there is an error.
  void LoseWhere(const absl::Status& replaced_over, SteadyTime now);
  void Lose(absl::string_view error_class, absl::string_view why, SteadyTime now);

  // Signs and verifies a random digest with one key after the other (worker_link_trial.cc).
  void BeginTests(SteadyTime now);
  void NextTest(SteadyTime now);
  void HandleTest(const Debt& debt, const keyholder::Reply& reply, SteadyTime now);
  void EndTests(SteadyTime now);

  Options options_;
  CallQueue& queue_;
  const Waker& waker_;
  const std::optional<PinSource> pin_source_;

  std::unique_ptr<WorkerProcess> worker_;
  Phase phase_ = Phase::kGreeting;
  bool reads_standard_error_ = true;
  SteadyTime start_;
  PinStamp stamp_;  // as the worker was started
  Patience patience_;
  // The last that went well; 0: none yet.
  std::chrono::nanoseconds greeting_took_{0};
  std::chrono::nanoseconds test_took_{0};
  OwedRequests owed_;
  std::uint64_t last_id_ = 0;
  SteadyTime last_reply_;
  keyholder::Request request_;  // of signatures; kept for its memory
  // A list of which parts were answered, `so_far_`; it takes turns with everything else.
  std::optional<Debt> unfinished_;
  keyholder::Reply so_far_;
  bool part_is_next_ = false;

  std::vector<std::shared_ptr<KeyQueue>> to_test_;
  bool passed_one_ = false;
  std::vector<std::pair<std::shared_ptr<KeyQueue>, absl::Status>> failed_tests_;
  SteadyTime next_test_;

  std::thread thread_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_WORKER_LINK_H_
