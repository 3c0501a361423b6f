// A token broker that asks whichever replica it likes, and asks again.
#ifndef HOURGLASS_TESTS_CHAOS_BROKER_H_
#define HOURGLASS_TESTS_CHAOS_BROKER_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "hourglass/v1/issuance.grpc.pb.h"
#include "tests/chaos/cell.h"
#include "tests/chaos/chance.h"
#include "tests/chaos/verdict.h"
#include "tests/history/recorder.h"

namespace hourglass::chaos {

// One request after the other. What is unanswered or refused for now is asked again, of any
// replica, under the same request id; after PRIMARY_CHANGED under a new one, as the contract has
// it. Some are asked of two replicas at once, some again after their answer. For one thread.
class Broker {
 public:
  struct Options {
    std::string name;  // its request ids begin with it
    std::string tenant_id;
    const Cell* cell = nullptr;
    history::Recorder* recorder = nullptr;
    v1::IssueCertificateRequest request;
    std::uint64_t seed = 0;
    // A request that has no certificate so long after it was first asked for is lost.
    std::chrono::seconds patience{0};
  };

  explicit Broker(Options options);

  // Until the end has begun, and the last request is answered or lost.
  void Run(Ending& ending);

  // Whether this replica gives a certificate, asked until it does. False where the
  // request is lost.
  bool IsServedBy(int replica);

  // What requests took from their first asking to their certificate.
  const std::vector<std::chrono::microseconds>& times() const { return times_; }
  int lost() const { return lost_; }
  // What the last lost request met.
  const std::string& last_failure() const { return last_failure_; }

 private:
  struct Answered {
    std::string request_id;
    std::chrono::steady_clock::time_point at;
  };
  using Stub = v1::CertificateIssuer::Stub;

  // Until it has a certificate or is lost; `ask` asks once.
  template <typename AskOnce>
  bool Ask(const AskOnce& ask);
  // What became of one asking, of one replica or of two at once.
  std::vector<IssueOutcome> AskSome();
  // Safe to call from several threads.
  IssueOutcome Call(Stub& stub, const std::string& replica) const;
  void AskAgainForOneOfThePast();
  void NameRequest();

  Options options_;
  Chance chance_;
  Connections connections_;
  int named_ = 0;
  std::deque<Answered> answered_;
  std::vector<std::chrono::microseconds> times_;
  int lost_ = 0;
  std::string last_failure_;
};

}  // namespace hourglass::chaos

#endif  // HOURGLASS_TESTS_CHAOS_BROKER_H_
