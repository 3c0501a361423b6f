// kill -9 at random instants under load: what a client received is in the journal, once (promise
// 3).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <time.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/pkcs10.h"
#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

constexpr int kRounds = 12;
constexpr int kBrokers = 4;
constexpr int kMostAnswersBefore = 3;

// What the brokers have in their hands, by request id.
class Received {
 public:
  void Add(const std::string& request_id, const std::string& certificate) {
    const std::lock_guard lock(mutex_);
    const auto [entry, is_new] = certificates_.emplace(request_id, certificate);
    if (!is_new && entry->second != certificate) ++contradictions_;
    ++answers_;
    answered_.notify_all();
  }
  // Until so many more have come; false where they do not.
  bool WaitFor(int answers) {
    std::unique_lock lock(mutex_);
    const int enough = answers_ + answers;
    return answered_.wait_for(lock, std::chrono::minutes(2), [&] { return answers_ >= enough; });
  }
  std::map<std::string, std::string> certificates() {
    const std::lock_guard lock(mutex_);
    return certificates_;
  }
  int contradictions() {
    const std::lock_guard lock(mutex_);
    return contradictions_;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> certificates_;
  std::condition_variable answered_;
  int answers_ = 0;
  int contradictions_ = 0;
};

// Asks until the service is gone; a request that found no answer is asked again in the next round,
// under the same id.
void AskUntilGone(v1::CertificateIssuer::Stub& stub, v1::IssueCertificateRequest& request,
                  const std::string& name, int& count, std::atomic<bool>& gone,
                  Received& received) {
  while (!gone) {
    request.set_request_id(absl::StrCat(name, "-", count));
    v1::IssueCertificateResponse response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    if (!stub.IssueCertificate(&context, request, &response).ok()) return;
    received.Add(request.request_id(), response.certificate());
    ++count;
  }
}

TEST(CrashTest, NoCertificateIsLostOrThereTwice) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  std::vector<v1::IssueCertificateRequest> requests(kBrokers, daemon.Request());
  std::vector<int> counts(kBrokers, 0);
  Received received;
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<bool> gone = false;
    std::vector<std::unique_ptr<v1::CertificateIssuer::Stub>> stubs;
    std::vector<std::thread> brokers;
    for (int i = 0; i < kBrokers; ++i) {
      stubs.push_back(daemon.As<v1::CertificateIssuer>(kBroker));
    }
    for (int i = 0; i < kBrokers; ++i) {
      brokers.emplace_back([&, i] {
        AskUntilGone(*stubs[i], requests[i], absl::StrCat("broker-", i), counts[i], gone, received);
      });
    }
    // The instant is what this test is about: anywhere between the start of the load and a third of
    // a second into it, or after a few answers, which a slow machine may not have by then.
    const bool answered = received.WaitFor(round % (kMostAnswersBefore + 1));
    const timespec instant = {0, std::uniform_int_distribution<long>(0, 333'000'000)(random)};
    nanosleep(&instant, nullptr);
    daemon.Kill();
    gone = true;
    for (std::thread& broker : brokers) broker.join();
    ASSERT_TRUE(answered);
    ASSERT_TRUE(daemon.Start()) << daemon.Log();
  }
  // Every request that was cut off is asked again, so that each has its answer now.
  for (int i = 0; i < kBrokers; ++i) {
    requests[i].set_request_id(absl::StrCat("broker-", i, "-", counts[i]));
    v1::IssueCertificateResponse response;
    ASSERT_THAT(daemon.Issue(requests[i], &response), Succeeded());
    received.Add(requests[i].request_id(), response.certificate());
  }

  const std::vector<v1::JournalEntry> journal = daemon.Journal();
  std::map<std::string, std::string> recorded;
  std::set<std::string> serial_numbers;
  for (const v1::JournalEntry& entry : journal) {
    EXPECT_TRUE(serial_numbers.insert(entry.serial_number()).second);
    EXPECT_TRUE(recorded.emplace(entry.request_id(), entry.certificate()).second);
    EXPECT_THAT(entry.certificate(), testing::HasSubstr(entry.tbs_certificate()));
  }
  EXPECT_EQ(received.contradictions(), 0);
  // Not one more and not one less: each id that was ever used has its one certificate.
  EXPECT_EQ(recorded, received.certificates());
  EXPECT_GT(recorded.size(), static_cast<std::size_t>(kRounds));
  std::printf("%zu certificates received over %d kills, all of them recorded once\n",
              recorded.size(), kRounds);

  EXPECT_EQ(daemon.Stop(), 0);
  const CommandResult check = RunCommand(
      {"sqlite3", daemon.data_directory() + "/hourglass.sqlite", "PRAGMA integrity_check"});
  EXPECT_EQ(check.output, "ok\n");
}

}  // namespace
}  // namespace hourglass
