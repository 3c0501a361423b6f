#include "ca/bundle/trust_bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "ca/bundle/bundle_fixture.h"
#include "ca/encoding/digest.h"
#include "hsm/key/signing_key.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {
namespace {

using hsm::KeyType;
using testing::HasSubstr;

// `sha256 Fingerprint=AB:CD…` of OpenSSL: its digits alone.
std::string FingerprintByOpenssl(const std::string& certificate, const std::string& digest) {
  const std::string said =
      Openssl({"x509", "-inform", "DER", "-noout", "-fingerprint", "-" + digest}, certificate);
  return absl::StrReplaceAll(said.substr(said.find('=') + 1), {{":", ""}, {"\n", ""}});
}

std::string RootByOpenssl(const std::string& name_and_state, const std::string& certificate) {
  return absl::StrCat(
      "root ", name_and_state,
      " sha256:", absl::AsciiStrToLower(FingerprintByOpenssl(certificate, "sha256")),
      " sha1:", FingerprintByOpenssl(certificate, "sha1"), "\n", PemByOpenssl(certificate));
}

TEST(EncodeTrustBundleTest, WritesWhatTheDocumentationSays) {
  ASSERT_OK_AND_ASSIGN(const std::string document, EncodeTrustBundle(ThreeRoots()));
  const std::string removed = Openssl({"dgst", "-sha256", "-r"}, "r0").substr(0, 64);
  EXPECT_EQ(document,
            absl::StrCat(
                "Hourglass trust bundle 1\ntenant contoso\nversion 17\n"
                "changed 2026-11-30T01:02:03Z\nremoved r0 sha256:",
                removed, "\n", RootByOpenssl("r1 RETIRING", RootOf(KeyType::kRsa2048).certificate),
                RootByOpenssl("r2 PRIMARY", EcRoot(2).certificate),
                RootByOpenssl("r3 STAGED", RootOf(KeyType::kEcP384).certificate), "end\n"));
}

TEST(EncodeTrustBundleTest, WritesATenantWithoutRoots) {
  TrustBundle bundle = OneRoot();
  bundle.roots.clear();
  ASSERT_OK_AND_ASSIGN(const std::string document, EncodeTrustBundle(bundle));
  EXPECT_EQ(document,
            "Hourglass trust bundle 1\ntenant contoso\nversion 1\n"
            "changed 2026-11-30T01:02:03Z\nend\n");
  ASSERT_OK_AND_ASSIGN(const TrustBundle read, ParseTrustBundle(document));
  EXPECT_EQ(read, bundle);
}

// The lines between the blocks are at their longest.
TEST(EncodeTrustBundleTest, OpensslReadsItAsAFileOfCertificates) {
  TrustBundle bundle = ThreeRoots();
  bundle.tenant_id = std::string(64, 't');
  bundle.version = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t i = 0; i < bundle.roots.size(); ++i) {
    bundle.roots[i].root_id = absl::StrCat(i, std::string(62, '-'));
  }
  bundle.removed[0].root_id = std::string(63, '~');
  for (int i = 0; i < 9; ++i)
    bundle.removed.push_back({absl::StrCat("r", i), Sha256(absl::StrCat(i))});
  ASSERT_OK_AND_ASSIGN(const std::string document, EncodeTrustBundle(bundle));
  const TemporaryDirectory directory;
  const std::string file = directory.Write("bundle.pem", document);
  const CommandResult listed = RunCommand({"openssl", "storeutl", "-noout", "-certs", file});
  EXPECT_EQ(listed.exit_code, 0);
  EXPECT_EQ(listed.output, "0: Certificate\n1: Certificate\n2: Certificate\nTotal found: 3\n");
  std::string blocks;
  for (const BundleRoot& root : bundle.roots) blocks += PemByOpenssl(root.certificate);
  std::string found = Openssl({"storeutl", "-certs", file});
  for (const char* says : {"0: Certificate\n", "1: Certificate\n", "2: Certificate\n"}) {
    found = absl::StrReplaceAll(found, {{says, ""}});
  }
  EXPECT_EQ(found, blocks + "Total found: 3\n");
  EXPECT_EQ(Openssl({"x509", "-in", file}), PemByOpenssl(bundle.roots[0].certificate));
}

TEST(EncodeTrustBundleTest, OpensslTrustsTheRootsOfItAndNoOthers) {
  ASSERT_OK_AND_ASSIGN(const std::string document, EncodeTrustBundle(ThreeRoots()));
  const TemporaryDirectory directory;
  const std::string bundle = directory.Write("bundle.pem", document);
  const auto verifies = [&](const std::string& certificate) {
    const std::string file = directory.Write("root.pem", PemByOpenssl(certificate));
    return RunCommand({"openssl", "verify", "-x509_strict", "-attime", "1796000523", "-no-CApath",
                       "-no-CAstore", "-CAfile", bundle, file})
               .exit_code == 0;
  };
  for (const BundleRoot& root : ThreeRoots().roots) {
    EXPECT_TRUE(verifies(root.certificate)) << root.root_id;
  }
  EXPECT_FALSE(verifies(EcRoot(9).certificate));
}

struct Refusal {
  std::function<void(TrustBundle&)> change;
  const char* field;
  const char* message;
};

const Refusal kRefusals[] = {
    {[](TrustBundle& b) { b.tenant_id = ""; }, "tenant_id", "1 to 64 characters"},
    {[](TrustBundle& b) { b.tenant_id = std::string(65, 'a'); }, "tenant_id", "1 to 64"},
    {[](TrustBundle& b) { b.tenant_id = "con toso"; }, "tenant_id", "without space"},
    {[](TrustBundle& b) { b.tenant_id = "contoso\nend"; }, "tenant_id", "printable ASCII"},
    {[](TrustBundle& b) { b.tenant_id = "cont\xc3\xb6so"; }, "tenant_id", "printable ASCII"},
    {[](TrustBundle& b) { b.version = 0; }, "version", "1 or more"},
    {[](TrustBundle& b) { b.changed_at = kFirstTime - std::chrono::seconds(1); }, "changed_at",
     "1950 to 9999"},
    {[](TrustBundle& b) { b.changed_at = kLastTime + std::chrono::seconds(1); }, "changed_at",
     "1950 to 9999"},
    {[](TrustBundle& b) { b.roots[0].root_id = ""; }, "roots[0].root_id", "1 to 63"},
    {[](TrustBundle& b) { b.roots[1].root_id = std::string(64, 'r'); }, "roots[1].root_id",
     "1 to 63"},
    {[](TrustBundle& b) { b.roots[1].root_id = "-----BEGIN"; }, "roots[1].root_id", "PEM block"},
    {[](TrustBundle& b) { b.roots[1].root_id = "r1"; }, "roots[1].root_id", "has this name"},
    {[](TrustBundle& b) { b.roots[2].state = RootState::kPrimary; }, "roots[2].state",
     "another root is PRIMARY"},
    {[](TrustBundle& b) { b.roots[1].state = RootState::kRetired; }, "roots[1].state",
     "must be STAGED"},
    {[](TrustBundle& b) { b.roots[1].state = RootState::kDiscarded; }, "roots[1].state",
     "must be STAGED"},
    {[](TrustBundle& b) { b.roots[1].certificate = b.roots[0].certificate; },
     "roots[1].certificate", "here already"},
    {[](TrustBundle& b) { b.roots[1].certificate.back() ^= 1; }, "roots[1].certificate", "own key"},
    {[](TrustBundle& b) { b.roots[1].certificate = "no certificate"; }, "roots[1].certificate",
     "not a certificate"},
    {[](TrustBundle& b) { b.roots[1].certificate += 'x'; }, "roots[1].certificate",
     "not a certificate"},
    {[](TrustBundle& b) { b.removed[0].root_id = "r3"; }, "roots[2].root_id", "has this name"},
    {[](TrustBundle& b) { b.removed[0].root_id = "r\x7f"; }, "removed[0].root_id", "printable"},
    {[](TrustBundle& b) { b.removed[0].sha256 = Sha256(b.roots[2].certificate); },
     "roots[2].certificate", "here already"},
    {[](TrustBundle& b) { b.removed[0].sha256.pop_back(); }, "removed[0].sha256", "32 octets"},
    {[](TrustBundle& b) {
       b.removed.push_back({"r9", b.removed[0].sha256});
     },
     "removed[1].sha256", "here already"},
    {[](TrustBundle& b) {
       b.removed.push_back({"r0", Sha256("r9")});
     },
     "removed[1].root_id", "has this name"},
};

TEST(EncodeTrustBundleTest, RefusesWhatNoBundleMayHave) {
  EXPECT_OK(EncodeTrustBundle(ThreeRoots()));
  for (const Refusal& refusal : kRefusals) {
    TrustBundle bundle = ThreeRoots();
    refusal.change(bundle);
    const absl::Status status = EncodeTrustBundle(bundle).status();
    EXPECT_THAT(status, FailsWith(ErrorReason::kFieldInvalid, refusal.field));
    EXPECT_THAT(std::string(status.message()), HasSubstr(refusal.message));
  }
}

TEST(EncodeTrustBundleTest, TakesWhatIsAtTheEdgeOfWhatItMayHave) {
  TrustBundle bundle = ThreeRoots();
  bundle.tenant_id = "!";
  bundle.roots[0].root_id = "~";
  bundle.roots[1].root_id = "-----begin";
  for (const Time time : {kFirstTime, Time(), kLastTime}) {
    bundle.changed_at = time;
    ASSERT_OK_AND_ASSIGN(const std::string document, EncodeTrustBundle(bundle));
    ASSERT_OK_AND_ASSIGN(const TrustBundle read, ParseTrustBundle(document));
    EXPECT_EQ(read, bundle);
  }
}

TEST(EncodeTrustBundleTest, HasNoMoreThanTheLargestSize) {
  TrustBundle bundle = OneRoot();
  ASSERT_OK_AND_ASSIGN(const std::string with_none, EncodeTrustBundle(bundle));
  // Of a removed root, besides its name.
  const std::size_t rest = std::string("removed  sha256:\n").size() + 64;
  const std::size_t left = kMaxBundleSize - with_none.size();
  // Names of at most 63 characters, and of as many as divide what is left.
  const std::size_t lines = left / (rest + 63) + 1;
  for (std::size_t i = 0; i < lines; ++i) {
    const std::size_t name = left * (i + 1) / lines - left * i / lines - rest;
    bundle.removed.push_back(
        {absl::StrCat(std::string(name - 10, 'r'), 1'000'000'000 + i), Sha256(absl::StrCat(i))});
  }
  ASSERT_OK_AND_ASSIGN(const std::string document, EncodeTrustBundle(bundle));
  EXPECT_EQ(document.size(), kMaxBundleSize);
  EXPECT_OK(ParseTrustBundle(document));
  bundle.tenant_id += 'o';
  EXPECT_THAT(EncodeTrustBundle(bundle), FailsWith(ErrorReason::kFieldInvalid, "roots"));
}

TEST(ParseTrustBundleTest, ReadsEveryBundleAsItWas) {
  BundleGenerator generator;
  std::size_t roots = 0, removed = 0;
  for (int i = 0; i < 300; ++i) {
    const TrustBundle bundle = generator.Next();
    ASSERT_OK_AND_ASSIGN(const std::string document, EncodeTrustBundle(bundle));
    ASSERT_OK_AND_ASSIGN(const TrustBundle read, ParseTrustBundle(document));
    EXPECT_EQ(read, bundle);
    EXPECT_EQ(*EncodeTrustBundle(read), document);
    roots += bundle.roots.size();
    removed += bundle.removed.size();
  }
  EXPECT_GT(roots, 500U);
  EXPECT_GT(removed, 500U);
}

}  // namespace
}  // namespace hourglass::ca
