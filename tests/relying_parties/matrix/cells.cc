#include "tests/relying_parties/matrix/cells.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "ca/encoding/pem.h"
#include "ca/testing/test_ca.h"
#include "hsm/key/key_type.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::matrix {
namespace {

using std::chrono::hours;

constexpr char kBothPurposes[] = "clientAuth, 1.3.6.1.4.1.311.87";

std::string RunOrDie(const std::vector<std::string>& command) {
  const CommandResult result = RunCommand(command);
  if (result.exit_code == 0) return result.output;
  std::fprintf(stderr, "%s: %s\n", absl::StrJoin(command, " ").c_str(), result.output.c_str());
  std::abort();
}

std::vector<std::string> Leaf(const std::string& purposes, const std::string& user = kUser) {
  std::vector<std::string> lines = {
      "basicConstraints = critical, CA:FALSE",
      "keyUsage = critical, digitalSignature",
      "subjectKeyIdentifier = hash",
      "authorityKeyIdentifier = keyid",
      "2.5.29.56 = DER:0500",
      absl::StrCat("subjectAltName = otherName:1.3.6.1.4.1.311.20.2.3;UTF8:", user)};
  if (!purposes.empty()) lines.push_back("extendedKeyUsage = " + purposes);
  return lines;
}

// Without the issuer, which servers have already.
CertificateAndKey LeafUnder(const CertificateAndKey& issuer, const std::string& purposes) {
  const std::string kEnd = "-----END CERTIFICATE-----\n";
  CertificateAndKey leaf = OpensslCa::IssueUnder(issuer, kUser, Leaf(purposes));
  leaf.certificate_pem.resize(leaf.certificate_pem.find(kEnd) + kEnd.size());
  return leaf;
}

CertificateAndKey Of(const ca::TestCertificate& issued) {
  return {issued.chain_pem, issued.private_key_pem};
}

// The positive control of whoever is refused for his issuer: with that issuer trusted he is let in.
void VerifyOrDie(const std::string& root_pem, const CertificateAndKey& credential) {
  const TemporaryDirectory files;
  RunOrDie({"openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile",
            files.Write("root.pem", root_pem),
            files.Write("leaf.pem", credential.certificate_pem)});
}

// The list of revoked certificates, none, of this root for a week.
std::string EmptyList(const CertificateAndKey& root) {
  const TemporaryDirectory files;
  files.Write("index", "");
  files.Write("number", "01\n");
  const std::string configuration = files.Write(
      "ca.cnf", absl::StrCat("[ca]\ndefault_ca = ca\n[ca]\ndatabase = ", files.File("index"),
                             "\ncrlnumber = ", files.File("number"),
                             "\ndefault_md = sha256\ncrl_extensions = list\n[list]\n",
                             "authorityKeyIdentifier = keyid\n"));
  RunOrDie({"openssl", "ca", "-gencrl", "-config", configuration, "-crldays", "7", "-cert",
            files.Write("root.pem", root.certificate_pem), "-keyfile",
            files.Write("root.key", root.private_key_pem), "-out", files.File("list.pem")});
  return ReadFileOrDie(files.File("list.pem"));
}

// A self-signed root with cRLSign.
CertificateAndKey SigningRoot() {
  const TemporaryDirectory files;
  RunOrDie({"openssl", "req", "-x509", "-subj", "/CN=Contoso root that signs lists", "-days", "2",
            "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            files.File("root.key"), "-out", files.File("root.pem"), "-addext",
            "keyUsage = critical, keyCertSign, cRLSign"});
  return {ReadFileOrDie(files.File("root.pem")), ReadFileOrDie(files.File("root.key"))};
}

gateways::KitRoot KitRootOf(const std::string& id, const std::string& pem, bool is_primary) {
  return {id,
          absl::StrCat("Contoso VPN root CA ", id),
          pem,
          ca::DecodePem(pem, {"CERTIFICATE"}).value(),
          std::string(40, '0'),
          is_primary};
}

}  // namespace

const std::vector<CellName>& CellNames() {
  static const std::vector<CellName> kNames = {
      {"good_ec", "good, EC", "of Hourglass, P-256 under a P-256 root", true},
      {"good_rsa", "good, RSA", "of Hourglass, RSA-2048 under a P-256 root", true},
      {"good_sub_key", "sub-key",
       "of Hourglass, signed by an issuing sub-key under an RSA root; the client sends the chain",
       true},
      {"no_oid", "no OID", "clientAuth alone", false},
      {"only_oid", "OID alone", "1.3.6.1.4.1.311.87 without clientAuth", false},
      {"no_purpose", "no EKU", "no extended key usage at all", false},
      {"longer_oid", ".87.1", "clientAuth and 1.3.6.1.4.1.311.87.1", false},
      {"similar_oid", ".871", "clientAuth and 1.3.6.1.4.1.311.871", false},
      {"expired", "expired", "of Hourglass, ended an hour ago", false},
      {"early", "not yet valid", "of Hourglass, begins in two hours", false},
      {"untrusted", "untrusted", "of another authority, with the OID", false},
      {"forged", "forged", "of an authority with the root's name and key identifier", false},
      {"retired", "retired root", "of a root of the tenant that was retired", false},
      {"other_user", "another user's", "of Hourglass, good, but bob's where alice may come in",
       false},
  };
  return kNames;
}

Tenant::Tenant() {
  AddGoodAndUntimely();
  AddBadPurposes();
  AddStrangers();
  AddLists();
  const OpensslCa server_issuer("/CN=Issuer of servers");
  server_ = server_issuer.Issue(
      "localhost", {"subjectAltName = DNS:localhost, DNS:gateway.contoso.example, IP:127.0.0.1",
                    "keyUsage = critical, digitalSignature", "extendedKeyUsage = serverAuth"});
  server_root_pem_ = server_issuer.root_pem();
}

void Tenant::AddGoodAndUntimely() {
  ca::TestCaOptions options;
  const std::chrono::sys_seconds now = options.now;
  options.now -= hours(24);
  ca::TestCa ca(options);
  ca.StageRoot();
  ca.Advance(now - ca.now());
  const CertificateAndKey retired = Of(ca.Issue(kUser));
  if (!ca.Promote(2).ok()) std::abort();
  VerifyOrDie(ca.root_pem(1), retired);
  root_ = {ca.root_pem(2), ca.issuing_key_pem(2)};

  Add("good_ec", Of(ca.Issue(kUser)));
  Add("good_rsa", Of(ca.Issue(kUser, hsm::KeyType::kRsa2048)));
  Add("other_user", Of(ca.Issue("bob@contoso.example")));
  Add("marked_user", Of(ca.Issue(kMarkedUser)));
  Add("retired", retired);
  ca.Advance(-hours(2));
  Add("expired", Of(ca.Issue(kUser)));
  ca.Advance(hours(4));
  Add("early", Of(ca.Issue(kUser)));

  ca::TestCaOptions with_sub_key;
  with_sub_key.display_name = "Contoso RSA";
  with_sub_key.root_key_type = hsm::KeyType::kRsa2048;
  with_sub_key.sub_key_type = hsm::KeyType::kEcP256;
  ca::TestCa sub_key_ca(with_sub_key);
  Add("good_sub_key", Of(sub_key_ca.Issue(kUser)));

  roots_pem_ = absl::StrCat(ca.root_pem(2), sub_key_ca.root_pem());
  subject_ = {
      "contoso",
      "hourglass.contoso.example:443",
      {KitRootOf("r2", ca.root_pem(2), true), KitRootOf("r3", sub_key_ca.root_pem(), false)}};
}

void Tenant::AddBadPurposes() {
  Add("no_oid", LeafUnder(root_, "clientAuth"));
  Add("only_oid", LeafUnder(root_, "1.3.6.1.4.1.311.87"));
  Add("no_purpose", LeafUnder(root_, ""));
  Add("longer_oid", LeafUnder(root_, "clientAuth, 1.3.6.1.4.1.311.87.1"));
  Add("similar_oid", LeafUnder(root_, "clientAuth, 1.3.6.1.4.1.311.871"));
}

void Tenant::AddStrangers() {
  const OpensslCa stranger("/CN=Stranger");
  Add("untrusted", stranger.Issue(kUser, Leaf(kBothPurposes)));
  VerifyOrDie(stranger.root_pem(), credential("untrusted"));

  const TemporaryDirectory files;
  const std::string root = files.Write("root.pem", root_.certificate_pem);
  const std::string subject =
      RunOrDie({"openssl", "x509", "-noout", "-subject", "-nameopt", "compat", "-in", root});
  std::string key_identifier =
      RunOrDie({"openssl", "x509", "-noout", "-ext", "subjectKeyIdentifier", "-in", root});
  key_identifier = key_identifier.substr(key_identifier.find('\n') + 1);
  std::string digits;
  for (const char octet : key_identifier) {
    if (absl::ascii_isxdigit(octet)) digits += octet;
  }
  const OpensslCa forger(absl::StripAsciiWhitespace(absl::StripPrefix(subject, "subject=")),
                         digits);
  Add("forged", forger.Issue(kUser, Leaf(kBothPurposes)));
  VerifyOrDie(forger.root_pem(), credential("forged"));
  // What the bad purposes differ from, by the same program and issuer.
  VerifyOrDie(root_.certificate_pem, LeafUnder(root_, kBothPurposes));
}

void Tenant::AddLists() {
  list_of_root_ = EmptyList(root_);
  list_of_stranger_ = EmptyList(SigningRoot());
  const CertificateAndKey signing_root = SigningRoot();
  signing_root_pem_ = signing_root.certificate_pem;
  list_of_signing_root_ = EmptyList(signing_root);
  of_signing_root_ = LeafUnder(signing_root, kBothPurposes);
}

const CertificateAndKey& Tenant::credential(const std::string& cell) const {
  for (const Cell& one : cells_) {
    if (one.id == cell) return one.credential;
  }
  std::fprintf(stderr, "no cell %s\n", cell.c_str());
  std::abort();
}

}  // namespace hourglass::matrix
