#include "issuance/config/tls_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "issuance/config/testing/load_config_test.h"
#include "issuance/config/testing/parse_config.h"
#include "issuance/yaml/mapping.h"

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

// As packages of certificates are written, with words between them.
TEST_F(LoadConfigTest, ParsesEveryCertificateOfAFile) {
  const std::string one = ReadFileOrDie(directory_.File("server.pem"));
  const std::string other = ReadFileOrDie(directory_.File("clients.pem"));
  const std::pair<std::string, std::size_t> sound[] = {
      {one, 1},
      {one + other, 2},
      {"subject: /CN=server\n\n" + one + "\n# the other\n" + other + "that is all\n", 2},
      {absl::StrReplaceAll(one + other, {{"\n", "\r\n"}}), 2},
      {one + one, 2},
      {ReadFileOrDie(directory_.File("server.key")) + one, 1}};
  for (const auto& [pem, certificates] : sound) {
    std::string mistake;
    EXPECT_EQ(ParseCertificates(pem, &mistake).size(), certificates) << pem;
    EXPECT_EQ(mistake, "") << pem;
  }
  for (const std::string& pem :
       {std::string(), std::string("garbage"), ReadFileOrDie(directory_.File("server.key"))}) {
    std::string mistake;
    EXPECT_EQ(ParseCertificates(pem, &mistake).size(), 0u);
    EXPECT_EQ(mistake, "holds no certificate in PEM") << pem;
  }
}

// One that is left out would be missed when it is needed.
TEST_F(LoadConfigTest, OneBrokenCertificateLeavesNone) {
  const std::string good = ReadFileOrDie(directory_.File("server.pem"));
  const std::string end = "-----END CERTIFICATE-----\n";
  const std::string no_end = good.substr(0, good.size() - end.size());
  std::string no_base64 = good;
  no_base64[good.size() / 2] = '!';
  for (const std::string& bad : {no_end, no_base64, good.substr(0, good.size() / 2)}) {
    for (const auto& [before, number] :
         {std::pair<std::string, int>{"", 1}, {good, 2}, {good + good, 3}}) {
      std::string mistake;
      EXPECT_EQ(ParseCertificates(before + bad, &mistake).size(), 0u);
      EXPECT_EQ(mistake, absl::StrCat("certificate ", number, " of the file cannot be parsed"));
    }
  }
}

TEST_F(LoadConfigTest, ASecretIsAFileOfItsOwnerOnly) {
  const std::string path = directory_.File("pin");
  EXPECT_EQ(MistakeInSecretFile(path), "");
  for (const mode_t mode : {0400, 0200, 0700, 0}) {
    chmod(path.c_str(), mode);
    EXPECT_EQ(MistakeInSecretFile(path), "") << mode;
  }
  for (const mode_t bit : {S_IRGRP, S_IWGRP, S_IXGRP, S_IROTH, S_IWOTH, S_IXOTH}) {
    chmod(path.c_str(), 0600 | bit);
    EXPECT_EQ(MistakeInSecretFile(path), "may be read by others than its owner, chmod 600 it")
        << bit;
  }
  EXPECT_EQ(MistakeInSecretFile(directory_.File("missing")),
            "cannot be read: No such file or directory");
  EXPECT_EQ(MistakeInSecretFile(directory_.File("keys")), "is not a regular file");
  ASSERT_EQ(mkfifo(directory_.File("pipe").c_str(), 0600), 0);
  EXPECT_EQ(MistakeInSecretFile(directory_.File("pipe")), "is not a regular file");
}

TEST_F(LoadConfigTest, ASecretMayBeReplacedByNobodyElse) {
  std::filesystem::create_directory(directory_.File("open"));
  WriteSecret("open/pin", "1234");
  EXPECT_EQ(MistakeInSecretFile(directory_.File("open/pin")), "");
  chmod(directory_.File("open").c_str(), 0777);
  EXPECT_THAT(MistakeInSecretFile(directory_.File("open/pin")),
              HasSubstr("may be changed by others"));
}

TEST_F(LoadConfigTest, EachFileOfTlsIsRequired) {
  const auto mistakes = [](const std::string& text) {
    return ReadText(text, [](yaml::Mapping root) { return ReadTlsFiles(root); }).mistakes;
  };
  EXPECT_EQ(mistakes("certificate: a\nprivate_key: b\ntrusted_roots: c"), "");
  EXPECT_EQ(mistakes("certificate: a\n"),
            "/etc/h.yaml:1: private_key: is missing\n/etc/h.yaml:1: trusted_roots: is missing");
  EXPECT_EQ(mistakes("private_key: a\ntrusted_roots: b\ncertificate: ''"),
            "/etc/h.yaml:3: certificate: is empty");
}

// A side that shows a certificate of the other is told so here and not by its peers.
TEST_F(LoadConfigTest, CertificatesAreForTheirSide) {
  const CommandResult made =
      RunCommand({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                  "-nodes", "-subj", "/CN=client", "-addext", "subjectAltName=DNS:localhost",
                  "-addext", "extendedKeyUsage=clientAuth", "-keyout",
                  directory_.File("server.key"), "-out", directory_.File("server.pem")});
  ASSERT_EQ(made.exit_code, 0) << made.output;
  const TlsFiles files = {directory_.File("server.pem"), directory_.File("server.key"),
                          directory_.File("clients.pem")};
  const auto mistakes = [&](TlsSide side) {
    const auto read = ReadText("certificate: x", [&](yaml::Mapping root) {
      CheckTlsFiles(files, side, std::nullopt, root);
      return root.String("certificate");
    });
    return read.mistakes;
  };
  EXPECT_EQ(mistakes(TlsSide::kClient), "");
  EXPECT_THAT(mistakes(TlsSide::kServer), HasSubstr("certificate: is for clients only"));
}

}  // namespace
}  // namespace hourglass::issuance
