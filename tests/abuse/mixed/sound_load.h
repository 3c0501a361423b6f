// Brokers that do all as they should: what abuse must not take from them.
#ifndef HOURGLASS_TESTS_ABUSE_MIXED_SOUND_LOAD_H_
#define HOURGLASS_TESTS_ABUSE_MIXED_SOUND_LOAD_H_

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hourglass/v1/issuance.grpc.pb.h"

namespace hourglass {

// Each broker asks for one certificate after the other, at an even pace. A request that is refused
// for now, or whose connection is lost, is asked again under the same id, as the broker program
// does. Begins when it is made and ends with Stop.
class SoundLoad {
 public:
  struct Options {
    // One a broker.
    std::vector<std::unique_ptr<v1::CertificateIssuer::Stub>> stubs;
    v1::IssueCertificateRequest request;  // the request id is replaced
    std::chrono::milliseconds pace{25};   // from one request of a broker to its next
  };

  // A request that has no certificate after so long is lost.
  static constexpr std::chrono::seconds kPatience{60};

  explicit SoundLoad(Options options);
  ~SoundLoad() { Stop(); }
  SoundLoad(const SoundLoad&) = delete;
  SoundLoad& operator=(const SoundLoad&) = delete;

  // Returns when what was asked is answered or lost. Idempotent.
  void Stop();

  // Of the time since the last call: how long a request took from its first asking to its
  // certificate, ascending.
  std::vector<std::chrono::microseconds> TakeTimes();

  int lost() const { return lost_; }
  int asked_again() const { return asked_again_; }
  // By request id; after Stop.
  const std::map<std::string, std::string>& certificates() const { return certificates_; }
  // What the last lost request met.
  std::string last_failure() const;

 private:
  void Run(std::size_t broker);
  void Ask(std::size_t broker, v1::IssueCertificateRequest& request);

  Options options_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> lost_ = 0;
  std::atomic<int> asked_again_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::chrono::microseconds> times_;     // guarded by mutex_
  std::map<std::string, std::string> certificates_;  // guarded by mutex_
  std::string last_failure_;                         // guarded by mutex_
  std::vector<std::thread> brokers_;
};

// The value below which `share` of them lie; `times` ascending and not empty.
std::chrono::microseconds Quantile(const std::vector<std::chrono::microseconds>& times,
                                   double share);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_ABUSE_MIXED_SOUND_LOAD_H_
