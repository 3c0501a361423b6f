// hourglassd as its administrators meet it: configuration, start, stop, and what it says when a
// part is broken.
#include "tests/support/daemon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/base/clock.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/health_client.h"
#include "tests/support/scrape.h"
#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(DaemonTest, CheckSaysEachMistakeWithFileLineAndField) {
  Daemon daemon;
  const CommandResult sound =
      RunCommand({Daemon::kProgram, "--config", daemon.config_file(), "--check"});
  EXPECT_EQ(sound.exit_code, 0) << sound.output;
  EXPECT_THAT(sound.output, HasSubstr("is valid"));

  const std::string broken = daemon.directory().Write(
      "broken.yaml", ReadFileOrDie(daemon.config_file()) + "listen: 127.0.0.1:1\nlisten_on: 5\n");
  const CommandResult refused = RunCommand({Daemon::kProgram, "--config", broken, "--check"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, testing::ContainsRegex("broken.yaml:[0-9]+: listen: "));
  EXPECT_THAT(refused.output, testing::ContainsRegex("broken.yaml:[0-9]+: listen_on: "));

  daemon.directory().Write("policies/fabrikam.yaml", "disk_encryption: {enabled: perhaps}\n");
  const CommandResult policy =
      RunCommand({Daemon::kProgram, "--config", daemon.config_file(), "--check"});
  EXPECT_EQ(policy.exit_code, 1);
  EXPECT_THAT(policy.output, testing::ContainsRegex("fabrikam.yaml:1: disk_encryption.enabled: "));

  EXPECT_EQ(RunCommand({Daemon::kProgram}).exit_code, 2);
  EXPECT_EQ(RunCommand({Daemon::kProgram, "--config", "/no/such/file"}).exit_code, 1);
}

TEST(DaemonTest, IssuesWithAPkcs11Key) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  for (const v1::KeyType key_type : {v1::EC_P256, v1::EC_P384, v1::RSA_2048}) {
    const v1::Root root = daemon.CreateRoot("contoso", true, key_type);
    EXPECT_THAT(root.key_uri(), testing::StartsWith("pkcs11:"));
    EXPECT_THAT(root.key_uri(), Not(HasSubstr("pin")));
    EXPECT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  }
  daemon.ReportDevice("contoso", "laptop-2", false);
  v1::IssueCertificateRequest request = daemon.Request();
  request.set_device_id("laptop-2");
  EXPECT_THAT(daemon.Issue(request), RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  EXPECT_EQ(daemon.Stop(), 0);
  EXPECT_THAT(daemon.Log(), HasSubstr("\"event\":\"stopped\""));
  EXPECT_THAT(daemon.Log(), HasSubstr(R"("event":"certificate_issued","tenant":"contoso")"));
  EXPECT_THAT(daemon.Log(),
              testing::ContainsRegex("certificate_refused.*laptop-2.*"
                                     "DEVICE_NOT_COMPLIANT.*disk_encryption.enabled"));
  EXPECT_THAT(daemon.Log(), Not(HasSubstr(daemon.token().pin())));
}

// However a key URI is written: asked again, it is the same request.
TEST(DaemonTest, ARepeatedCreationWithAPkcs11UriMakesOneRoot) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.CreateTenant();
  v1::CreateRootRequest request;
  request.set_tenant_id("contoso");
  request.mutable_duration()->set_seconds(86400);
  request.set_key_type(v1::EC_P256);
  request.set_key_uri("pkcs11:object=mine;token=hourglass");
  request.set_request_id("make-the-first");
  auto stub = daemon.As<v1::RootService>(kAdministrator);
  v1::Root first, second;
  grpc::ClientContext contexts[3];
  ASSERT_THAT(stub->CreateRoot(&contexts[0], request, &first), Succeeded());
  ASSERT_THAT(stub->CreateRoot(&contexts[1], request, &second), Succeeded());
  EXPECT_EQ(second.certificate(), first.certificate());
  request.set_key_uri("pkcs11:object=another;token=hourglass");
  EXPECT_THAT(stub->CreateRoot(&contexts[2], request, &second),
              RefusedWith(v1::REQUEST_ID_REUSED, "request_id"));
}

TEST(DaemonTest, TellsItsHealth) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  EXPECT_EQ(CheckHealth(daemon.ChannelAs(kAuditor)), "SERVING");
}

TEST(DaemonTest, AStopFinishesWhatIsUnderWay) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  std::vector<v1::IssueCertificateRequest> requests;
  for (int i = 0; i < 40; ++i) requests.push_back(daemon.Request());
  auto stub = daemon.As<v1::CertificateIssuer>(kBroker);
  std::vector<std::future<grpc::Status>> answers;
  std::promise<void> first_answer;
  std::atomic<bool> answered = false;
  for (const v1::IssueCertificateRequest& request : requests) {
    answers.push_back(std::async(std::launch::async, [&] {
      v1::IssueCertificateResponse response;
      grpc::ClientContext context;
      const grpc::Status status = stub->IssueCertificate(&context, request, &response);
      if (!answered.exchange(true)) first_answer.set_value();
      return status;
    }));
  }
  first_answer.get_future().wait();
  EXPECT_EQ(daemon.Stop(), 0);
  int issued = 0;
  for (std::future<grpc::Status>& answer : answers) {
    const grpc::Status status = answer.get();
    // A call came too late, or it was finished; none was cut off in the middle.
    if (status.ok()) {
      ++issued;
    } else {
      EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
    }
  }
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  int released = 0;
  for (const v1::JournalEntry& entry : daemon.Journal()) {
    EXPECT_TRUE(entry.has_released_at());
    ++released;
  }
  EXPECT_EQ(released, issued);
  EXPECT_GT(issued, 0);
}

TEST(DaemonTest, AWrongPinIsSaidAndNothingIsIssued) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  ASSERT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  EXPECT_EQ(daemon.Stop(), 0);
  const std::string pin = ReadFileOrDie(daemon.token().pin_file());
  std::ofstream(daemon.token().pin_file(), std::ios::trunc) << "wrong-pin";
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  EXPECT_THAT(daemon.Issue(daemon.Request()), RefusedWith(v1::PIN_REFUSED));
  EXPECT_THAT(daemon.Issue(daemon.Request()), RefusedWith(v1::PIN_REFUSED));
  EXPECT_EQ(daemon.JournalSize(), 1);
  EXPECT_THAT(daemon.Log(), Not(HasSubstr("wrong-pin")));
  EXPECT_EQ(daemon.Stop(), 0);
  std::ofstream(daemon.token().pin_file(), std::ios::trunc) << pin;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  EXPECT_THAT(daemon.Issue(daemon.Request()), Succeeded());
}

TEST(DaemonTest, AMissingModuleIsSaidAndNothingIsIssued) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  EXPECT_EQ(daemon.Stop(), 0);
  daemon.Configure(
      absl::StrCat(
          "{tokens: [\"pkcs11:token=hourglass?module-path=/no/such/module.so&pin-source=file:",
          daemon.token().pin_file(), "\"]}"),
      daemon.data_directory());
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  EXPECT_THAT(daemon.Issue(daemon.Request()), RefusedWith(v1::KEY_UNAVAILABLE));
  EXPECT_EQ(daemon.JournalSize(), 0);
}

// Asks until the answer is yes, 20 seconds at most; prints how long that took.
grpc::Status IssueAgain(Daemon& daemon, const v1::IssueCertificateRequest& request) {
  const auto begin = std::chrono::steady_clock::now();
  const auto age = [&] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begin);
  };
  grpc::Status status = daemon.Issue(request);
  while (!status.ok() && age() < std::chrono::seconds(20)) status = daemon.Issue(request);
  std::printf("issuing again after %lld ms\n", static_cast<long long>(age().count()));
  return status;
}

TEST(DaemonTest, ATokenThatIsTakenAwayReleasesNothingAndIsTakenUpWhenItIsBack) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  ASSERT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  const std::string folder = daemon.token().Folder("hourglass");
  // Out of the folder of tokens: under another name there, a new process would find it all the
  // same.
  const std::string away = daemon.directory().File("away");
  std::filesystem::rename(folder, away);
  const v1::IssueCertificateRequest request = daemon.Request();
  const grpc::Status refused = daemon.Issue(request);
  ASSERT_THAT(refused, RefusedWith(v1::KEY_UNAVAILABLE));
  EXPECT_TRUE(issuance::ErrorDetailOf(refused)->has_retry_delay());
  // Recorded, as every signature that may have been made; not released.
  const std::vector<v1::JournalEntry> during = daemon.Journal();
  ASSERT_EQ(during.size(), 2u);
  EXPECT_EQ(during[0].has_released_at() + during[1].has_released_at(), 1);
  const v1::JournalEntry& pending = during[0].has_released_at() ? during[1] : during[0];
  EXPECT_EQ(pending.certificate(), "");

  std::filesystem::rename(away, folder);
  // The same request, and the same certificate that it was about to get; no restart.
  ASSERT_THAT(IssueAgain(daemon, request), Succeeded());
  const std::vector<v1::JournalEntry> after = daemon.Journal();
  ASSERT_EQ(after.size(), 2u);
  for (const v1::JournalEntry& entry : after) EXPECT_TRUE(entry.has_released_at());
  EXPECT_TRUE(after[0].serial_number() == pending.serial_number() ||
              after[1].serial_number() == pending.serial_number());
}

bool Maps(int pid, const std::string& file) {
  return RunCommand({"grep", "-qF", file, absl::StrCat("/proc/", pid, "/maps")}).exit_code == 0;
}

TEST(DaemonTest, OnlyKeyholdersLoadTheModule) {
  if (geteuid() != 0) GTEST_SKIP() << "only root sees what these processes map";
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  ASSERT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  EXPECT_FALSE(Maps(daemon.pid(), "libsofthsm2"));
  EXPECT_TRUE(Maps(daemon.pid(), "libcrypto"));
  const std::vector<int> keyholders = daemon.Keyholders();
  EXPECT_FALSE(keyholders.empty());
  for (const int pid : keyholders) EXPECT_TRUE(Maps(pid, "libsofthsm2")) << pid;
}

TEST(DaemonTest, NothingIsLostWithAKeyholder) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  ASSERT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  const std::vector<int> before = daemon.Keyholders();
  ASSERT_FALSE(before.empty());
  for (const int pid : before) ASSERT_EQ(kill(pid, SIGKILL), 0);
  EXPECT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  EXPECT_TRUE(daemon.WaitForLog("\"event\":\"keyholder_ended\"")) << daemon.Log();
  EXPECT_THAT(daemon.Log(), HasSubstr("killed by SIGKILL"));
  EXPECT_EQ(daemon.JournalSize(), 2);
}

// The service comes up, says so, and needs no restart when the token is back.
TEST(DaemonTest, ATokenThatIsAwayAtTheStartIsFoundWhenItIsBack) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  EXPECT_EQ(daemon.Stop(), 0);
  const std::string folder = daemon.token().Folder("hourglass");
  // Out of the folder of tokens: under another name there, a new process would find it all the
  // same.
  const std::string away = daemon.directory().File("away");
  std::filesystem::rename(folder, away);
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  // Before anybody asked for a certificate.
  ASSERT_TRUE(daemon.WaitForLog("\"event\":\"key_failed\",\"tenant\":\"contoso\"")) << daemon.Log();
  const grpc::Status refused = daemon.Issue(daemon.Request());
  EXPECT_THAT(refused, RefusedWith(v1::KEY_UNAVAILABLE));
  EXPECT_TRUE(issuance::ErrorDetailOf(refused)->has_retry_delay());
  std::filesystem::rename(away, folder);
  EXPECT_THAT(IssueAgain(daemon, daemon.Request()), Succeeded());
  EXPECT_TRUE(daemon.WaitForLog("\"event\":\"key_custodian_healthy\"")) << daemon.Log();
}

TEST(DaemonTest, TellsItsMetrics) {
  Daemon daemon;
  const std::string keys = absl::StrCat("{tokens: [\"", daemon.token().Uri(), "\"]}");
  daemon.Configure(keys, daemon.data_directory(), "metrics: {listen: 127.0.0.1:0}\n");
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  const std::string address = daemon.LastLogged("metrics_address");
  ASSERT_NE(address, "") << daemon.Log();
  const std::string unused = Scrape(address);
  EXPECT_THAT(unused, testing::StartsWith("HTTP/1.1 200"));
  const std::string of = "{token=\"pkcs11:token=hourglass\"";
  EXPECT_THAT(unused, HasSubstr(absl::StrCat("hourglass_key_signatures_total", of, "} 0\n")));
  EXPECT_THAT(unused, HasSubstr(absl::StrCat("hourglass_key_custodian_state", of,
                                             ",state=\"unused\"} 1\n")));
  EXPECT_THAT(unused, HasSubstr(absl::StrCat("hourglass_keyholder_restarts_total", of, "} 0\n")));

  daemon.MakeReady();
  for (int i = 0; i < 3; ++i) ASSERT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  v1::IssueCertificateRequest request = daemon.Request();
  request.set_device_id("unheard-of");
  ASSERT_THAT(daemon.Issue(request), RefusedWith(v1::DEVICE_NOT_COMPLIANT));
  const std::string used = Scrape(address);
  EXPECT_THAT(used, HasSubstr("hourglass_certificates_issued_total 3\n"));
  EXPECT_THAT(used, HasSubstr("hourglass_requests_waiting 0\n"));
  EXPECT_THAT(used, HasSubstr("hourglass_batch_size_sum "));
  EXPECT_THAT(used, HasSubstr("hourglass_batch_step_seconds_count{step=\"sign\"} "));
  EXPECT_THAT(
      used, HasSubstr("hourglass_certificates_refused_total{reason=\"DEVICE_NOT_COMPLIANT\"} 1\n"));
  EXPECT_THAT(used, HasSubstr(absl::StrCat("hourglass_key_custodian_state", of,
                                           ",state=\"healthy\"} 1\n")));
  EXPECT_THAT(
      used, HasSubstr(absl::StrCat("hourglass_key_custodian_state", of, ",state=\"unused\"} 0\n")));
  // Any number: two processes on one token of SoftHSM may be told CKR_GENERAL_ERROR, which heals.
  EXPECT_THAT(used, HasSubstr(absl::StrCat("hourglass_keyholder_restarts_total", of, "} ")));
  EXPECT_THAT(used, HasSubstr(absl::StrCat("hourglass_key_custodian_state_seconds", of, "} ")));
  EXPECT_THAT(used, Not(HasSubstr(absl::StrCat("hourglass_key_signatures_total", of, "} 0\n"))));
  EXPECT_THAT(used, Not(HasSubstr(absl::StrCat("hourglass_key_logins_total", of, "} 0\n"))));

  Daemon second;
  second.Configure(keys, second.data_directory(),
                   absl::StrCat("metrics: {listen: ", address, "}\n"));
  EXPECT_FALSE(second.Start());
  EXPECT_THAT(second.Log(), HasSubstr(absl::StrCat("cannot listen on ", address, " for metrics")));
}

// VmLck of proc(5).
std::string LockedMemory(int pid) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmLck:", 0) == 0) return line;
  }
  return "";
}

// Where every root's key is in a token, an issuing sub-key is the only one in this process.
TEST(DaemonTest, SubKeysLiveInLockedMemory) {
  const char* const kOff = "VmLck:\t       0 kB";
  Daemon daemon;
  const std::string keys = absl::StrCat("{tokens: [\"", daemon.token().Uri(), "\"]}");
  const std::string on = "{sub_key: {enabled: true}}";
  const std::string off = "{sub_key: {enabled: false}}";
  daemon.Configure(keys, daemon.data_directory(), absl::StrCat("issuing: ", off, "\n"));
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  EXPECT_EQ(LockedMemory(daemon.pid()), kOff);
  EXPECT_EQ(daemon.Stop(), 0);
  for (const std::string& issuing :
       {absl::StrCat("issuing: ", on, "\n"), absl::StrCat("tenants: {contoso: ", on, "}\n")}) {
    daemon.Configure(keys, daemon.data_directory(), issuing);
    ASSERT_TRUE(daemon.Start()) << daemon.Log();
    EXPECT_NE(LockedMemory(daemon.pid()), kOff) << issuing;
    EXPECT_EQ(daemon.Stop(), 0);
  }
}

TEST(DaemonTest, AFullDiskReleasesNothingAndIsSaid) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  ASSERT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  EXPECT_EQ(daemon.Stop(), 0);

  // No file may grow beyond this: what a full disk is to the journal's write-ahead log.
  ASSERT_TRUE(daemon.Start({"prlimit", "--fsize=300000"})) << daemon.Log();
  std::vector<std::string> received;
  grpc::Status status;
  for (int i = 0; i < 500 && status.ok(); ++i) {
    v1::IssueCertificateResponse response;
    status = daemon.Issue(daemon.Request(), &response);
    if (status.ok()) received.push_back(response.certificate());
  }
  EXPECT_THAT(status, RefusedWith(v1::JOURNAL_UNAVAILABLE));
  EXPECT_TRUE(daemon.Running());
  EXPECT_GT(received.size(), 0u);
  daemon.Kill();

  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  std::vector<std::string> released;
  for (const v1::JournalEntry& entry : daemon.Journal()) {
    if (entry.has_released_at()) released.push_back(entry.certificate());
  }
  EXPECT_THAT(released, testing::IsSupersetOf(received));
  EXPECT_THAT(daemon.Issue(daemon.Request()), Succeeded());
}

TEST(DaemonTest, AnUpkeepOfTheJournalThatFailsIsSaidAndCertificatesAreIssued) {
  Daemon daemon;
  {
    const std::string path = daemon.data_directory() + "/hourglass.sqlite";
    issuance::SqliteStoreOptions options;
    options.segment_intents = 1;
    const auto store = issuance::OpenSqliteStore(path, options).value();
    for (int number = 1; number <= 9; ++number) {
      std::filesystem::create_directory(absl::StrCat(path, ".journal/0000000", number, ".keys"));
    }
    ASSERT_TRUE(issuance::AddSamplePrimary(*store, "fabrikam").ok());
    for (const char* id : {"sealed", "active"}) {
      issuance::Intent intent = issuance::SampleIntent(id, "fabrikam");
      // A clock that stands long after the newest record would be doubted.
      intent.intended_at = issuance::SystemClock().Now();
      ASSERT_TRUE(issuance::Append(*store, intent).ok());
    }
  }
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  EXPECT_TRUE(daemon.WaitForLog(R"("event":"journal_upkeep_failed")")) << daemon.Log();
  EXPECT_THAT(daemon.Log(), HasSubstr(".keys: Is a directory"));
  daemon.MakeReady();
  EXPECT_THAT(daemon.Issue(daemon.Request()), Succeeded());
}

TEST(DaemonTest, ADataDirectoryThatCannotBeWrittenIsSaidAtTheStart) {
  Daemon daemon;
  // Below a file nothing can be made, not even by root.
  daemon.Configure(absl::StrCat("{tokens: [\"", daemon.token().Uri(), "\"]}"),
                   daemon.directory().Write("a-file", "") + "/data");
  EXPECT_FALSE(daemon.Start());
  EXPECT_THAT(daemon.Log(), HasSubstr("data_directory"));
}

}  // namespace
}  // namespace hourglass
