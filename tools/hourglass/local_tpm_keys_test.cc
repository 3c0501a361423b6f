// The commands about keys on a TPM in software, as their users meet them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/subprocess.h"
#include "tests/support/swtpm.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using Json = nlohmann::json;

constexpr char kProgram[] = "tools/hourglass/hourglass";
constexpr char kKeyholder[] = "tools/keyholder/hourglass-keyholder";

class LocalTpmKeysTest : public testing::Test {
 protected:
  CommandResult Run(const std::string& verb, const std::string& uri,
                    const std::vector<std::string>& more = {}) const {
    std::vector<std::string> command = {kProgram, "keys",        verb,      "--key",
                                        uri,      "--keyholder", kKeyholder};
    command.insert(command.end(), more.begin(), more.end());
    return RunCommand(command, "", tpm_.ToolEnvironment());
  }
  std::string Sealed(const std::string& attributes = "") const {
    return absl::StrCat("tpm:sealed=", directory_.File("sealed"), "/mine", attributes,
                        "?tcti=", tpm_.Tcti());
  }

  Swtpm tpm_;
  TemporaryDirectory directory_;
};

TEST_F(LocalTpmKeysTest, ASealedKeyIsMadeProbedAndMeasured) {
  const CommandResult created = Run("create", Sealed(), {"--key-type", "ec-p256"});
  ASSERT_EQ(created.exit_code, 0) << created.output;
  EXPECT_THAT(created.output, StartsWith("Created key tpm:sealed=mine.\n"));
  EXPECT_THAT(Run("create", Sealed(), {"--key-type", "ec-p256"}).output,
              StartsWith("There already, and fit: key tpm:sealed=mine.\n"));
  const CommandResult probe = Run("probe", Sealed());
  ASSERT_EQ(probe.exit_code, 0) << probe.output;
  EXPECT_THAT(probe.output, HasSubstr("Fit for a root  yes\n"));
  EXPECT_THAT(probe.output, HasSubstr("this TPM, in any state"));
  EXPECT_THAT(probe.output, HasSubstr(absl::StrCat("    sealed_directory: \"",
                                                   directory_.File("sealed"), "\"\n")));
  EXPECT_THAT(probe.output, HasSubstr("--key 'tpm:sealed=mine'\n"));
  EXPECT_EQ(Run("bench", Sealed(), {"--threads", "1", "--seconds", "1"}).exit_code, 0);
}

TEST_F(LocalTpmKeysTest, AResidentKeyIsMadeProbedAndMeasured) {
  const std::string uri = absl::StrCat("tpm:handle=0x81010001?tcti=", tpm_.Tcti());
  const CommandResult missing = Run("probe", uri);
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.output, AllOf(HasSubstr("no: KEY_NOT_FOUND: "),
                                    HasSubstr("Make it: hourglass keys create ")));
  const CommandResult created = Run("create", uri, {"--key-type", "ec-p256"});
  ASSERT_EQ(created.exit_code, 0) << created.output;
  EXPECT_THAT(tpm_.ToolOrDie({"tpm2_getcap", "handles-persistent"}), HasSubstr("0x81010001"));
  const CommandResult probe = Run("probe", uri, {"--json"});
  ASSERT_EQ(probe.exit_code, 0) << probe.output;
  const Json json = Json::parse(probe.output, nullptr, false);
  EXPECT_EQ(json["fit"], true);
  // The same octets, as another reads them.
  const std::string properties = tpm_.ToolOrDie({"tpm2_getcap", "properties-fixed"});
  EXPECT_THAT(properties, HasSubstr(json["tpm"]["manufacturer"].get<std::string>().substr(0, 3)));
  EXPECT_EQ(Run("bench", uri, {"--threads", "1", "--seconds", "1"}).exit_code, 0);
}

TEST_F(LocalTpmKeysTest, AKeyThatCouldLeaveTheTpmIsUnfit) {
  const std::string primary = directory_.File("primary.ctx");
  const std::string made = directory_.File("key");
  tpm_.ToolOrDie({"tpm2_createprimary", "-C", "o", "-c", primary});
  tpm_.ToolOrDie({"tpm2_create", "-C", primary, "-G", "ecc256", "-a",
                  "sign|sensitivedataorigin|userwithauth|noda", "-u", made + ".pub", "-r",
                  made + ".priv"});
  tpm_.ToolOrDie({"tpm2_flushcontext", "-t"});
  tpm_.ToolOrDie(
      {"tpm2_load", "-C", primary, "-u", made + ".pub", "-r", made + ".priv", "-c", made + ".ctx"});
  tpm_.ToolOrDie({"tpm2_flushcontext", "-t"});
  tpm_.ToolOrDie({"tpm2_evictcontrol", "-C", "o", "-c", made + ".ctx", "0x81010007"});
  tpm_.ToolOrDie({"tpm2_flushcontext", "-t"});
  const CommandResult probe =
      Run("probe", absl::StrCat("tpm:handle=0x81010007?tcti=", tpm_.Tcti()));
  EXPECT_EQ(probe.exit_code, 1);
  EXPECT_THAT(probe.output, HasSubstr("Fit for a root  no: KEY_UNFIT: "));
  EXPECT_THAT(probe.output, HasSubstr("'tpm:handle=0x81010008?tcti="));
}

TEST_F(LocalTpmKeysTest, AKeyIsRecoveredAndResealedAfterItsRegistersChanged) {
  const std::string code = directory_.File("code");
  const std::string uri = Sealed(";pcrs=sha256:16");
  const CommandResult created =
      Run("create", uri, {"--key-type", "ec-p256", "--recovery-code-out", code});
  ASSERT_EQ(created.exit_code, 0) << created.output;
  struct stat file;
  ASSERT_EQ(stat(code.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
  EXPECT_THAT(created.output, testing::Not(HasSubstr(ReadFileOrDie(code))));
  // The code of a key is not written over.
  const CommandResult again =
      Run("create", uri, {"--key-type", "ec-p256", "--recovery-code-out", code});
  EXPECT_THAT(again.output, StartsWith("hourglass: KEY_EXISTS: --recovery-code-out: "));
  EXPECT_EQ(Run("reseal", uri).exit_code, 0);

  tpm_.ExtendRegister(16);
  const CommandResult shut = Run("reseal", uri);
  EXPECT_EQ(shut.exit_code, 1);
  EXPECT_THAT(shut.output, StartsWith("hourglass: KEY_UNFIT: "));
  const std::string wrong = directory_.Write("wrong", "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA\n");
  EXPECT_THAT(Run("reseal", uri, {"--recovery-code-file", wrong}).output,
              StartsWith("hourglass: PIN_REFUSED: "));
  EXPECT_THAT(Run("reseal", uri, {"--recovery-code-file", directory_.Write("empty", "")}).output,
              StartsWith("hourglass: PIN_REFUSED: --recovery-code-file: "));
  const CommandResult resealed = Run("reseal", uri, {"--recovery-code-file", code});
  EXPECT_EQ(resealed.exit_code, 0);
  EXPECT_EQ(resealed.output,
            "Resealed key tpm:sealed=mine: bound to sha256:16 as these registers are now.\n");
  EXPECT_EQ(Run("reseal", uri).exit_code, 0) << "it opens by the registers again";
}

TEST_F(LocalTpmKeysTest, OnlySealedKeysAreResealed) {
  const CommandResult resident =
      Run("reseal", absl::StrCat("tpm:handle=0x81010001?tcti=", tpm_.Tcti()));
  EXPECT_EQ(resident.exit_code, 1);
  EXPECT_THAT(resident.output, StartsWith("hourglass: KEY_URI_INVALID: --key: only a sealed key"));
  EXPECT_THAT(Run("reseal", Sealed()).output, StartsWith("hourglass: KEY_NOT_FOUND: "));
}

}  // namespace
}  // namespace hourglass::cli
