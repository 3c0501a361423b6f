// An auditor who never has enough: so many listings are asked for at any time.
#ifndef HOURGLASS_TESTS_SUPPORT_LISTING_FLOOD_H_
#define HOURGLASS_TESTS_SUPPORT_LISTING_FLOOD_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hourglass/v1/journal.grpc.pb.h"

namespace hourglass {

// Each answer, whatever it is, is followed by the next call. Begins when it is made and ends when
// it goes.
class ListingFlood {
 public:
  struct Options {
    std::string address;  // host:port
    // PEM.
    std::string trusted_roots;
    std::string certificate_chain;
    std::string private_key;
    std::string tenant_id;
    int outstanding = 2500;
    int connections = 10;
  };

  explicit ListingFlood(const Options& options);
  ~ListingFlood();
  ListingFlood(const ListingFlood&) = delete;
  ListingFlood& operator=(const ListingFlood&) = delete;

  int outstanding() const { return outstanding_; }
  int answered() const { return answered_; }
  int refused() const { return refused_; }

 private:
  struct Call;

  void Send(Call* call);

  v1::ListCertificatesRequest request_;
  std::vector<std::unique_ptr<v1::JournalService::Stub>> stubs_;
  std::vector<std::unique_ptr<Call>> calls_;
  std::atomic<int> outstanding_ = 0;
  std::atomic<int> answered_ = 0;
  std::atomic<int> refused_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable ended_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_LISTING_FLOOD_H_
