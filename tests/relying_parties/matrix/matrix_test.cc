// Every relying party is shown every certificate: matrix.json has what each does, and why. What
// should be refused is refused beside good certificates that the same process lets in.
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/relying_parties/matrix/cells.h"
#include "tests/relying_parties/matrix/relying_party.h"
#include "tests/relying_parties/matrix/results.h"
#include "tests/relying_parties/matrix/server_program.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tunnels_required.h"

namespace hourglass::matrix {
namespace {

using Starter = absl::StatusOr<std::unique_ptr<RelyingParty>> (*)(const PartySetup&);

enum class Needs { kNothing, kNetwork, kTunnelDevice };

struct Party {
  const char* id;
  Starter start;
  std::vector<std::string> settings;
  Needs needs = Needs::kNothing;
  bool with_lists_as_kit = true;
  // A client of charon finds no key for a user by another's certificate within EAP.
  bool shows_certificates_of_others = true;
};

// What this machine has not; empty where nothing is missing, or where CI says that nothing may be.
std::string Missing(Needs needs) {
  if (needs == Needs::kNothing || TunnelsAreRequired()) return "";
  if (RunCommand({"unshare", "--net", "--mount", "true"}).exit_code != 0) {
    return "SKIPPED: no right to make a network namespace here";
  }
  if (needs == Needs::kTunnelDevice && access("/dev/net/tun", R_OK | W_OK) != 0) {
    return "SKIPPED: no /dev/net/tun here";
  }
  return "";
}

const std::vector<Party>& Parties() {
  static const std::vector<Party> kParties = {
      {"freeradius", StartFreeradius, {"alone", "kit"}},
      {"strongswan_pubkey", StartStrongswanPubkey, {"kit"}, Needs::kNetwork},
      {"strongswan_eap_tls", StartStrongswanEapTls, {"kit"}, Needs::kNetwork, true, false},
      {"strongswan_eap_radius", StartStrongswanEapRadius, {"kit"}, Needs::kNetwork, true, false},
      {"openvpn", StartOpenvpn, {"alone", "kit"}, Needs::kTunnelDevice},
      {"nginx", StartNginx, {"alone", "kit"}},
      {"apache", StartApache, {"alone", "kit"}},
      {"haproxy", StartHaproxy, {"alone", "kit"}},
      {"gnutls", StartGnutls, {"alone", "kit"}, Needs::kNothing, false},
      {"nss", StartNss, {"alone"}},
      {"botan", StartBotan, {"alone", "kit"}},
      {"stunnel", StartStunnel, {"kit"}},
  };
  return kParties;
}

const Tenant& TheTenant() {
  static const Tenant tenant;
  return tenant;
}

class MatrixTest : public testing::TestWithParam<Party> {};

TEST_P(MatrixTest, LetsInAndRefusesAsRecorded) {
  const std::string missing = Missing(GetParam().needs);
  if (!missing.empty()) GTEST_SKIP() << missing;
  for (const std::string& setting : GetParam().settings) {
    PartySetup setup;
    setup.tenant = &TheTenant();
    setup.with_kit = setting == "kit";
    ASSERT_OK_AND_ASSIGN(const auto party, GetParam().start(setup));
    Cells measured;
    for (const CellName& cell : CellNames()) {
      if (cell.id == std::string("other_user") && !GetParam().shows_certificates_of_others)
        continue;
      const std::string words = InWords(party->Visit(TheTenant().credential(cell.id)));
      if (cell.is_good) {
        EXPECT_EQ(words, "") << cell.id;
      }
      measured[cell.id] = words;
    }
    EXPECT_EQ(CompareOrRecord(GetParam().id, setting, measured), "");
  }
}

// A good certificate, and what becomes of it where revocation is checked.
TEST_P(MatrixTest, ChecksRevocationAsRecorded) {
  const std::string missing = Missing(GetParam().needs);
  if (!missing.empty()) GTEST_SKIP() << missing;
  const Tenant& tenant = TheTenant();
  const auto visit = [&](const std::string& list, const CertificateAndKey& credential) {
    PartySetup setup;
    setup.tenant = &tenant;
    setup.with_kit = GetParam().with_lists_as_kit;
    setup.revocation_list = list;
    const auto party = GetParam().start(setup);
    if (!party.ok()) {
      ADD_FAILURE() << party.status();
      return std::string("?");
    }
    return InWords((*party)->Visit(credential));
  };
  const Cells measured = {
      {"other_list", visit(tenant.list_of_stranger(), tenant.credential("good_ec"))},
      {"root_list", visit(tenant.list_of_root(), tenant.credential("good_ec"))},
      {"signing_root_list", visit(tenant.list_of_signing_root(), tenant.of_signing_root())}};
  EXPECT_EQ(CompareOrRecord(GetParam().id, "revocation", measured), "");
}

INSTANTIATE_TEST_SUITE_P(RelyingParties, MatrixTest, testing::ValuesIn(Parties()),
                         [](const testing::TestParamInfo<Party>& info) { return info.param.id; });

// What a kit escapes is read as it was given. That others are refused is in the matrix.
TEST(AllowedUsersTest, MarksOfANameAreItsOwn) {
  for (const Party& party_to_ask : Parties()) {
    const bool has_users =
        party_to_ask.id == std::string("openvpn") || party_to_ask.id == std::string("nginx") ||
        party_to_ask.id == std::string("apache") || party_to_ask.id == std::string("haproxy");
    if (!has_users || !Missing(party_to_ask.needs).empty()) continue;
    PartySetup setup;
    setup.tenant = &TheTenant();
    ASSERT_OK_AND_ASSIGN(const auto party, party_to_ask.start(setup));
    EXPECT_EQ(InWords(party->Visit(TheTenant().of_marked_user())), "");
  }
}

TEST(RevocationTest, OpensslVerify) {
  const Tenant& tenant = TheTenant();
  const TemporaryDirectory files;
  const std::string roots =
      files.Write("roots.pem", absl::StrCat(tenant.roots_pem(), tenant.signing_root_pem()));
  const auto verify = [&](const CertificateAndKey& credential,
                          std::vector<std::string> more) -> std::string {
    std::vector<std::string> command = {"openssl",   "verify",  "-purpose",
                                        "sslclient", "-CAfile", roots};
    command.insert(command.end(), more.begin(), more.end());
    command.push_back(files.Write("leaf.pem", credential.certificate_pem));
    const CommandResult result = RunCommand(command);
    if (result.exit_code == 0) return "";
    const std::string reason =
        LastMatch(result.output, std::regex("(error [0-9]+ at 0 depth lookup: .*)\n"));
    return reason.empty() ? "?" : reason;
  };
  const auto with_list = [&](const CertificateAndKey& credential, const std::string& list) {
    return verify(credential, {"-crl_check", "-CRLfile", files.Write("list.pem", list)});
  };
  const CertificateAndKey& good = tenant.credential("good_ec");
  const Cells measured = {
      {"default", verify(good, {})},
      {"other_list", with_list(good, tenant.list_of_stranger())},
      {"root_list", with_list(good, tenant.list_of_root())},
      {"signing_root_list", with_list(tenant.of_signing_root(), tenant.list_of_signing_root())}};
  EXPECT_EQ(CompareOrRecord("openssl", "revocation", measured), "");
}

TEST(RevocationTest, JavaPkix) {
  if (RunCommand({"sh", "-c", "command -v java"}).exit_code != 0) {
    GTEST_SKIP() << "SKIPPED: no Java here, which bazel-bootstrap brings";
  }
  const Tenant& tenant = TheTenant();
  const TemporaryDirectory files;
  const std::string root = files.Write("root.pem", tenant.subject().roots.front().pem);
  const std::string leaf = files.Write("leaf.pem", tenant.credential("good_ec").certificate_pem);
  const CommandResult result =
      RunCommand({"java", "-Xshare:auto", "-XX:TieredStopAtLevel=1",
                  "tests/relying_parties/matrix/PkixCheck.java",
                  //
                  "default", root, leaf, "-",
                  //
                  "list", root, leaf, files.Write("stranger.pem", tenant.list_of_stranger()),
                  //
                  "list", root, leaf, files.Write("root-list.pem", tenant.list_of_root()),
                  //
                  "list", files.Write("signing.pem", tenant.signing_root_pem()),
                  files.Write("leaf2.pem", tenant.of_signing_root().certificate_pem),
                  files.Write("signing-list.pem", tenant.list_of_signing_root()),
                  //
                  "off", root, leaf, "-"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  std::vector<std::string> said;
  for (const absl::string_view line : absl::StrSplit(result.output, '\n', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    said.push_back(words.second == "accepted" ? "" : words.second);
  }
  ASSERT_EQ(said.size(), 5u) << result.output;
  EXPECT_EQ(said[4], "") << "the switch";
  const Cells measured = {{"default", said[0]},
                          {"other_list", said[1]},
                          {"root_list", said[2]},
                          {"signing_root_list", said[3]}};
  EXPECT_EQ(CompareOrRecord("java", "revocation", measured), "");
}

}  // namespace
}  // namespace hourglass::matrix
