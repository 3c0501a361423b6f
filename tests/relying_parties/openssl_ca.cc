#include "tests/relying_parties/openssl_ca.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

void RunOrDie(const std::vector<std::string>& command) {
  const CommandResult result = RunCommand(command);
  if (result.exit_code == 0) return;
  std::fprintf(stderr, "%s: %s\n", absl::StrJoin(command, " ").c_str(), result.output.c_str());
  std::abort();
}

CertificateAndKey IssueBy(const std::string& issuer, const std::string& issuer_key,
                          absl::string_view common_name,
                          const std::vector<std::string>& extensions) {
  const TemporaryDirectory work;
  RunOrDie({"openssl", "req", "-new", "-subj", absl::StrCat("/CN=", common_name), "-newkey", "ec",
            "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", work.File("leaf.key"),
            "-out", work.File("leaf.csr")});
  RunOrDie({"openssl", "x509", "-req", "-in", work.File("leaf.csr"), "-CA", issuer, "-CAkey",
            issuer_key, "-days", "1", "-extfile",
            work.Write("leaf.ext", absl::StrJoin(extensions, "\n")), "-out",
            work.File("leaf.pem")});
  return {ReadFileOrDie(work.File("leaf.pem")), ReadFileOrDie(work.File("leaf.key"))};
}

}  // namespace

OpensslCa::OpensslCa(absl::string_view subject, absl::string_view key_identifier, int path_length) {
  const std::string key_identifier_value =
      key_identifier.empty() ? std::string("hash") : std::string(key_identifier);
  const std::string configuration = directory_.Write(
      "root.cnf", absl::StrCat("[req]\ndistinguished_name = name\nx509_extensions = root\n",
                               "string_mask = utf8only\n[name]\n[root]\n",
                               "basicConstraints = critical, CA:TRUE, pathlen:", path_length, "\n",
                               "keyUsage = critical, keyCertSign\n",
                               "subjectKeyIdentifier = ", key_identifier_value, "\n"));
  RunOrDie({"openssl", "req", "-x509", "-config", configuration, "-subj", std::string(subject),
            "-days", "2", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", directory_.File("root.key"), "-out", directory_.File("root.pem")});
  root_pem_ = ReadFileOrDie(directory_.File("root.pem"));
}

CertificateAndKey OpensslCa::Issue(absl::string_view common_name,
                                   const std::vector<std::string>& extensions) const {
  return IssueBy(directory_.File("root.pem"), directory_.File("root.key"), common_name, extensions);
}

CertificateAndKey OpensslCa::IssueUnder(const CertificateAndKey& issuer,
                                        absl::string_view common_name,
                                        const std::vector<std::string>& extensions) {
  const TemporaryDirectory work;
  CertificateAndKey issued =
      IssueBy(work.Write("issuer.pem", issuer.certificate_pem),
              work.Write("issuer.key", issuer.private_key_pem), common_name, extensions);
  issued.certificate_pem += issuer.certificate_pem;
  return issued;
}

}  // namespace hourglass
