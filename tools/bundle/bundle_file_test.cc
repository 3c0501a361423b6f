#include "tools/bundle/bundle_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tools/client/testing/loopback_service.h"

namespace hourglass::bundle {
namespace {

using ca::BundleRoot;
using ca::RootState;
using ca::TrustBundle;
using client::OpensslAuthority;
using testing::ElementsAre;
using testing::HasSubstr;

class BundleFileTest : public testing::Test {
 protected:
  BundleFileTest() : first_("root-one"), second_("root-two") {}

  TrustBundle Two() const {
    return {.tenant_id = "contoso",
            .version = 7,
            .changed_at = {},
            .roots = {{"r1", RootState::kPrimary, first_.root()},
                      {"r2", RootState::kStaged, second_.root()}},
            .removed = {}};
  }
  TrustBundle One() const {
    TrustBundle bundle = Two();
    bundle.roots.pop_back();
    return bundle;
  }

  // What `openssl ARGUMENTS` says of the octets.
  static std::string Openssl(const std::string& arguments, const std::string& octets) {
    std::vector<std::string> command = absl::StrSplit("openssl " + arguments, ' ');
    const CommandResult result = RunCommand(command, octets);
    EXPECT_EQ(result.exit_code, 0) << arguments << "\n" << result.output;
    return result.output;
  }
  static std::string PemOf(const std::string& der) { return Openssl("x509 -inform DER", der); }

  OpensslAuthority first_;
  OpensslAuthority second_;
};

TEST_F(BundleFileTest, PemHoldsTheRootsOldestFirstWithWordsBeforeEach) {
  ASSERT_OK_AND_ASSIGN(const std::string pem, ContentOf(Two(), BundleFormat::kPem));
  const auto words = [](const std::string& id, const std::string& der) {
    const std::string digest = Openssl("dgst -sha256 -r", der).substr(0, 64);
    return "# root " + id + " of contoso, SHA-256 " + digest + "\n";
  };
  EXPECT_EQ(pem, words("r1", first_.root()) + PemOf(first_.root()) + words("r2", second_.root()) +
                     PemOf(second_.root()));
  EXPECT_EQ(Openssl("crl2pkcs7 -nocrl -certfile /dev/stdin -outform DER", pem),
            Openssl("crl2pkcs7 -nocrl -certfile /dev/stdin -outform DER",
                    PemOf(first_.root()) + PemOf(second_.root())));
}

TEST_F(BundleFileTest, DerIsTheOneRoot) {
  ASSERT_OK_AND_ASSIGN(const std::string der, ContentOf(One(), BundleFormat::kDer));
  EXPECT_EQ(der, first_.root());
}

TEST_F(BundleFileTest, DerOfSeveralRootsIsRefusedAndSaysWhatToTake) {
  const auto refused = ContentOf(Two(), BundleFormat::kDer);
  EXPECT_THAT(refused, FailsWith(ErrorReason::kFieldInvalid, "--format"));
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("the bundle has 2 roots (r1, r2): take --format p7b, or pem"));
  TrustBundle none = Two();
  none.roots.clear();
  EXPECT_THAT(ContentOf(none, BundleFormat::kDer),
              FailsWith(ErrorReason::kFieldInvalid, "--format"));
}

TEST_F(BundleFileTest, P7bIsWhatOpensslMakesOfTheSameRoots) {
  ASSERT_OK_AND_ASSIGN(const std::string p7b, ContentOf(Two(), BundleFormat::kP7b));
  EXPECT_EQ(p7b, Openssl("crl2pkcs7 -nocrl -certfile /dev/stdin -outform DER",
                         PemOf(first_.root()) + PemOf(second_.root())));
  std::vector<std::string> subjects;
  const std::string printed = Openssl("pkcs7 -inform DER -print_certs", p7b);
  for (const absl::string_view line : absl::StrSplit(printed, '\n')) {
    if (line.substr(0, 7) == "subject") subjects.emplace_back(line);
  }
  EXPECT_THAT(subjects, ElementsAre("subject=CN = root-one", "subject=CN = root-two"));
}

TEST_F(BundleFileTest, WhatIsNoCertificateIsNotWritten) {
  TrustBundle bundle = One();
  bundle.roots[0].certificate = "garbage";
  EXPECT_THAT(ContentOf(bundle, BundleFormat::kP7b), FailsWith(ErrorReason::kInternalError));
}

// So that no gateway is reloaded for a promotion.
TEST_F(BundleFileTest, FollowsFromTheRootsAlone) {
  TrustBundle later = Two();
  later.version = 8;
  later.roots[0].state = RootState::kRetiring;
  later.roots[1].state = RootState::kPrimary;
  later.removed.push_back({"r0", std::string(32, 'x')});
  for (const BundleFormat format : {BundleFormat::kPem, BundleFormat::kP7b}) {
    ASSERT_OK_AND_ASSIGN(const std::string before, ContentOf(Two(), format));
    ASSERT_OK_AND_ASSIGN(const std::string after, ContentOf(later, format));
    EXPECT_EQ(before, after);
    ASSERT_OK_AND_ASSIGN(const std::string less, ContentOf(One(), format));
    EXPECT_NE(before, less);
  }
}

TEST(BundleFormatTest, EachNameIsItsFormat) {
  EXPECT_THAT(BundleFormatNames(), ElementsAre("pem", "der", "p7b"));
  EXPECT_EQ(BundleFormatOf("pem"), BundleFormat::kPem);
  EXPECT_EQ(BundleFormatOf("der"), BundleFormat::kDer);
  EXPECT_EQ(BundleFormatOf("p7b"), BundleFormat::kP7b);
}

}  // namespace
}  // namespace hourglass::bundle
