#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "issuance/config/config.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

// A folder with a sound configuration and all that it names.
class LoadConfigTest : public testing::Test {
 protected:
  LoadConfigTest() {
    MakeCertificate("server");
    MakeCertificate("clients");
    for (const char* folder : {"data", "keys", "policies"}) {
      std::filesystem::create_directory(directory_.File(folder));
    }
    WriteSecret("pin", "1234\n");
    WriteProgram("keyholder");
    file_ = directory_.Write("h.yaml", absl::StrCat(R"(listen: 127.0.0.1:0
address_file: data/address
data_directory: data
tls:
  certificate: server.pem
  private_key: server.key
  trusted_roots: clients.pem
callers:
  - {name: broker, identity: "dns:broker.local", roles: [broker], tenants: [contoso]}
keys:
  tokens: ['pkcs11:token=a?module-path=/m.so&pin-source=file:)",
                                                    directory_.File("pin"), R"(']
  keyholder: keyholder
  software_directory: keys
compliance:
  embedded: {policy_directory: policies}
)"));
  }

  void MakeCertificate(const std::string& name) {
    const CommandResult result = RunCommand(
        {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:localhost", "-keyout",
         directory_.File(name + ".key"), "-out", directory_.File(name + ".pem")});
    ASSERT_EQ(result.exit_code, 0) << result.output;
    chmod(directory_.File(name + ".key").c_str(), 0600);
  }

  void WriteProgram(const std::string& name) {
    chmod(directory_.Write(name, "#!/bin/sh\n").c_str(), 0755);
  }

  void WriteSecret(const std::string& name, const std::string& content) {
    chmod(directory_.Write(name, content).c_str(), 0600);
  }

  void Replace(const std::string& from, const std::string& to) {
    const std::string text = ReadFileOrDie(file_);
    ASSERT_THAT(text, HasSubstr(from));
    directory_.Write("h.yaml", absl::StrReplaceAll(text, {{from, to}}));
  }

  // What LoadConfig says, without the file's path.
  std::string Mistakes(FileChecks checks = FileChecks::kStart) {
    const auto config = LoadConfig(file_, checks, SystemClock().Now());
    EXPECT_THAT(config, FailsWith(ErrorReason::kConfigurationInvalid));
    std::string said(config.status().message());
    for (std::size_t at; (at = said.find(file_)) != std::string::npos;) {
      said.replace(at, file_.size(), "FILE");
    }
    return said;
  }

  TemporaryDirectory directory_;
  std::string file_;
};

TEST_F(LoadConfigTest, TakesSoundFiles) {
  ASSERT_OK_AND_ASSIGN(const Config config, LoadConfig(file_));
  EXPECT_EQ(config.tls.certificate, directory_.File("server.pem"));
}

// Programs change their folder, and places of keys want absolute paths.
TEST_F(LoadConfigTest, WithARelativeNameEveryPathIsFromTheFileAllTheSame) {
  std::filesystem::create_directory(directory_.File("sealed"));
  Replace("  software_directory: keys",
          "  software_directory: keys\n  tpm: {sealed_directory: sealed}");
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(std::filesystem::path(directory_.path()).parent_path());
  const std::string folder = std::filesystem::path(directory_.path()).filename();
  const auto loaded = LoadConfig(folder + "/h.yaml");
  std::filesystem::current_path(directory_.path());
  const auto beside = LoadConfig("h.yaml");
  std::filesystem::current_path(before);
  for (const auto& config : {loaded, beside}) {
    ASSERT_OK(config);
    for (const std::string& path :
         {config->address_file, config->data_directory, config->tls.certificate,
          config->tls.private_key, config->tls.trusted_roots, config->keys.keyholder_program,
          config->keys.software_directory, config->keys.tpm->sealed_directory,
          config->compliance.policy_directory}) {
      EXPECT_THAT(path, testing::StartsWith(directory_.path()));
    }
  }
}

TEST_F(LoadConfigTest, SaysWhyTheConfigurationItselfCannotBeRead) {
  std::filesystem::remove(file_);
  EXPECT_EQ(Mistakes(), "FILE:1: cannot be read: No such file or directory");
}

TEST_F(LoadConfigTest, WantsEveryFileAndFolder) {
  for (const char* name : {"server.pem", "server.key", "clients.pem", "pin"}) {
    std::filesystem::remove(directory_.File(name));
  }
  for (const char* name : {"data", "keys", "policies"}) {
    std::filesystem::remove(directory_.File(name));
  }
  directory_.Write("policies", "a file");
  EXPECT_EQ(Mistakes(),
            "FILE:2: address_file: cannot be used: No such file or directory\n"
            "FILE:3: data_directory: cannot be used: No such file or directory\n"
            "FILE:5: tls.certificate: cannot be read: No such file or directory\n"
            "FILE:6: tls.private_key: cannot be read: No such file or directory\n"
            "FILE:7: tls.trusted_roots: cannot be read: No such file or directory\n"
            "FILE:11: keys.tokens[0]: pin-source cannot be read: No such file or directory\n"
            "FILE:13: keys.software_directory: cannot be used: No such file or directory\n"
            "FILE:15: compliance.embedded.policy_directory: is not a folder");
}

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

TEST_F(LoadConfigTest, WantsTheKeyholderProgram) {
  ASSERT_OK_AND_ASSIGN(const Config config, LoadConfig(file_));
  EXPECT_EQ(config.keys.keyholder_program, directory_.File("keyholder"));
  chmod(directory_.File("keyholder").c_str(), 0644);
  EXPECT_EQ(Mistakes(), "FILE:12: keys.keyholder: is no program that can be run");
  std::filesystem::remove(directory_.File("keyholder"));
  EXPECT_EQ(Mistakes(), "FILE:12: keys.keyholder: is no program that can be run");
}

// This test's own program has none beside it.
TEST_F(LoadConfigTest, SaysWhereItLookedForTheKeyholderProgram) {
  Replace("  keyholder: keyholder\n", "");
  EXPECT_THAT(Mistakes(),
              testing::MatchesRegex("FILE:10: keys: hourglass-keyholder was not found, looked for "
                                    "/[^ ]*/hourglass-keyholder, "
                                    "/[^ ]*/../keyholder/hourglass-keyholder, "
                                    "/[^ ]*/../libexec/hourglass/hourglass-keyholder: .*"));
  Replace("  software_directory", "  in_process: true\n  software_directory");
  ASSERT_OK_AND_ASSIGN(const Config config, LoadConfig(file_));
  EXPECT_EQ(config.keys.keyholder_program, "");
}

TEST_F(LoadConfigTest, SoftwareKeysNeedNoKeyholder) {
  Replace("  keyholder: keyholder\n", "");
  const std::string text = ReadFileOrDie(file_);
  const std::size_t tokens = text.find("  tokens:");
  directory_.Write("h.yaml", text.substr(0, tokens) + text.substr(text.find('\n', tokens) + 1));
  EXPECT_OK(LoadConfig(file_));
}

TEST(KeyholderPlacesTest, IsBesideTheProgramOrBuiltOrInstalled) {
  EXPECT_THAT(KeyholderPlaces("/opt/hourglass/bin"),
              testing::ElementsAre("/opt/hourglass/bin/hourglass-keyholder",
                                   "/opt/hourglass/bin/../keyholder/hourglass-keyholder",
                                   "/opt/hourglass/bin/../libexec/hourglass/hourglass-keyholder"));
}

// The service starts without them: the token comes back, the service must not.
TEST_F(LoadConfigTest, LooksAtModulesOnlyWhenAskedTo) {
  ASSERT_OK(LoadConfig(file_));
  EXPECT_EQ(Mistakes(FileChecks::kAll),
            "FILE:11: keys.tokens[0]: module-path cannot be read: No such file or directory");
  Replace("module-path=/m.so", "module-path=" + directory_.Write("m.so", "text"));
  EXPECT_EQ(Mistakes(FileChecks::kAll),
            "FILE:11: keys.tokens[0]: module-path is no shared library");
  directory_.Write("m.so", "\177ELF");
  EXPECT_OK(LoadConfig(file_, FileChecks::kAll, SystemClock().Now()));
}

TEST_F(LoadConfigTest, WantsTheFilesOfTheTpm) {
  Replace("  software_directory: keys",
          absl::StrCat("  tpm: {sealed_directory: sealed, pin_source: 'file:",
                       directory_.File("tpm-pin"), "'}"));
  EXPECT_EQ(Mistakes(),
            "FILE:13: keys.tpm.sealed_directory: cannot be used: No such file or directory\n"
            "FILE:13: keys.tpm.pin_source: cannot be read: No such file or directory");
  std::filesystem::create_directory(directory_.File("sealed"));
  WriteSecret("tpm-pin", "1234");
  EXPECT_OK(LoadConfig(file_));
}

// Who may write what decides, decides.
TEST_F(LoadConfigTest, WantsNothingThatDecidesToBeChangedByOthers) {
  WriteSecret("tpm-pin", "1234");
  directory_.Write("m.so", "\177ELF");
  directory_.Write("policies/contoso.yaml", "version: 1\n");
  std::filesystem::create_directory(directory_.File("sealed"));
  std::filesystem::create_directory(directory_.File("run"));
  std::filesystem::create_directory(directory_.File("pins"));
  WriteSecret("pins/pin", "1234");
  Replace("address_file: data/", "address_file: run/");
  Replace("module-path=/m.so", "module-path=" + directory_.File("m.so"));
  Replace(directory_.File("pin"), directory_.File("pins/pin"));
  Replace("  software_directory: keys",
          absl::StrCat("  software_directory: keys\n  tpm: {sealed_directory: sealed, pin_source: "
                       "'file:",
                       directory_.File("tpm-pin"), "'}"));
  ASSERT_OK(LoadConfig(file_, FileChecks::kAll, SystemClock().Now()));
  const std::pair<const char*, const char*> deciding[] = {
      {"h.yaml", "FILE:1: "},
      {"run", "address_file: "},
      {"data", "data_directory: "},
      {"server.pem", "tls.certificate: "},
      {"clients.pem", "tls.trusted_roots: "},
      {"m.so", "keys.tokens[0]: module-path "},
      {"pins", "keys.tokens[0]: pin-source "},
      {"keyholder", "keys.keyholder: "},
      {"keys", "keys.software_directory: "},
      {"sealed", "keys.tpm.sealed_directory: "},
      {"policies", "compliance.embedded.policy_directory: "},
      {"policies/contoso.yaml", "compliance.embedded.policy_directory: "}};
  for (const auto& [name, field] : deciding) {
    const std::string path = directory_.File(name);
    struct stat before = {};
    ASSERT_EQ(stat(path.c_str(), &before), 0);
    chmod(path.c_str(), before.st_mode | S_IWOTH);
    const std::string file = path == file_ ? "FILE" : path;
    for (const FileChecks checks : {FileChecks::kStart, FileChecks::kAll}) {
      EXPECT_THAT(Mistakes(checks),
                  HasSubstr(absl::StrCat(field, "may be changed by others: ", file,
                                         " may be written by everybody, chmod go-w it")));
    }
    chmod(path.c_str(), before.st_mode);
    EXPECT_OK(LoadConfig(file_, FileChecks::kAll, SystemClock().Now()));
  }
}

TEST_F(LoadConfigTest, WantsSecretsToBeItsOwn) {
  for (const char* name : {"pin", "server.key"}) {
    // Takes root, and a user namespace that knows other users; Bazel's sandbox does not.
    if (chown(directory_.File(name).c_str(), 4711, 0) != 0) GTEST_SKIP();
    EXPECT_THAT(Mistakes(),
                HasSubstr(absl::StrCat(directory_.File(name), " belongs to user 4711")));
    ASSERT_EQ(chown(directory_.File(name).c_str(), 0, 0), 0);
    EXPECT_OK(LoadConfig(file_));
  }
}

TEST_F(LoadConfigTest, WantsTwoAccountsThatAreNotRoots) {
  const std::string text = ReadFileOrDie(file_);
  directory_.Write("h.yaml", absl::StrCat("account: no-such-account\n", text));
  EXPECT_EQ(Mistakes(), "FILE:1: account: is no account of this machine");
  directory_.Write("h.yaml", absl::StrCat("account: root\n", text));
  EXPECT_EQ(Mistakes(), "FILE:1: account: must be another than root");
  directory_.Write("h.yaml", absl::StrCat("account: daemon\n", text));
  EXPECT_OK(LoadConfig(file_));
  Replace("  keyholder: keyholder", "  keyholder: keyholder\n  account: no-such-account");
  EXPECT_EQ(Mistakes(), "FILE:14: keys.account: is no account of this machine");
  Replace("no-such-account", "daemon");
  EXPECT_EQ(Mistakes(), "FILE:14: keys.account: must be another than the service's");
  Replace("  account: daemon", "  account: nobody");
  EXPECT_OK(LoadConfig(file_));
}

// They are another account's to look at.
TEST_F(LoadConfigTest, LeavesToTheAccountOfKeyHoldersWhatTheyUse) {
  Replace("  keyholder: keyholder", "  keyholder: keyholder\n  account: nobody");
  directory_.Write("h.yaml", absl::StrCat("account: daemon\n", ReadFileOrDie(file_)));
  const auto keyholders = [&] {
    return CheckKeyholderFiles(ReadFileOrDie(file_), file_, FileChecks::kStart);
  };
  EXPECT_OK(keyholders());
  chmod(directory_.File("pin").c_str(), 0640);
  EXPECT_OK(LoadConfig(file_));
  EXPECT_THAT(keyholders(), FailsWith(ErrorReason::kConfigurationInvalid));
  EXPECT_THAT(std::string(keyholders().message()),
              HasSubstr("keys.tokens[0]: pin-source may be read by others than its owner"));
  chmod(directory_.File("pin").c_str(), 0600);
  // What both rely on, both look at.
  chmod(directory_.File("keyholder").c_str(), 0777);
  EXPECT_THAT(Mistakes(), HasSubstr("keys.keyholder: may be changed by others"));
  EXPECT_THAT(std::string(keyholders().message()),
              HasSubstr("keys.keyholder: may be changed by others"));
  chmod(directory_.File("keyholder").c_str(), 0755);
  // And the service's own is not the key holders' business.
  chmod(directory_.File("data").c_str(), 0777);
  EXPECT_THAT(Mistakes(), HasSubstr("data_directory: may be changed by others"));
  EXPECT_OK(keyholders());
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
