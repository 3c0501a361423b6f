// The three programs together, as an administrator and a broker use them: hourglassd with a SoftHSM
// token, hourglass, hourglass-broker, and OpenSSL as the judge.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/daemon.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using testing::HasSubstr;
using testing::Not;

class EndToEndTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
    cli_config_ = WriteClientConfig("cli.yaml", kAdministrator);
    broker_config_ = WriteClientConfig("broker.yaml", kBroker);
    reporter_config_ = WriteClientConfig("reporter.yaml", kDeviceReporter);
  }

  std::string WriteClientConfig(const std::string& name, const char* caller) {
    return files_.Write(name, daemon_.ConfigOf(caller));
  }

  CommandResult Cli(std::vector<std::string> words) {
    return CliWith(cli_config_, std::move(words));
  }

  static CommandResult CliWith(const std::string& config, std::vector<std::string> words) {
    words.insert(words.begin(), {"tools/hourglass/hourglass", "--config", config});
    return RunCommand(words);
  }

  // Ends the test's hope where the command fails; its --json otherwise.
  nlohmann::json CliJson(std::vector<std::string> words) {
    words.push_back("--json");
    const CommandResult result = Cli(std::move(words));
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return nlohmann::json::parse(result.output, nullptr, /*allow_exceptions=*/false);
  }

  CommandResult Broker(std::vector<std::string> words) {
    std::vector<std::string> command = {"tools/broker/hourglass-broker",
                                        "issue",
                                        "--config",
                                        broker_config_,
                                        "--tenant",
                                        "contoso",
                                        "--user",
                                        "user@contoso.example"};
    command.insert(command.end(), words.begin(), words.end());
    return RunCommand(command);
  }

  // A tenant, a primary root, laptop-1 in order and laptop-2 not, all by the program of
  // administrators and device reporters.
  void MakeReady() {
    EXPECT_EQ(Cli({"tenants", "create", "contoso"}).exit_code, 0);
    EXPECT_EQ(Cli({"roots", "create", "--tenant", "contoso", "--duration", "1y", "--key-type",
                   "ec-p256", "--primary"})
                  .exit_code,
              0);
    for (const auto& [device, state] :
         {std::pair("laptop-1", R"({"diskEncryption":{"enabled":true}})"),
          std::pair("laptop-2", R"({"diskEncryption":{"enabled":false}})")}) {
      const std::string file = files_.Write(absl::StrCat(device, ".json"), state);
      const CommandResult reported = CliWith(
          reporter_config_, {"devices", "report", "--tenant", "contoso", device, "--file", file});
      EXPECT_EQ(reported.exit_code, 0) << reported.output;
    }
  }

  std::string ExportRoot(const std::string& root_id) {
    const std::string file = files_.File(root_id + ".pem");
    const CommandResult exported =
        Cli({"roots", "export", "--tenant", "contoso", root_id, "--out", file});
    EXPECT_EQ(exported.exit_code, 0) << exported.output;
    return file;
  }

  CommandResult Verify(const std::string& root_file, const std::string& leaf_file) {
    return RunCommand({"openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile",
                       root_file, leaf_file});
  }

  TemporaryDirectory files_;
  Daemon daemon_;
  std::string cli_config_;
  std::string reporter_config_;
  std::string broker_config_;
};

TEST_F(EndToEndTest, ARequestMadeByOpensslIsCertified) {
  MakeReady();
  const std::string root = ExportRoot("r1");
  int number = 0;
  for (const std::vector<std::string>& key :
       {std::vector<std::string>{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"},
        std::vector<std::string>{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"},
        std::vector<std::string>{"-newkey", "rsa:2048"}}) {
    for (const char* form : {"PEM", "DER"}) {
      const std::string name = absl::StrCat("request", ++number);
      std::vector<std::string> command = {"openssl", "req", "-new", "-nodes"};
      command.insert(command.end(), key.begin(), key.end());
      const std::string csr = files_.File(name + ".csr");
      command.insert(command.end(), {"-subj", "/CN=x", "-keyout", files_.File(name + ".key"),
                                     "-outform", form, "-out", csr});
      ASSERT_EQ(RunCommand(command).exit_code, 0);
      const std::string leaf = files_.File(name + ".pem");
      const CommandResult issued = Broker({"--device", "laptop-1", "--csr", csr, "--out", leaf});
      ASSERT_EQ(issued.exit_code, 0) << issued.output;
      const CommandResult verified = Verify(root, leaf);
      EXPECT_EQ(verified.exit_code, 0) << verified.output;
      // The certificate is for the key of the request.
      EXPECT_EQ(
          RunCommand({"openssl", "x509", "-in", leaf, "-noout", "-pubkey"}).output,
          RunCommand({"openssl", "pkey", "-in", files_.File(name + ".key"), "-pubout"}).output);
    }
  }
  EXPECT_EQ(CliJson({"certificates", "list", "--tenant", "contoso"})["certificates"].size(), 6u);
}

TEST_F(EndToEndTest, ADeviceOutOfOrderIsRefusedWithTheReason) {
  MakeReady();
  const std::string key = files_.File("user.key");
  const std::string leaf = files_.File("user.pem");
  const CommandResult refused = Broker({"--device", "laptop-2", "--key-out", key, "--out", leaf});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("DEVICE_NOT_COMPLIANT"));
  EXPECT_THAT(refused.output, HasSubstr("disk_encryption.enabled"));
  EXPECT_THAT(refused.output, HasSubstr("https://help.contoso.example/vpn"));
  const CommandResult issued = Broker({"--device", "laptop-1", "--key-out", key, "--out", leaf});
  ASSERT_EQ(issued.exit_code, 0) << issued.output;
  const CommandResult verified = Verify(ExportRoot("r1"), leaf);
  EXPECT_EQ(verified.exit_code, 0) << verified.output;
}

TEST_F(EndToEndTest, ASecondRootSignsOnceItIsPromoted) {
  MakeReady();
  ASSERT_EQ(
      Cli({"roots", "create", "--tenant", "contoso", "--duration", "2y", "--key-type", "rsa-2048"})
          .exit_code,
      0);
  const std::string first = ExportRoot("r1");
  const std::string second = ExportRoot("r2");
  const std::string leaf = files_.File("user.pem");
  const auto issue = [&] {
    const CommandResult issued =
        Broker({"--device", "laptop-1", "--key-out", files_.File("user.key"), "--out", leaf});
    EXPECT_EQ(issued.exit_code, 0) << issued.output;
  };
  issue();
  EXPECT_EQ(Verify(first, leaf).exit_code, 0);
  EXPECT_THAT(Verify(second, leaf).output, HasSubstr("error 20"));

  ASSERT_EQ(Cli({"roots", "promote", "--tenant", "contoso", "r2", "--yes"}).exit_code, 0);
  issue();
  EXPECT_EQ(Verify(second, leaf).exit_code, 0);
  EXPECT_THAT(Verify(first, leaf).output, HasSubstr("error 20"));

  const CommandResult too_early = Cli({"roots", "retire", "--tenant", "contoso", "r1"});
  EXPECT_EQ(too_early.exit_code, 1);
  EXPECT_THAT(too_early.output, HasSubstr("ROOT_MOVE_ILLEGAL"));
  const CommandResult list = Cli({"roots", "list", "--tenant", "contoso"});
  EXPECT_THAT(list.output, HasSubstr("RETIRING"));
  EXPECT_THAT(list.output, HasSubstr("PRIMARY"));
}

TEST_F(EndToEndTest, AKeyOfTheAdministratorsOwnBecomesARoot) {
  ASSERT_EQ(Cli({"tenants", "create", "contoso"}).exit_code, 0);
  const CommandResult made =
      Cli({"roots", "create", "--tenant", "contoso", "--duration", "1y", "--key-type", "ec-p384",
           "--key", "pkcs11:token=hourglass;object=my-own"});
  EXPECT_EQ(made.exit_code, 0) << made.output;
  const CommandResult again =
      Cli({"roots", "create", "--tenant", "contoso", "--duration", "1y", "--key-type", "ec-p384",
           "--key", "pkcs11:token=hourglass;object=my-own"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.output, HasSubstr("KEY_EXISTS"));
  const CommandResult software = Cli({"roots", "create", "--tenant", "contoso", "--duration", "1y",
                                      "--key-type", "ec-p256", "--key", "software:not-allowed"});
  EXPECT_EQ(software.exit_code, 1);
  EXPECT_THAT(software.output, HasSubstr("KEY_URI_INVALID"));
  EXPECT_EQ(CliJson({"roots", "list", "--tenant", "contoso"})["roots"].size(), 1u);
}

TEST_F(EndToEndTest, WrongUsageIsExitCode2AndAStrangerIsRefused) {
  EXPECT_EQ(Cli({"roots", "create", "--tenant", "contoso"}).exit_code, 2);
  EXPECT_EQ(Cli({"nonsense"}).exit_code, 2);
  cli_config_ = WriteClientConfig("stranger.yaml", kStranger);
  const CommandResult refused = Cli({"tenants", "list"});
  EXPECT_EQ(refused.exit_code, 1);
  // Turned away in the TLS handshake; the service's log has the reason and whose certificate it
  // was.
  EXPECT_TRUE(daemon_.WaitForLog(R"("event":"connection_refused")")) << daemon_.Log();
  EXPECT_THAT(daemon_.Log(),
              testing::ContainsRegex("connection_refused.*CALLER_UNKNOWN.*bound to no caller.*"
                                     "uri:spiffe://contoso.example/stranger"));
}

}  // namespace
}  // namespace hourglass
