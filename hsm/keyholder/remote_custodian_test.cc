#include "hsm/keyholder/remote_custodian.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
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

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hsm/base/error.h"
#include "hsm/key/key_type.h"
#include "hsm/key/signature.h"
#include "tests/fakes/faulty_pkcs11.h"
#include "tests/support/keyholder.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
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
  void KeyTakenOutOfService(absl::string_view key_uri) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    out_of_service_.emplace_back(key_uri);
  }

  std::vector<std::pair<int, std::string>> ended() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return ended_;
  }
  std::vector<std::string> out_of_service() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return out_of_service_;
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
  std::vector<std::string> out_of_service_;
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

  // Takes no worker for one that hangs, however slow the machine is.
  static RemoteCustodianOptions Patient() {
    RemoteCustodianOptions options = Options();
    options.hang_timeout = options.wait = std::chrono::minutes(10);
    return options;
  }

  // Whether a call hangs in each worker, of which there are `count`. How often a function was
  // called does not say so: a worker that runs may be about to test its keys.
  static bool AllHang(const FaultyPkcs11& faulty, std::size_t count) {
    const std::vector<int> hanging = faulty.Hanging();
    const std::set<pid_t> workers = Workers();
    return workers.size() == count &&
           std::all_of(workers.begin(), workers.end(), [&](pid_t worker) {
             return std::find(hanging.begin(), hanging.end(), worker) != hanging.end();
           });
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

  static testing::AssertionResult Heals(KeyCustodian& custodian, const CustodialKey& key) {
    absl::Status last;
    if (Eventually([&] { return (last = SignAndVerify(custodian, key)).ok(); })) {
      return testing::AssertionSuccess();
    }
    const CustodianStatus status = custodian.Status();
    return testing::AssertionFailure()
           << last << "; it is " << CustodianStateName(status.state) << " (" << status.message
           << "), has " << status.workers << " workers, " << status.logins << " logins and "
           << status.worker_restarts << " restarts, and a signature took "
           << status.signature_time.count() << " us";
  }

  // Whether SoftHSM's own program does not find the token any more either.
  static bool IsLost(const std::string& label) {
    const CommandResult slots = RunCommand({"softhsm2-util", "--show-slots"});
    EXPECT_EQ(slots.exit_code, 0) << slots.output;
    for (const absl::string_view line : absl::StrSplit(slots.output, '\n')) {
      const absl::string_view stripped = absl::StripAsciiWhitespace(line);
      if (absl::StartsWith(stripped, "Label:") && absl::EndsWith(stripped, label)) return false;
    }
    return true;
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
  const auto custodian = Make(Patient());
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
  EXPECT_EQ(custodian->Status().state, State::kHealthy);
  // A signature is counted after its caller has it. How many workers it took is not asked: SoftHSM
  // may not show a new key to a worker that was there before, and another takes its place then.
  EXPECT_TRUE(Eventually([&] { return custodian->Status().signatures == std::size(kAllKeyTypes); }))
      << custodian->Status().signatures;
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

TEST_F(RemoteCustodianTest, HealsHoweverOftenAllWorkersAreKilled) {
  const auto custodian = Make();
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  for (int round = 0; round < 8; ++round) {
    ASSERT_TRUE(HasWorkers(*custodian, 2));
    for (const pid_t worker : Workers()) kill(worker, SIGKILL);
    ASSERT_TRUE(Heals(*custodian, key));
  }
  EXPECT_EQ(events_.states().back(), "healthy");
}

// What `digests` were made of, signed at once: how many signatures verify; every other result must
// be `otherwise`.
int CountSigned(KeyCustodian& custodian, const CustodialKey& key, int messages,
                ErrorReason otherwise) {
  std::vector<std::string> digests;
  for (int i = 0; i < messages; ++i) digests.push_back(*Digest(key.type, absl::StrCat(i)));
  const std::vector<absl::StatusOr<std::string>> signatures = custodian.SignDigests(key, digests);
  EXPECT_EQ(signatures.size(), digests.size());
  const VerifyingKey verifier = *VerifyingKey::FromPublicKey(key.public_key);
  int verified = 0;
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    if (signatures[i].ok()) {
      EXPECT_OK(verifier.VerifyDigest(digests[i], *signatures[i]));
      ++verified;
    } else {
      EXPECT_THAT(signatures[i], FailsWith(otherwise));
    }
  }
  return verified;
}

TEST_F(RemoteCustodianTest, SignsManyDigestsAtOnce) {
  const auto custodian = Make();
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  EXPECT_EQ(CountSigned(*custodian, key, 1, ErrorReason::kInternalError), 1);
  // More than one packet holds.
  EXPECT_EQ(CountSigned(*custodian, key, 200, ErrorReason::kInternalError), 200);
  EXPECT_TRUE(custodian->SignDigests(key, {}).empty());
  const auto wrong = custodian->SignDigests(key, {std::string(32, 'x'), std::string(31, 'x')});
  ASSERT_EQ(wrong.size(), 2u);
  for (const auto& result : wrong) {
    EXPECT_THAT(result, FailsWith(ErrorReason::kInternalError, "digest"));
  }
  ASSERT_OK(custodian->Destroy(key.selector));
  EXPECT_EQ(CountSigned(*custodian, key, 100, ErrorReason::kKeyNotFound), 0);
}

TEST_F(RemoteCustodianTest, NoDigestOfManyIsLostWithAWorker) {
  const auto custodian = Make();
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  ASSERT_TRUE(HasWorkers(*custodian, 2));
  std::atomic<bool> stop = false;
  std::atomic<int> signatures = 0;
  std::vector<std::thread> callers;
  for (int thread = 0; thread < 4; ++thread) {
    callers.emplace_back([&] {
      while (!stop) {
        EXPECT_EQ(CountSigned(*custodian, key, 32, ErrorReason::kInternalError), 32);
        signatures += 32;
      }
    });
  }
  for (std::uint64_t killed = 1; killed <= 3; ++killed) {
    const int goal = signatures + 500;
    EXPECT_TRUE(Eventually([&] { return signatures >= goal; }));
    kill(*Workers().begin(), SIGKILL);
    EXPECT_TRUE(Eventually([&] { return custodian->Status().worker_restarts == killed; }));
    EXPECT_TRUE(HasWorkers(*custodian, 2));
  }
  stop = true;
  for (std::thread& caller : callers) caller.join();
}

TEST_F(RemoteCustodianTest, WhatOfManyIsSignedInTimeIsKept) {
  FaultyPkcs11 faulty;
  RemoteCustodianOptions options = Options();
  options.wait = seconds(5);
  const auto custodian =
      RemoteCustodian::Create(*ParseTokenUri(faulty.Through(token_.Uri())), options, &events_);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  ASSERT_TRUE(HasWorkers(*custodian, 2));
  // More than that time on two workers; but a hundred at that pace are in time.
  faulty.Set({"C_Sign * delay 30ms"});
  const int verified = CountSigned(*custodian, key, 400, ErrorReason::kKeyUnavailable);
  EXPECT_GT(verified, 0);
  EXPECT_LT(verified, 400);
  // What came too late stands in nobody's way.
  faulty.Clear();
  EXPECT_TRUE(Heals(*custodian, key));
  EXPECT_EQ(CountSigned(*custodian, key, 100, ErrorReason::kInternalError), 100);
}

TEST_F(RemoteCustodianTest, EndsSoonThoughManyDigestsWait) {
  FaultyPkcs11 faulty;
  auto custodian =
      RemoteCustodian::Create(*ParseTokenUri(faulty.Through(token_.Uri())), Patient(), &events_);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  ASSERT_TRUE(HasWorkers(*custodian, 2));
  faulty.Set({"C_Sign * hang"});
  std::thread caller([&, remote = custodian.get()] {
    EXPECT_EQ(CountSigned(*remote, key, 300, ErrorReason::kKeyUnavailable), 0);
  });
  EXPECT_TRUE(Eventually([&] { return AllHang(faulty, 2); }));
  const auto begin = steady_clock::now();
  custodian.reset();
  EXPECT_LT(steady_clock::now() - begin, Patient().hang_timeout / 2);
  caller.join();
}

TEST_F(RemoteCustodianTest, StartsOnceTheProgramIsThere) {
  const TemporaryDirectory directory;
  RemoteCustodianOptions options = Options();
  options.program = directory.File("hourglass-keyholder");
  const auto custodian = Make(options);
  const auto lost = custodian->Open({"key", ""});
  EXPECT_THAT(lost, FailsWith(ErrorReason::kKeyUnavailable, custodian->name()));
  EXPECT_THAT(std::string(lost.status().message()), HasSubstr(options.program));
  EXPECT_TRUE(RetryDelayOf(lost.status()).has_value());
  EXPECT_EQ(custodian->Status().state, State::kRecovering);
  EXPECT_EQ(custodian->Status().workers, 0);

  std::filesystem::create_symlink(Options().program, options.program);
  EXPECT_TRUE(Eventually([&] { return custodian->Status().state == State::kHealthy; }));
  EXPECT_THAT(custodian->Open({"key", ""}), FailsWith(ErrorReason::kKeyNotFound));
}

TEST_F(RemoteCustodianTest, StartsOnceTheTokenIsThere) {
  const TemporaryDirectory elsewhere;
  const std::string& folder = token_.Folder("first");
  const std::string away = elsewhere.File("token");
  std::filesystem::rename(folder, away);
  const auto custodian = Make();
  EXPECT_THAT(custodian->Open({"key", ""}), FailsWith(ErrorReason::kKeyUnavailable));
  std::filesystem::rename(away, folder);
  EXPECT_TRUE(Eventually([&] { return custodian->Status().state == State::kHealthy; }));
  EXPECT_OK(custodian->Generate({"key", "\x01"}, KeyType::kEcP256).status());
}

TEST_F(RemoteCustodianTest, SignsAgainOnceTheTokenIsBack) {
  const auto custodian = Make();
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  ASSERT_TRUE(HasWorkers(*custodian, 2));
  const TemporaryDirectory elsewhere;
  const std::string& folder = token_.Folder("first");
  const std::string away = elsewhere.File("token");
  std::filesystem::rename(folder, away);
  EXPECT_TRUE(Eventually([&] { return !SignAndVerify(*custodian, key).ok(); }));
  std::filesystem::rename(away, folder);
  const auto back = steady_clock::now();
  EXPECT_TRUE(Heals(*custodian, key));
  std::printf("token back: healed after %lld ms\n",
              static_cast<long long>((steady_clock::now() - back) / milliseconds(1)));
  // Both workers see the token again, the one that noticed nothing as well.
  Load load(*custodian, key, 8);
  EXPECT_TRUE(load.Await(500));
  load.Stop();
  EXPECT_THAT(load.errors(), ::testing::IsEmpty());
}

// While it was away nobody asked: both workers still believe in what they saw before.
TEST_F(RemoteCustodianTest, NobodyNoticesThatTheTokenWasAway) {
  const auto custodian = Make();
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  ASSERT_TRUE(HasWorkers(*custodian, 2));
  ASSERT_OK(SignAndVerify(*custodian, key));
  const TemporaryDirectory elsewhere;
  const std::string& folder = token_.Folder("first");
  const std::string away = elsewhere.File("token");
  std::filesystem::rename(folder, away);
  // SoftHSM looks at the folder when it is asked for something.
  std::filesystem::rename(away, folder);
  Load load(*custodian, key, 8);
  EXPECT_TRUE(load.Await(500));
  load.Stop();
  EXPECT_THAT(load.errors(), ::testing::IsEmpty());
}

TEST_F(RemoteCustodianTest, TriesAWrongPinOnceAndAgainWhenItsFileChanges) {
  FaultyPkcs11 counting;
  const TemporaryDirectory directory;
  TokenUri token = *ParseTokenUri(counting.Through(token_.Uri()));
  token.pin_source.name = directory.Write("pin", "111111\n");
  const auto custodian = RemoteCustodian::Create(token, Options(), &events_);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_THAT(custodian->Open({"key", ""}), FailsWith(ErrorReason::kPinRefused));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counting.Count("C_Login"), 1u);
  EXPECT_EQ(custodian->Status().state, State::kFailed);
  EXPECT_THAT(custodian->Status().message, HasSubstr(token.pin_source.name));

  // Another wrong one: one more try.
  directory.Write("pin", "2222222\n");
  EXPECT_TRUE(Eventually([&] { return counting.Count("C_Login") == 2; }));
  EXPECT_TRUE(Eventually([&] { return custodian->Status().state == State::kFailed; }));
  EXPECT_THAT(custodian->Open({"key", ""}), FailsWith(ErrorReason::kPinRefused));

  directory.Write("pin", token_.pin());
  EXPECT_TRUE(Eventually([&] { return custodian->Status().state == State::kHealthy; }));
  EXPECT_OK(custodian->Generate({"key", "\x01"}, KeyType::kEcP256).status());
  EXPECT_TRUE(HasWorkers(*custodian, 2));
  EXPECT_EQ(counting.Count("C_Login"), 4u);
}

class ChangedPinTest : public RemoteCustodianTest {
 protected:
  void SetUp() override {
    uri_ = *ParseTokenUri(counting_.Through(token_.Uri()));
    uri_.pin_source.name = directory_.Write("pin", token_.pin());
    custodian_ = RemoteCustodian::Create(uri_, Options(), &events_);
    ASSERT_OK_AND_ASSIGN(key_, custodian_->Generate({"key", "\x01"}, KeyType::kEcP256));
    ASSERT_TRUE(HasWorkers(*custodian_, 2));
    const CommandResult changed = token_.Tool({"--change-pin", "--new-pin", kNewPin}, "first");
    ASSERT_EQ(changed.exit_code, 0) << changed.output;
    logins_ = counting_.Count("C_Login");
  }

  static constexpr char kNewPin[] = "864209";
  FaultyPkcs11 counting_;
  TemporaryDirectory directory_;
  TokenUri uri_;
  std::unique_ptr<RemoteCustodian> custodian_;
  CustodialKey key_;
  std::uint64_t logins_ = 0;
};

TEST_F(ChangedPinTest, EndsNoWorkerThatIsLoggedIn) {
  Load load(*custodian_, key_, 4);
  ASSERT_TRUE(load.Await(100));
  kill(*Workers().begin(), SIGKILL);
  ASSERT_TRUE(Eventually([&] { return counting_.Count("C_Login") == logins_ + 1; }));
  ASSERT_TRUE(Eventually([&] { return !custodian_->Status().message.empty(); }));
  EXPECT_TRUE(load.Await(2000));
  CustodianStatus status = custodian_->Status();
  EXPECT_EQ(status.state, State::kHealthy);
  EXPECT_EQ(status.workers, 1);
  EXPECT_THAT(status.message, HasSubstr(uri_.pin_source.name));
  // That a key is not there is believed of the worker that is left.
  EXPECT_THAT(custodian_->Open({"missing", ""}), FailsWith(ErrorReason::kKeyNotFound));
  CustodialKey missing = key_;
  missing.selector.label = "missing";
  EXPECT_THAT(SignAndVerify(*custodian_, missing), FailsWith(ErrorReason::kKeyNotFound));
  EXPECT_EQ(custodian_->Status().workers, 1);
  EXPECT_EQ(counting_.Count("C_Login"), logins_ + 1);

  directory_.Write("pin", kNewPin);
  EXPECT_TRUE(Eventually([&] { return counting_.Count("C_Login") == logins_ + 2; }));
  EXPECT_TRUE(HasWorkers(*custodian_, 2));
  EXPECT_EQ(custodian_->Status().message, "");
  load.Stop();
  EXPECT_THAT(load.errors(), ::testing::IsEmpty());
}

TEST_F(ChangedPinTest, IsTriedOnceThoughEveryLoginIsLost) {
  counting_.Set({"C_SignInit * forget-login"});
  EXPECT_TRUE(Eventually(
      [&] { return ReasonOf(SignAndVerify(*custodian_, key_)) == ErrorReason::kPinRefused; }));
  EXPECT_TRUE(Eventually([&] { return custodian_->Status().workers == 0; }));
  EXPECT_EQ(custodian_->Status().state, State::kFailed);
  EXPECT_EQ(counting_.Count("C_Login"), logins_ + 1);
  counting_.Clear();
  directory_.Write("pin", kNewPin);
  EXPECT_TRUE(Heals(*custodian_, key_));
}

TEST_F(RemoteCustodianTest, ADeletedKeyIsNotFoundAndOthersGoOn) {
  const auto custodian = Make();
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  ASSERT_OK_AND_ASSIGN(const CustodialKey other,
                       custodian->Generate({"other", "\x02"}, KeyType::kEcP256));
  ASSERT_TRUE(HasWorkers(*custodian, 2));
  Load load(*custodian, other, 2);
  ASSERT_TRUE(load.Await(100));
  ASSERT_EQ(token_.Tool({"--delete-object", "--type", "privkey", "--label", "key"}).exit_code, 0);
  for (int i = 0; i < 21; ++i) {
    EXPECT_THAT(SignAndVerify(*custodian, key), FailsWith(ErrorReason::kKeyNotFound));
  }
  // Each worker is replaced once at most, however late on a busy machine, and not at each refusal.
  EXPECT_TRUE(HasWorkers(*custodian, 2));
  EXPECT_LE(custodian->Status().worker_restarts, 2u);
  ASSERT_TRUE(load.Await(100));
  load.Stop();
  EXPECT_THAT(load.errors(), ::testing::IsEmpty());
  EXPECT_EQ(custodian->Status().state, State::kHealthy);
}

TEST_F(RemoteCustodianTest, DestroyedKeysAreGone) {
  // One worker: another might not be shown the new key by SoftHSM, and be replaced for it.
  RemoteCustodianOptions options = Patient();
  options.workers = 1;
  const auto custodian = Make(options);
  ASSERT_OK(custodian->Greet());
  // A worker that starts tests the keys that are known: one that is destroyed meanwhile ends it,
  // and whatever it was asked is asked anew.
  ASSERT_TRUE(HasWorkers(*custodian, 1));
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  EXPECT_OK(custodian->Destroy(key.selector));
  EXPECT_THAT(custodian->Destroy(key.selector), FailsWith(ErrorReason::kKeyNotFound));
  EXPECT_THAT(custodian->Open(key.selector), FailsWith(ErrorReason::kKeyNotFound));
  EXPECT_EQ(custodian->Status().worker_restarts, 0u);
}

TEST_F(RemoteCustodianTest, EndsSoonThoughCallersWaitAndTheModuleHangs) {
  FaultyPkcs11 faulty;
  auto custodian =
      RemoteCustodian::Create(*ParseTokenUri(faulty.Through(token_.Uri())), Patient(), &events_);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  ASSERT_TRUE(HasWorkers(*custodian, 2));
  faulty.Set({"C_Sign * hang"});
  std::vector<std::thread> callers;
  // A worker that hangs takes two at most, so that the other one gets some.
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, remote = custodian.get()] {
      EXPECT_THAT(remote->SignDigest(key, std::string(32, 'x')),
                  FailsWith(ErrorReason::kKeyUnavailable));
    });
  }
  EXPECT_TRUE(Eventually([&] { return AllHang(faulty, 2); }));
  const auto begin = steady_clock::now();
  custodian.reset();
  std::printf("ended after %lld ms\n",
              static_cast<long long>((steady_clock::now() - begin) / milliseconds(1)));
  EXPECT_LT(steady_clock::now() - begin, Patient().hang_timeout / 2);
  for (std::thread& caller : callers) caller.join();
  EXPECT_TRUE(Workers().empty());
}

TEST_F(RemoteCustodianTest, AHangEndsInANewWorker) {
  FaultyPkcs11 faulty;
  RemoteCustodianOptions options = Options();
  // Far more than a signature takes on a busy machine.
  options.hang_timeout = seconds(5);
  options.wait = seconds(60);
  const auto custodian =
      RemoteCustodian::Create(*ParseTokenUri(faulty.Through(token_.Uri())), options, &events_);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  ASSERT_TRUE(HasWorkers(*custodian, 2));
  faulty.Set({"C_Sign 1 hang"});
  EXPECT_OK(SignAndVerify(*custodian, key));
  EXPECT_TRUE(Eventually([&] { return custodian->Status().errors["hang"] == 1; }));
  ASSERT_EQ(events_.ended().size(), 1u);
  EXPECT_THAT(events_.ended()[0].second, HasSubstr("gave no answer for "));
}

TEST_F(RemoteCustodianTest, RefusesAtOnceWhatASlowTokenCannotSignInTime) {
  FaultyPkcs11 faulty;
  RemoteCustodianOptions options = Options();
  options.workers = 1;
  options.sessions = 1;
  options.wait = seconds(2);
  const auto custodian =
      RemoteCustodian::Create(*ParseTokenUri(faulty.Through(token_.Uri())), options, &events_);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  EXPECT_OK(SignAndVerify(*custodian, key));
  faulty.Set({"C_Sign * delay 100ms"});
  for (int i = 0; i < 40; ++i) EXPECT_OK(SignAndVerify(*custodian, key));
  EXPECT_GE(custodian->Status().signature_time, milliseconds(90));

  std::atomic<int> signed_in_time = 0, refused_at_once = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 60; ++i) {
    callers.emplace_back([&] {
      const auto begin = steady_clock::now();
      const absl::Status done = SignAndVerify(*custodian, key);
      const auto took = steady_clock::now() - begin;
      if (done.ok()) {
        ++signed_in_time;
        return;
      }
      EXPECT_THAT(done, FailsWith(ErrorReason::kKeyUnavailable));
      if (!absl::StrContains(done.message(), "signs too slowly")) return;
      EXPECT_GE(RetryDelayOf(done), options.wait);
      if (took < options.wait / 2) ++refused_at_once;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_GT(signed_in_time, 5);
  EXPECT_GE(refused_at_once, 60 - 2 * 20);

  faulty.Clear();
  EXPECT_TRUE(Heals(*custodian, key));
}

TEST_F(RemoteCustodianTest, ADeadTokenTakesNoThreads) {
  FaultyPkcs11 faulty;
  const auto custodian =
      RemoteCustodian::Create(*ParseTokenUri(faulty.Through(token_.Uri())), Options(), &events_);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  ASSERT_TRUE(HasWorkers(*custodian, 2));
  faulty.Set({"C_Sign * hang"});
  std::atomic<bool> stop = false;
  std::atomic<int> waiting = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> callers;
  for (int thread = 0; thread < 8; ++thread) {
    callers.emplace_back([&] {
      while (!stop) {
        ++waiting;
        const auto begin = steady_clock::now();
        const absl::Status status = SignAndVerify(*custodian, key);
        --waiting;
        EXPECT_THAT(status, AnyOf(IsOk(), FailsWith(ErrorReason::kKeyUnavailable)));
        if (RetryDelayOf(status).has_value() && steady_clock::now() - begin < milliseconds(50)) {
          ++refused;
        }
      }
    });
  }
  EXPECT_TRUE(Eventually([&] { return refused > 1000; }));
  stop = true;
  // Those that are left wait for their signatures.
  EXPECT_TRUE(Eventually([&] { return waiting <= 4; }));
  faulty.Clear();
  const testing::AssertionResult healed = Heals(*custodian, key);
  for (std::thread& caller : callers) caller.join();
  if (!healed && IsLost("first")) {
    GTEST_SKIP() << "SoftHSM has lost the token: it rewrites it at each login, and a worker was "
                    "killed meanwhile";
  }
  EXPECT_TRUE(healed);
}

TEST_F(RemoteCustodianTest, TellsWhatTheModuleDiesOf) {
  FaultyPkcs11 faulty;
  const auto custodian =
      RemoteCustodian::Create(*ParseTokenUri(faulty.Through(token_.Uri())), Options(), &events_);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  ASSERT_TRUE(HasWorkers(*custodian, 2));
  faulty.Set({"C_Sign * crash SIGSEGV"});
  const absl::Status lost = SignAndVerify(*custodian, key);
  EXPECT_THAT(lost, FailsWith(ErrorReason::kKeyUnavailable, custodian->name()));
  EXPECT_THAT(std::string(lost.message()), HasSubstr("killed by SIGSEGV"));
  EXPECT_EQ(custodian->Status().state, State::kRecovering);
  faulty.Clear();
  EXPECT_TRUE(Heals(*custodian, key));
}

TEST_F(RemoteCustodianTest, AKeyWhoseTestSignaturesDoNotVerifyIsOutOfService) {
  FaultyPkcs11 faulty;
  const auto custodian =
      RemoteCustodian::Create(*ParseTokenUri(faulty.Through(token_.Uri())), Options(), &events_);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  ASSERT_TRUE(HasWorkers(*custodian, 2));
  faulty.Set({"C_Sign * wrong-signature"});
  for (const pid_t worker : Workers()) kill(worker, SIGKILL);
  EXPECT_TRUE(Eventually([&] {
    return ReasonOf(SignAndVerify(*custodian, key)) == ErrorReason::kKeyMismatch &&
           custodian->Status().errors["KEY_MISMATCH"] >= 2;
  }));
  faulty.Clear();
  EXPECT_TRUE(HasWorkers(*custodian, 2));
  EXPECT_THAT(custodian->SignDigest(key, std::string(32, 'x')),
              FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_EQ(CountSigned(*custodian, key, 3, ErrorReason::kKeyMismatch), 0);
  EXPECT_EQ(events_.out_of_service(),
            std::vector<std::string>({absl::StrCat(custodian->name(), ";object=key;id=%01")}));
  // The others go on.
  ASSERT_OK_AND_ASSIGN(const CustodialKey other,
                       custodian->Generate({"other", "\x02"}, KeyType::kEcP256));
  EXPECT_OK(SignAndVerify(*custodian, other));
}

TEST_F(RemoteCustodianTest, OneWrongTestSignatureIsAWorkersFault) {
  FaultyPkcs11 faulty;
  RemoteCustodianOptions options = Options();
  options.workers = 1;
  const auto custodian =
      RemoteCustodian::Create(*ParseTokenUri(faulty.Through(token_.Uri())), options, &events_);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"key", "\x01"}, KeyType::kEcP256));
  faulty.Set({"C_Sign 1 wrong-signature"});
  kill(*Workers().begin(), SIGKILL);
  EXPECT_TRUE(Heals(*custodian, key));
  EXPECT_EQ(custodian->Status().errors["KEY_MISMATCH"], 1u);
  EXPECT_TRUE(events_.out_of_service().empty());
}

}  // namespace
}  // namespace hourglass::hsm
