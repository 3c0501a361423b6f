#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ca/bundle/bundle_fixture.h"
#include "ca/bundle/trust_bundle.h"
#include "ca/encoding/digest.h"
#include "hsm/key/signing_key.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {
namespace {

using hsm::KeyType;
using testing::HasSubstr;

// docs/examples/trust-bundle/check-trust-bundle.sh, with `sh`.
class CheckTrustBundleScriptTest : public testing::Test {
 protected:
  CheckTrustBundleScriptTest() { mkdir(directory_.File("signatures").c_str(), 0700); }

  void Put(const BundleSignature& signature) const {
    directory_.Write(absl::StrCat("signatures/", absl::BytesToHexString(signature.root_sha256)),
                     signature.signature);
  }

  CommandResult Check(const std::vector<std::string>& trusted,
                      const std::string& document = Document()) const {
    std::string pem = "What stands between the certificates is passed over.\n";
    for (const std::string& certificate : trusted) {
      absl::StrAppend(&pem, "a root\n", PemByOpenssl(certificate));
    }
    return RunCommand({"sh", "docs/examples/trust-bundle/check-trust-bundle.sh",
                       directory_.Write("trusted.pem", pem), directory_.Write("document", document),
                       directory_.File("signatures")});
  }

  const TemporaryDirectory directory_;
};

TEST_F(CheckTrustBundleScriptTest, AcceptsWhatATrustedRootOfEachTypeHasSigned) {
  for (const KeyType type : kBundleKeyTypes) Put(SignedBy(RootOf(type)));
  for (const KeyType type : kBundleKeyTypes) {
    // Beside one that has not signed.
    const std::string& certificate = RootOf(type).certificate;
    const CommandResult result = Check({EcRoot(5).certificate, certificate});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(result.output,
              absl::StrCat(directory_.File("document"), ": signed by ",
                           absl::BytesToHexString(Sha256(certificate)), ", contoso version 17\n"));
  }
}

TEST_F(CheckTrustBundleScriptTest, TheDocumentIsAFileOfTrustedRootsItself) {
  Put(SignedBy(EcRoot(2)));
  directory_.Write("known", Document());
  const CommandResult result = RunCommand(
      {"sh", "docs/examples/trust-bundle/check-trust-bundle.sh", directory_.File("known"),
       directory_.Write("document", Document()), directory_.File("signatures")});
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

TEST_F(CheckTrustBundleScriptTest, RefusesWhatNoTrustedRootHasSigned) {
  Put(SignedBy(EcRoot(2)));
  EXPECT_EQ(Check({EcRoot(2).certificate}).exit_code, 0);
  const CommandResult result = Check({EcRoot(1).certificate});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("signed by no root"));
  EXPECT_EQ(Check({}).exit_code, 1);
}

TEST_F(CheckTrustBundleScriptTest, RefusesWhatWasChanged) {
  for (const KeyType type : kBundleKeyTypes) Put(SignedBy(RootOf(type)));
  for (const KeyType type : kBundleKeyTypes) {
    EXPECT_EQ(Check({RootOf(type).certificate}).exit_code, 0);
    std::string changed = Document();
    changed[changed.find("RETIRING")] = 'S';
    const CommandResult result = Check({RootOf(type).certificate}, changed);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.output, HasSubstr("is wrong"));
  }
}

TEST_F(CheckTrustBundleScriptTest, AWrongSignatureByATrustedRootRefuses) {
  Put(SignedBy(EcRoot(1)));
  Put({Sha256(EcRoot(2).certificate), SignedBy(EcRoot(1)).signature});
  EXPECT_EQ(Check({EcRoot(1).certificate}).exit_code, 0);
  EXPECT_EQ(Check({EcRoot(1).certificate, EcRoot(2).certificate}).exit_code, 1);
  EXPECT_EQ(Check({EcRoot(2).certificate, EcRoot(1).certificate}).exit_code, 1);
}

TEST_F(CheckTrustBundleScriptTest, ACertificateIsNoTrustBundle) {
  const KeyedRoot& root = EcRoot(1);
  const std::string to_be_signed = ToBeSigned(root.certificate);
  Put({Sha256(root.certificate), *root.key->Sign(to_be_signed)});
  const CommandResult result = Check({root.certificate}, to_be_signed);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("is no trust bundle"));
}

}  // namespace
}  // namespace hourglass::ca
