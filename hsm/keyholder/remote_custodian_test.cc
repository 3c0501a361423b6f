#include "hsm/keyholder/remote_custodian.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/key_type.h"
#include "hsm/signature.h"
#include "tests/support/keyholder.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using State = CustodianStatus::State;

// Waits until `holds` does, at most a minute.
bool Eventually(const std::function<bool()>& holds) {
  const auto deadline = steady_clock::now() + seconds(60);
  while (steady_clock::now() < deadline) {
    if (holds()) return true;
    std::this_thread::yield();
  }
  return false;
}

class Events : public KeyObserver {
 public:
  void CustodianChanged(absl::string_view, const CustodianStatus& status) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    states_.emplace_back(CustodianStateName(status.state));
  }
  void WorkerEnded(absl::string_view, int pid, absl::string_view how) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_.emplace_back(pid, how);
  }
  void WorkerSaid(absl::string_view, absl::string_view line) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    lines_.emplace_back(line);
  }
  void KeyTakenOutOfService(absl::string_view) override {}

  std::vector<std::pair<int, std::string>> ended() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return ended_;
  }
  std::vector<std::string> states() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return states_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> states_;
  std::vector<std::pair<int, std::string>> ended_;
  std::vector<std::string> lines_;
};

// The processes that this one has started and not reaped.
std::set<pid_t> Workers() {
  std::set<pid_t> workers;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream children(task.path() / "children");
    for (pid_t child; children >> child;) {
      std::ifstream name(absl::StrCat("/proc/", child, "/comm"));
      std::string comm;
      if (std::getline(name, comm) && absl::StartsWith(comm, "hourglass-keyho")) {
        workers.insert(child);
      }
    }
  }
  return workers;
}

class RemoteCustodianTest : public ::testing::Test {
 protected:
  static RemoteCustodianOptions Options() {
    RemoteCustodianOptions options;
    options.program = std::filesystem::absolute(kKeyholderProgram);
    options.workers = 2;
    return options;
  }

  TokenUri Token(absl::string_view label = "") const { return *ParseTokenUri(token_.Uri(label)); }

  std::unique_ptr<RemoteCustodian> Make(const RemoteCustodianOptions& options = Options()) {
    return RemoteCustodian::Create(Token(), options, &events_);
  }

  static absl::Status SignAndVerify(KeyCustodian& custodian, const CustodialKey& key,
                                    const VerifyingKey& verifier, absl::string_view message) {
    const absl::StatusOr<std::string> digest = Digest(key.type, message);
    const absl::StatusOr<std::string> signature = custodian.SignDigest(key, *digest);
    if (!signature.ok()) return signature.status();
    return verifier.Verify(message, *signature);
  }

  static absl::Status SignAndVerify(KeyCustodian& custodian, const CustodialKey& key) {
    return SignAndVerify(custodian, key, *VerifyingKey::FromPublicKey(key.public_key), "message");
  }

  static bool Heals(KeyCustodian& custodian, const CustodialKey& key) {
    return Eventually([&] { return SignAndVerify(custodian, key).ok(); });
  }

  static bool HasWorkers(const KeyCustodian& custodian, int count) {
    return Eventually([&] {
      const CustodianStatus status = custodian.Status();
      return status.workers == count && status.logins >= static_cast<std::uint64_t>(count) &&
             status.state == State::kHealthy;
    });
  }

  SofthsmToken token_{{"first", "second"}};
  Events events_;
};

// Signs without pause on several threads until told to stop, and keeps every error.
class Load {
 public:
  Load(KeyCustodian& custodian, const CustodialKey& key, int threads)
      : verifier_(*VerifyingKey::FromPublicKey(key.public_key)) {
    for (int thread = 0; thread < threads; ++thread) {
      threads_.emplace_back([this, &custodian, &key, thread] { Run(custodian, key, thread); });
    }
  }
  ~Load() { Stop(); }

  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  int signatures() const { return signatures_; }
  // Waits for so many more.
  bool Await(int more) {
    const int goal = signatures_ + more;
    return Eventually([&] { return signatures_ >= goal; });
  }
  std::vector<absl::Status> errors() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return errors_;
  }

 private:
  void Run(KeyCustodian& custodian, const CustodialKey& key, int thread) {
    for (int i = 0; !stop_; ++i) {
      const std::string message = absl::StrCat(thread, "/", i);
      const absl::StatusOr<std::string> digest = Digest(key.type, message);
      absl::StatusOr<std::string> signature = custodian.SignDigest(key, *digest);
      const absl::Status done =
          signature.ok() ? verifier_.Verify(message, *signature) : signature.status();
      if (done.ok()) {
        ++signatures_;
        continue;
      }
      const std::lock_guard<std::mutex> lock(mutex_);
      errors_.push_back(done);
    }
  }

  const VerifyingKey verifier_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> signatures_ = 0;
  std::mutex mutex_;
  std::vector<absl::Status> errors_;
  std::vector<std::thread> threads_;
};

TEST_F(RemoteCustodianTest, StartsNothingBeforeItIsUsed) {
  const auto custodian = Make();
  EXPECT_EQ(custodian->Status().state, State::kUnused);
  EXPECT_TRUE(Workers().empty());
}

TEST_F(RemoteCustodianTest, EveryKeyTypeSigns) {
  const auto custodian = Make();
  for (const KeyType type : kAllKeyTypes) {
    const KeySelector selector{std::string(KeyTypeName(type)), "\x01"};
    ASSERT_OK_AND_ASSIGN(const CustodialKey made, custodian->Generate(selector, type));
    ASSERT_OK_AND_ASSIGN(const CustodialKey opened, custodian->Open({selector.label, ""}));
    EXPECT_EQ(opened.selector, selector);
    EXPECT_EQ(opened.public_key, made.public_key);
    EXPECT_EQ(opened.type, type);
    EXPECT_OK(SignAndVerify(*custodian, opened));
  }
  ASSERT_OK_AND_ASSIGN(const std::vector<KeyListing> listings, custodian->List());
  EXPECT_EQ(listings.size(), std::size(kAllKeyTypes));
  const CustodianStatus status = custodian->Status();
  EXPECT_EQ(status.state, State::kHealthy);
  EXPECT_EQ(status.signatures, std::size(kAllKeyTypes));
  EXPECT_EQ(status.worker_restarts, 0u);
}

TEST_F(RemoteCustodianTest, SignsFromManyThreadsAtOnce) {
  const auto custodian = Make();
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  Load load(*custodian, key, 16);
  EXPECT_TRUE(load.Await(2000));
  load.Stop();
  EXPECT_THAT(load.errors(), ::testing::IsEmpty());
  EXPECT_EQ(custodian->Status().workers, 2);
}

TEST_F(RemoteCustodianTest, RefusesADigestOfTheWrongSize) {
  const auto custodian = Make();
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  EXPECT_THAT(custodian->SignDigest(key, std::string(31, 'x')),
              FailsWith(ErrorReason::kInternalError, "digest"));
  EXPECT_OK(custodian->SignDigest(key, std::string(32, 'x')).status());
}

TEST_F(RemoteCustodianTest, NoCallIsLostWithAWorker) {
  const auto custodian = Make();
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  ASSERT_TRUE(HasWorkers(*custodian, 2));
  Load load(*custodian, key, 8);
  for (std::uint64_t killed = 1; killed <= 3; ++killed) {
    ASSERT_TRUE(load.Await(500));
    kill(*Workers().begin(), SIGKILL);
    ASSERT_TRUE(Eventually([&] { return custodian->Status().worker_restarts == killed; }));
    ASSERT_TRUE(HasWorkers(*custodian, 2));
  }
  load.Stop();
  EXPECT_THAT(load.errors(), ::testing::IsEmpty());
  EXPECT_EQ(custodian->Status().errors["crash"], 3u);
  ASSERT_EQ(events_.ended().size(), 3u);
  EXPECT_THAT(events_.ended()[0].second, HasSubstr("killed by SIGKILL"));
}

}  // namespace
}  // namespace hourglass::hsm
