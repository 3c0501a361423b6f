// hourglassd as its administrators meet it: configuration, start, stop, and what it says when a
// part is broken.
#include "tests/support/daemon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/health_client.h"
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

TEST(DaemonTest, ATokenThatIsTakenAwayReleasesNothing) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  ASSERT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  const std::string folder = daemon.token().Folder("hourglass");
  std::filesystem::rename(folder, folder + ".away");
  EXPECT_THAT(daemon.Issue(daemon.Request()),
              testing::AnyOf(RefusedWith(v1::KEY_UNAVAILABLE), RefusedWith(v1::KEY_NOT_FOUND)));
  int released = 0;
  for (const v1::JournalEntry& entry : daemon.Journal()) released += entry.has_released_at();
  EXPECT_EQ(released, 1);
  EXPECT_EQ(daemon.Stop(), 0);
  std::filesystem::rename(folder + ".away", folder);
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  EXPECT_THAT(daemon.Issue(daemon.Request()), Succeeded());
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
