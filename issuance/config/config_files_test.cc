// The files that a configuration names, all together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "issuance/base/clock.h"
#include "issuance/config/testing/load_config_test.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

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

}  // namespace
}  // namespace hourglass::issuance
