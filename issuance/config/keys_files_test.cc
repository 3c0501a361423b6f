// The files and programs that places of keys name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "issuance/base/clock.h"
#include "issuance/config/testing/load_config_test.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

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

// It knows its tokens by files that whoever writes its configuration chooses.
TEST_F(LoadConfigTest, WantsNobodyElseToSayWhereSofthsmHasItsTokens) {
  Replace("module-path=/m.so",
          absl::StrCat("module-path=", directory_.Write("libsofthsm2.so", "\177ELF")));
  std::filesystem::create_directory(directory_.File("tokens"));
  const std::string file = directory_.Write(
      "softhsm2.conf", absl::StrCat("log.level = ERROR\ndirectories.tokendir = ",
                                    directory_.File("tokens"), "\nobjectstore.backend=file\n"));
  ASSERT_EQ(setenv("SOFTHSM2_CONF", file.c_str(), 1), 0);
  EXPECT_OK(LoadConfig(file_));
  for (const std::string& path : {file, directory_.File("tokens")}) {
    struct stat before = {};
    ASSERT_EQ(stat(path.c_str(), &before), 0);
    chmod(path.c_str(), before.st_mode | S_IWOTH);
    EXPECT_THAT(Mistakes(), HasSubstr(absl::StrCat("keys.tokens[0]: may be changed by others: ",
                                                   path, " may be written by everybody")));
    chmod(path.c_str(), before.st_mode);
  }
  EXPECT_OK(LoadConfig(file_));
  // Another module does not read it.
  chmod(file.c_str(), 0666);
  ASSERT_THAT(Mistakes(), HasSubstr("keys.tokens[0]: "));
  Replace("libsofthsm2.so", "other.so");
  directory_.Write("other.so", "\177ELF");
  EXPECT_OK(LoadConfig(file_));
  unsetenv("SOFTHSM2_CONF");
}

TEST_F(LoadConfigTest, WantsPinsInFilesOfTheirOwn) {
  const std::string pin = directory_.File("pin");
  std::filesystem::remove(pin);
  std::filesystem::create_directory(pin);
  EXPECT_EQ(Mistakes(), "FILE:11: keys.tokens[0]: pin-source is not a regular file");
  Replace("pin-source=file:" + pin, "pin-source=env:PIN");
  EXPECT_OK(LoadConfig(file_)) << "a variable is looked at when it is needed";
}

TEST_F(LoadConfigTest, AModuleIsOneByItsFirstFourOctets) {
  Replace("module-path=/m.so", "module-path=" + directory_.File("m.so"));
  for (const char* octets : {"", "\177EL", "\177elf", "ELF\177"}) {
    directory_.Write("m.so", octets);
    EXPECT_EQ(Mistakes(FileChecks::kAll),
              "FILE:11: keys.tokens[0]: module-path is no shared library")
        << octets;
  }
  directory_.Write("m.so", "\177ELF\002");
  EXPECT_OK(LoadConfig(file_, FileChecks::kAll, SystemClock().Now()));
}

}  // namespace
}  // namespace hourglass::issuance
