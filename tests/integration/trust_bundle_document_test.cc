// The commands of docs/trust-bundle.md, over a trust bundle of hourglassd.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "hourglass/v1/trust_bundles.grpc.pb.h"
#include "tests/support/daemon.h"
#include "tests/support/document_commands.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;

// A folder with what the document's commands name: a bundle of r1, which signs, and r2.
class TrustBundleDocumentTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
    daemon_.MakeReady();
    daemon_.CreateRoot("contoso", false);
    v1::GetTrustBundleRequest request;
    request.set_tenant_id("contoso");
    grpc::ClientContext context;
    ASSERT_THAT(
        daemon_.As<v1::TrustBundleService>(kBroker)->GetTrustBundle(&context, request, &bundle_),
        Succeeded());
    ASSERT_EQ(bundle_.roots_size(), 2);
    ASSERT_EQ(bundle_.signatures_size(), 1);
    signer_ = absl::BytesToHexString(bundle_.signatures(0).root_sha256());
    mkdir(files_.File("signatures").c_str(), 0700);
    files_.Write("signatures/" + signer_, bundle_.signatures(0).signature());
    files_.Write("trust-bundle.txt", bundle_.document());
    WritePem("root", bundle_.roots(0));
    fs::copy_file(files_.File("root.pem"), files_.File("trusted.pem"));
    v1::IssueCertificateResponse response;
    ASSERT_THAT(daemon_.Issue(daemon_.Request(), &response), Succeeded());
    WritePem("client", response.certificate());
    const fs::path script = files_.File("check-trust-bundle.sh");
    fs::copy_file("docs/examples/trust-bundle/check-trust-bundle.sh", script);
    fs::permissions(script, fs::perms::owner_all);
  }

  static void TearDownTestSuite() {
    const testing::UnitTest& all = *testing::UnitTest::GetInstance();
    if (all.test_to_run_count() != all.total_test_count()) return;
    EXPECT_THAT(Document().NotTaken(), testing::IsEmpty()) << "commands that no test has run";
  }

  static DocumentCommands& Document() {
    static auto* const document = new DocumentCommands("docs/trust-bundle.md");
    return *document;
  }

  void WritePem(const std::string& name, const std::string& der) const {
    const CommandResult result =
        RunCommand({"openssl", "x509", "-inform", "DER", "-in", files_.Write(name + ".der", der),
                    "-out", files_.File(name + ".pem")});
    ASSERT_EQ(result.exit_code, 0) << result.output;
  }

  // With the name of the signature that there is.
  CommandResult Run(const std::string& name) const {
    const std::string commands = absl::StrReplaceAll(
        Document().Take(name), {{"signatures/4c5ba0…", "signatures/" + signer_}});
    return RunCommand({"bash", "-c",
                       absl::StrCat("set -eu\nexport PATH=", files_.path(), ":$PATH\ncd ",
                                    files_.path(), "\n", commands)});
  }

  void Change() const {
    files_.Write("trust-bundle.txt",
                 absl::StrReplaceAll(bundle_.document(), {{"root r2 STAGED", "root r2 PRIMARY"}}));
  }

  TemporaryDirectory files_;
  Daemon daemon_;
  v1::TrustBundle bundle_;
  std::string signer_;
};

TEST_F(TrustBundleDocumentTest, ItIsAFileOfRoots) {
  const CommandResult result = Run("use as PEM");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("Total found: 2\n"));
  EXPECT_THAT(result.output, HasSubstr("client.pem: OK\n"));
}

TEST_F(TrustBundleDocumentTest, TheScriptChecksIt) {
  const CommandResult result = Run("check by the script");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(result.output, absl::StrCat("trust-bundle.txt: signed by ", signer_,
                                        ", contoso version ", bundle_.version(), "\n"));
  Change();
  EXPECT_EQ(Run("check by the script").exit_code, 1);
}

TEST_F(TrustBundleDocumentTest, OpensslAloneChecksIt) {
  const CommandResult result = Run("check by hand");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, testing::StartsWith("Hourglass trust bundle 1\n" + signer_ + " "));
  EXPECT_THAT(result.output, testing::EndsWith("Verified OK\n"));
  Change();
  const CommandResult changed = Run("check by hand");
  EXPECT_NE(changed.exit_code, 0);
  EXPECT_THAT(changed.output, HasSubstr("Verification failure"));
}

}  // namespace
}  // namespace hourglass
