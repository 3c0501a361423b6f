// Brokers that ask for certificates all the time, whatever happens, and write down what they get.
#ifndef HOURGLASS_TESTS_FAILOVER_BROKERS_H_
#define HOURGLASS_TESTS_FAILOVER_BROKERS_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/timekeeping/kernel_time.h"
#include "tests/failover/replicas.h"
#include "tests/history/history.h"
#include "tests/history/recorder.h"

namespace hourglass::failover {

// Each asks one replica after the other, as a load balancer would have it. What is refused for now
// or unanswered it asks again under the same request id; after PRIMARY_CHANGED under a new one; and
// now and then again for what it has. The methods are for one thread at a time.
class Brokers {
 public:
  static constexpr int kCount = 4;

  // Logs go to `folder`/clients, which is made. Errors: those of Recorder.
  static absl::StatusOr<std::unique_ptr<Brokers>> Start(Replicas& replicas,
                                                        const std::string& folder);
  ~Brokers();

  // Waits until each replica has answered with so many certificates more. Errors: INTERNAL_ERROR
  // after three minutes, with the last failure.
  absl::Status WaitForCertificates(int more);
  // Waits until some broker is refused with these words. Errors: as above.
  absl::Status WaitForRefusal(const std::string& words);

  // Makes a root and promotes it, through the first replica that does; recorded. Errors:
  // INTERNAL_ERROR with the service's words, after a minute.
  absl::Status Promote();

  // Ends all, each after the request that it has in hand: with a certificate, where one is to be
  // had; and with kGiveUp without. Errors: INTERNAL_ERROR with the last failure where a request got
  // an error that is none to be asked again after, or none for three minutes.
  enum class LastRequest { kIsFinished, kIsGivenUp };
  absl::Status Stop(LastRequest last);

 private:
  using Stub = v1::CertificateIssuer::Stub;
  using Outcome = decltype(history::IssueCall::outcome);
  struct Broker {
    int number = 0;
    v1::IssueCertificateRequest request;
    std::unique_ptr<history::Recorder> recorder;
    std::vector<std::unique_ptr<Stub>> stubs;  // of each replica
    int named = 0;
    int turn = 0;
    std::thread thread;
  };

  explicit Brokers(Replicas& replicas) : addresses_(replicas.addresses()) {}
  absl::Status Make(Replicas& replicas, const std::string& folder);
  absl::StatusOr<std::unique_ptr<history::Recorder>> Record(const std::string& folder,
                                                            const std::string& client);
  std::vector<std::shared_ptr<grpc::Channel>> ChannelsAs(Replicas& replicas,
                                                         absl::string_view caller) const;

  void Run(Broker& broker);
  void AskUntilReceived(Broker& broker);
  Outcome Ask(Broker& broker);
  static void Name(Broker& broker);
  template <typename Call>
  absl::Status Administer(history::AdministrativeMethod method, const std::string& root_id,
                          v1::Root* root, const Call& act);
  bool IsGivenUp() ABSL_LOCKS_EXCLUDED(mutex_);
  void Pause(int milliseconds) ABSL_LOCKS_EXCLUDED(mutex_);
  template <typename Predicate>
  absl::Status WaitUntil(const Predicate& is_so) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::vector<std::string> addresses_;
  const issuance::LinuxKernelTime machine_;
  const issuance::SystemClock clock_;
  std::unique_ptr<history::Recorder> administrator_;
  std::vector<std::shared_ptr<grpc::Channel>> administration_;  // to each replica
  std::vector<std::unique_ptr<Broker>> brokers_;

  Mutex mutex_;
  ConditionVariable changed_;
  std::vector<int> received_ ABSL_GUARDED_BY(mutex_);  // of each replica
  std::string last_failure_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::string> lost_ ABSL_GUARDED_BY(mutex_);
  std::optional<LastRequest> ending_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::failover

#endif  // HOURGLASS_TESTS_FAILOVER_BROKERS_H_
