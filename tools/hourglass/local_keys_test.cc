// The commands about keys that ask no service, as their users meet them: against SoftHSM tokens,
// and modules that go wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tests/fakes/faulty_pkcs11.h"
#include "tests/support/shared_library.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Json = nlohmann::json;

constexpr char kProgram[] = "tools/hourglass/hourglass";
constexpr char kKeyholder[] = "tools/keyholder/hourglass-keyholder";

class LocalKeysTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { token_ = new SofthsmToken({"contoso"}); }
  static void TearDownTestSuite() {
    delete token_;
    token_ = nullptr;
  }

  // Without a configuration of a service.
  static CommandResult Run(const std::vector<std::string>& words) {
    std::vector<std::string> command = {"env", "-u", "HOURGLASS_CONFIG", kProgram, "keys"};
    command.insert(command.end(), words.begin(), words.end());
    return RunCommand(command);
  }
  // For the commands that use a key.
  static CommandResult RunOn(const std::string& verb, const std::string& uri,
                             const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {verb, "--key", uri, "--keyholder", kKeyholder};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  }
  static Json ProbeAsJson(const std::string& uri) {
    return Json::parse(RunOn("probe", uri, {"--json"}).output, nullptr, false);
  }

  static std::string Uri(const std::string& object, const std::string& token_uri = "") {
    const std::string token = token_uri.empty() ? token_->Uri() : token_uri;
    return absl::StrReplaceAll(token, {{"?", absl::StrCat(";object=", object, "?")}});
  }

  static void MakeWithTool(const std::string& label, const std::vector<std::string>& options) {
    std::vector<std::string> words = {
        "--keypairgen", "--key-type", "EC:prime256v1", "--label", label, "--id", "07"};
    words.insert(words.end(), options.begin(), options.end());
    const CommandResult made = token_->Tool(words);
    ASSERT_EQ(made.exit_code, 0) << made.output;
  }

  static SofthsmToken* token_;
  TemporaryDirectory directory_;
};

SofthsmToken* LocalKeysTest::token_ = nullptr;

TEST_F(LocalKeysTest, AModuleIsShownAsPkcs11ToolSeesIt) {
  const CommandResult probe = Run({"probe", "--module", SofthsmToken::kModulePath});
  ASSERT_EQ(probe.exit_code, 0) << probe.output;
  const CommandResult tool =
      RunCommand({"pkcs11-tool", "--module", SofthsmToken::kModulePath, "--list-slots"});
  std::vector<std::string> fields;
  for (const auto line : absl::StrSplit(tool.output, '\n')) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (parts.size() != 2) continue;
    const std::string name(absl::StripAsciiWhitespace(parts[0]));
    if (name == "token label" || name == "serial num" || name == "token model") {
      fields.emplace_back(absl::StripAsciiWhitespace(parts[1]));
    }
  }
  ASSERT_GE(fields.size(), 3u) << tool.output;
  for (const std::string& field : fields) EXPECT_THAT(probe.output, HasSubstr(field));
  EXPECT_THAT(probe.output, HasSubstr("Keys are not shown: that takes a login."));
  EXPECT_THAT(probe.output, HasSubstr("ec-p256, ec-p384, rsa-2048, rsa-3072, rsa-4096"));

  const Json json = Json::parse(
      Run({"probe", "--json", "--module", SofthsmToken::kModulePath}).output, nullptr, false);
  const Json& slot = json["module"]["slots"][0];
  EXPECT_EQ(slot["token"]["label"], "contoso");
  const std::string mechanisms =
      RunCommand({"pkcs11-tool", "--module", SofthsmToken::kModulePath, "--list-mechanisms"})
          .output;
  for (const Json& mechanism : slot["token"]["mechanisms"]) {
    if (mechanism["name"] != "CKM_RSA_PKCS") continue;
    EXPECT_THAT(mechanisms,
                HasSubstr(absl::StrCat("RSA-PKCS, keySize={", mechanism["min_key_size"].get<int>(),
                                       ",", mechanism["max_key_size"].get<int>(), "}")));
  }
  EXPECT_EQ(slot["token"]["mechanisms"].size(), 4u);
}

TEST_F(LocalKeysTest, AKeyIsMadeOnceFitAndMeasured) {
  const std::string uri = Uri("fit");
  const CommandResult created = RunOn("create", uri, {"--key-type", "ec-p256"});
  ASSERT_EQ(created.exit_code, 0) << created.output;
  EXPECT_THAT(created.output, StartsWith("Created key pkcs11:token=contoso;object=fit.\n"));
  const CommandResult again = RunOn("create", uri, {"--key-type", "ec-p256"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.output, StartsWith("There already, and fit: key "));
  const CommandResult other = RunOn("create", uri, {"--key-type", "ec-p384"});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.output, StartsWith("hourglass: KEY_EXISTS: --key: "));

  const CommandResult probe = RunOn("probe", uri);
  ASSERT_EQ(probe.exit_code, 0) << probe.output;
  EXPECT_THAT(probe.output, HasSubstr("Fit for a root  yes\n"));
  EXPECT_THAT(probe.output, HasSubstr("verified with the public key"));
  EXPECT_THAT(probe.output, HasSubstr("CKA_EXTRACTABLE no"));
  EXPECT_THAT(probe.output,
              HasSubstr(absl::StrCat("keys:\n  tokens:\n    - \"", token_->Uri(), "\"\n")));
  EXPECT_THAT(probe.output, HasSubstr("hourglass roots create --tenant TENANT --duration 2y "
                                      "--key-type ec-p256 --key "
                                      "'pkcs11:token=contoso;object=fit'\n"));
  EXPECT_THAT(probe.output, Not(HasSubstr(token_->pin())));
  const Json json = ProbeAsJson(uri);
  EXPECT_EQ(json["fit"], true);
  EXPECT_EQ(json["keys"][0]["attributes"]["CKA_NEVER_EXTRACTABLE"], true);
  const std::string listed = token_->Tool({"--list-objects", "--type", "privkey"}).output;
  EXPECT_THAT(listed, HasSubstr("never extractable, local"));
  EXPECT_THAT(listed, HasSubstr(json["keys"][0]["id"].get<std::string>()));

  const CommandResult bench = RunOn("bench", uri, {"--threads", "1,2", "--seconds", "1"});
  ASSERT_EQ(bench.exit_code, 0) << bench.output;
  EXPECT_THAT(bench.output, HasSubstr("THREADS  SIGNATURES/S"));
  EXPECT_THAT(bench.output, HasSubstr("all were right"));
  const CommandResult as_json =
      RunOn("bench", uri, {"--threads", "2", "--seconds", "1", "--in-process", "--json"});
  const Json rates = Json::parse(as_json.output, nullptr, false);
  ASSERT_EQ(as_json.exit_code, 0) << as_json.output;
  EXPECT_EQ(rates["in_process"], true);
  EXPECT_EQ(rates["rates"][0]["threads"], 2);
  EXPECT_GE(rates["rates"][0]["verified"], 2);
  const double served = rates["rates"][0]["per_second"].get<double>() * 3600 * 0.8;
  EXPECT_NEAR(rates["knee"]["devices_served"].get<double>(), served, 3600);
}

TEST_F(LocalKeysTest, AKeyThatCouldLeaveIsUnfit) {
  ASSERT_NO_FATAL_FAILURE(MakeWithTool("leaves", {"--extractable"}));
  const CommandResult probe = RunOn("probe", Uri("leaves"));
  EXPECT_EQ(probe.exit_code, 1);
  EXPECT_THAT(probe.output, HasSubstr("Fit for a root  no: KEY_UNFIT: "));
  EXPECT_THAT(probe.output, HasSubstr("CKA_EXTRACTABLE yes"));
  EXPECT_THAT(probe.output, HasSubstr("hourglass keys create --key-type ec-p256 --key "
                                      "'pkcs11:token=contoso;object=leaves-new?module-path="));
  EXPECT_EQ(ProbeAsJson(Uri("leaves"))["reason"], "KEY_UNFIT");
  // What it advises, works.
  const CommandResult advised = RunOn("create", Uri("leaves-new"), {"--key-type", "ec-p256"});
  EXPECT_EQ(advised.exit_code, 0) << advised.output;
  EXPECT_EQ(RunOn("probe", Uri("leaves-new")).exit_code, 0);
}

TEST_F(LocalKeysTest, AKeyThatWasImportedIsUnfit) {
  const std::string pem = directory_.File("key.pem");
  const std::string der = directory_.File("key.der");
  const std::string public_der = directory_.File("public.der");
  ASSERT_EQ(
      RunCommand({"openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", pem})
          .exit_code,
      0);
  ASSERT_EQ(RunCommand({"openssl", "ec", "-in", pem, "-outform", "DER", "-out", der}).exit_code, 0);
  ASSERT_EQ(
      RunCommand({"openssl", "ec", "-in", pem, "-pubout", "-outform", "DER", "-out", public_der})
          .exit_code,
      0);
  for (const auto& [file, type] : {std::pair{der, "privkey"}, std::pair{public_der, "pubkey"}}) {
    const CommandResult written =
        token_->Tool({"--write-object", file, "--type", type, "--label", "imported", "--id", "08",
                      "--usage-sign", "--sensitive"});
    ASSERT_EQ(written.exit_code, 0) << written.output;
  }
  const CommandResult probe = RunOn("probe", Uri("imported"));
  EXPECT_EQ(probe.exit_code, 1);
  EXPECT_THAT(probe.output, HasSubstr("Fit for a root  no: KEY_UNFIT: "));
  EXPECT_THAT(probe.output, HasSubstr("CKA_LOCAL no"));
}

TEST_F(LocalKeysTest, AKeyThatWantsALoginForEverySignatureIsUnfit) {
  ASSERT_NO_FATAL_FAILURE(MakeWithTool("asking", {"--sensitive", "--always-auth"}));
  const CommandResult probe = RunOn("probe", Uri("asking"));
  EXPECT_EQ(probe.exit_code, 1);
  EXPECT_THAT(probe.output, HasSubstr("Fit for a root  no: KEY_UNFIT: "));
  EXPECT_THAT(probe.output, HasSubstr("CKA_ALWAYS_AUTHENTICATE yes"));
}

TEST_F(LocalKeysTest, AMissingKeyIsSaidWithWhatIsThere) {
  ASSERT_NO_FATAL_FAILURE(MakeWithTool("there", {"--sensitive"}));
  const CommandResult probe = RunOn("probe", Uri("gone"));
  EXPECT_EQ(probe.exit_code, 1);
  EXPECT_THAT(probe.output, HasSubstr("no: KEY_NOT_FOUND: "));
  EXPECT_THAT(probe.output, HasSubstr("there"));
  EXPECT_THAT(probe.output, HasSubstr("Make it: hourglass keys create "));
  const CommandResult bench = RunOn("bench", Uri("gone"));
  EXPECT_EQ(bench.exit_code, 1);
  EXPECT_THAT(bench.output, StartsWith("hourglass: KEY_NOT_FOUND: "));
}

TEST_F(LocalKeysTest, AWrongPinIsTriedOnce) {
  const FaultyPkcs11 counting;
  const std::string pin_file = directory_.Write("pin", "000000\n");
  const std::string uri = absl::StrReplaceAll(Uri("fit", counting.Through(token_->Uri())),
                                              {{token_->pin_file(), pin_file}});
  const CommandResult probe = RunOn("probe", uri);
  EXPECT_EQ(probe.exit_code, 1);
  EXPECT_THAT(probe.output, StartsWith("hourglass: PIN_REFUSED: "));
  EXPECT_THAT(probe.output, Not(HasSubstr("000000")));
  EXPECT_EQ(counting.Count("C_Login"), 1u);
  // The module says so of the token from now on, until the next right one.
  EXPECT_THAT(Run({"probe", "--module", SofthsmToken::kModulePath}).output,
              HasSubstr("a wrong PIN was tried"));
}

TEST_F(LocalKeysTest, AModuleThatIsNoneIsSaidToBeNone) {
  const CommandResult missing = Run({"probe", "--module", "/no/such/module.so"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.output,
              AllOf(StartsWith("hourglass: KEY_UNAVAILABLE: "), HasSubstr("/no/such/module.so")));
  const CommandResult other = Run({"probe", "--module", LibraryPath("libz.so.1")});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.output, HasSubstr("is not a PKCS#11 module"));
}

TEST_F(LocalKeysTest, AModuleThatCrashesOrHangsEndsOnlyItself) {
  FaultyPkcs11 faulty;
  EXPECT_EQ(Run({"probe", "--module", faulty.module_path()}).exit_code, 0);
  faulty.Set({"C_GetInfo * crash SIGSEGV"});
  const CommandResult crashed = Run({"probe", "--module", faulty.module_path()});
  EXPECT_EQ(crashed.exit_code, 1);
  EXPECT_THAT(crashed.output, HasSubstr("the module ended its process: killed by SIGSEGV"));
  faulty.Set({"C_GetInfo * hang"});
  const CommandResult hung =
      Run({"probe", "--module", faulty.module_path(), "--module-timeout", "1"});
  EXPECT_EQ(hung.exit_code, 1);
  EXPECT_THAT(hung.output, HasSubstr("the module gave no answer for 1 s"));
}

TEST_F(LocalKeysTest, AWrongSignatureIsNotFitAndNoRate) {
  const std::string uri = Uri("signs-wrong");
  ASSERT_EQ(RunOn("create", uri, {"--key-type", "ec-p256"}).exit_code, 0);
  FaultyPkcs11 faulty;
  const std::string through = Uri("signs-wrong", faulty.Through(token_->Uri()));
  EXPECT_EQ(RunOn("probe", through).exit_code, 0);
  faulty.Set({"C_Sign * wrong-signature"});
  const CommandResult probe = RunOn("probe", through, {"--in-process"});
  EXPECT_EQ(probe.exit_code, 1);
  EXPECT_THAT(probe.output, HasSubstr("KEY_MISMATCH"));
  const CommandResult bench = RunOn("bench", through, {"--in-process", "--seconds", "1"});
  EXPECT_EQ(bench.exit_code, 1);
  EXPECT_THAT(bench.output, HasSubstr("KEY_MISMATCH"));
}

TEST_F(LocalKeysTest, SoftwareKeysTooAreMadeProbedAndMeasured) {
  const std::string uri = absl::StrCat("software:", directory_.File("keys"), "/mine");
  EXPECT_THAT(RunOn("probe", uri).output, HasSubstr("no: KEY_NOT_FOUND: "));
  ASSERT_EQ(RunOn("create", uri, {"--key-type", "ec-p384"}).exit_code, 0);
  const CommandResult probe = RunOn("probe", uri);
  EXPECT_EQ(probe.exit_code, 0);
  EXPECT_THAT(probe.output, HasSubstr(absl::StrCat("keys:\n  software_directory: \"",
                                                   directory_.File("keys"), "\"\n")));
  EXPECT_THAT(probe.output, HasSubstr("--key-type ec-p384 --key 'software:mine'"));
  EXPECT_EQ(RunOn("bench", uri, {"--threads", "1", "--seconds", "1"}).exit_code, 0);
}

TEST_F(LocalKeysTest, TheOtherFormIsAskedFor) {
  const CommandResult probe = RunOn("probe", "pkcs11:token=contoso;object=fit");
  EXPECT_EQ(probe.exit_code, 1);
  EXPECT_THAT(probe.output, StartsWith("hourglass: KEY_URI_INVALID: --key: this command reads the "
                                       "key on this machine, without a service"));
  EXPECT_THAT(probe.output, HasSubstr("?module-path=/MODULE.so&pin-source=file:/PIN-FILE"));
  const CommandResult create =
      RunOn("create", "pkcs11:token=contoso;object=fit", {"--key-type", "ec-p256"});
  EXPECT_EQ(create.exit_code, 2);
  EXPECT_THAT(create.output, StartsWith("hourglass: --config is required: the URI does not say "
                                        "where the key is."));
  const CommandResult destroy = Run({"destroy", "--yes", "--key", Uri("fit")});
  EXPECT_EQ(destroy.exit_code, 2);
  EXPECT_THAT(destroy.output, HasSubstr("only the service knows"));
  EXPECT_THAT(Run({"list"}).output, HasSubstr("only the service knows"));
  EXPECT_EQ(Run({"probe"}).exit_code, 2);
  EXPECT_EQ(RunOn("bench", Uri("fit"), {"--threads", "0"}).exit_code, 2);
}

}  // namespace
}  // namespace hourglass::cli
