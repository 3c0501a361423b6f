#include "issuance/config/tls_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "issuance/config/testing/load_config_test.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

TEST_F(LoadConfigTest, WantsCertificates) {
  directory_.Write("server.pem", "garbage");
  directory_.Write("clients.pem", "");
  EXPECT_EQ(Mistakes(),
            "FILE:5: tls.certificate: holds no certificate in PEM\n"
            "FILE:7: tls.trusted_roots: holds no certificate in PEM");
}

TEST_F(LoadConfigTest, RefusesAFileWithOneBrokenCertificate) {
  const std::string good = ReadFileOrDie(directory_.File("clients.pem"));
  directory_.Write("clients.pem", good + ReadFileOrDie(directory_.File("server.pem")));
  ASSERT_OK(LoadConfig(file_));
  std::string broken = good;
  broken[100] = broken[100] == 'A' ? 'B' : 'A';
  broken.erase(200, 4);
  directory_.Write("clients.pem", good + broken);
  EXPECT_EQ(Mistakes(), "FILE:7: tls.trusted_roots: certificate 2 of the file cannot be parsed");
}

TEST_F(LoadConfigTest, WantsAPrivateKeyOfItsOwnerOnly) {
  for (const mode_t mode : {0640, 0604, 0620, 0644}) {
    chmod(directory_.File("server.key").c_str(), mode);
    EXPECT_EQ(Mistakes(),
              "FILE:6: tls.private_key: may be read by others than its owner, chmod 600 it");
  }
  chmod(directory_.File("server.key").c_str(), 0400);
  EXPECT_OK(LoadConfig(file_));
  chmod(directory_.File("pin").c_str(), 0644);
  EXPECT_EQ(Mistakes(),
            "FILE:11: keys.tokens[0]: pin-source may be read by others than its owner, chmod 600 "
            "it");
}

// A service whose clock is wrong, or that cannot be given a new certificate now, still starts.
TEST_F(LoadConfigTest, LooksAtPeriodsOnlyWhenAskedTo) {
  const Timestamp now = SystemClock().Now();
  Replace("module-path=/m.so", "module-path=" + directory_.Write("m.so", "\177ELF"));
  EXPECT_OK(LoadConfig(file_, FileChecks::kAll, now));
  const Timestamp later = now + std::chrono::hours(24 * 60);
  EXPECT_OK(LoadConfig(file_, FileChecks::kStart, later));
  const auto expired = LoadConfig(file_, FileChecks::kAll, later);
  EXPECT_THAT(std::string(expired.status().message()),
              testing::AllOf(HasSubstr("tls.certificate: expired at "),
                             HasSubstr("tls.trusted_roots: expired at ")));
  const auto early = LoadConfig(file_, FileChecks::kAll, now - std::chrono::hours(24 * 60));
  EXPECT_THAT(std::string(early.status().message()),
              HasSubstr("tls.certificate: is not valid before "));
}

TEST_F(LoadConfigTest, WantsCertificatesThatDo) {
  std::filesystem::copy_file(directory_.File("clients.pem"), directory_.File("server.pem"),
                             std::filesystem::copy_options::overwrite_existing);
  WriteSecret("server.key", ReadFileOrDie(directory_.File("clients.key")));
  EXPECT_OK(LoadConfig(file_));
  const CommandResult made =
      RunCommand({"openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=weak",
                  "-addext", "subjectAltName=DNS:localhost", "-keyout",
                  directory_.File("server.key"), "-out", directory_.File("server.pem")});
  ASSERT_EQ(made.exit_code, 0) << made.output;
  EXPECT_EQ(Mistakes(),
            "FILE:5: tls.certificate: has a key that is too weak for TLS: RSA takes 2048 bits or "
            "more, EC 224 or more");
}

// What an administrator meets who left the key to root.
TEST_F(LoadConfigTest, SaysWhichFileTheAccountMayNotRead) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read every file";
  chmod(directory_.File("server.key").c_str(), 0);
  EXPECT_EQ(Mistakes(), "FILE:6: tls.private_key: cannot be read: Permission denied");
}

TEST_F(LoadConfigTest, WantsTheKeyOfTheCertificate) {
  WriteSecret("server.key", ReadFileOrDie(directory_.File("clients.key")));
  EXPECT_EQ(Mistakes(),
            "FILE:6: tls.private_key: does not belong to the first certificate of certificate");
}

TEST_F(LoadConfigTest, WantsAnUnencryptedKeyAndAsksForNoPassword) {
  WriteSecret("server.key", "garbage");
  EXPECT_EQ(Mistakes(), "FILE:6: tls.private_key: holds no unencrypted private key in PEM");
  const CommandResult encrypted =
      RunCommand({"openssl", "pkcs8", "-topk8", "-in", directory_.File("clients.key"), "-passout",
                  "pass:secret"});
  ASSERT_THAT(encrypted.output, HasSubstr("ENCRYPTED"));
  WriteSecret("server.key", encrypted.output);
  EXPECT_EQ(Mistakes(), "FILE:6: tls.private_key: holds no unencrypted private key in PEM");
}

}  // namespace
}  // namespace hourglass::issuance
