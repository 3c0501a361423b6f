#include "tests/support/mutual_tls.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

void OpensslOrDie(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  const CommandResult result = RunCommand(arguments);
  if (result.exit_code == 0) return;
  std::fprintf(stderr, "openssl %s: %s\n", arguments[1].c_str(), result.output.c_str());
  std::abort();
}

}  // namespace

MutualTls::MutualTls() : root_file_(directory_.File("root.pem")) {
  OpensslOrDie({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", directory_.File("root.key"), "-out", root_file_, "-days", "2", "-subj",
                "/CN=local programs", "-addext", "keyUsage=critical,keyCertSign"});
}

TlsCredential MutualTls::Server() {
  return Make("extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n");
}

TlsCredential MutualTls::Client(absl::string_view subject_alternative_name) {
  return Make(
      absl::StrCat("extendedKeyUsage=clientAuth\nsubjectAltName=", subject_alternative_name, "\n"));
}

TlsCredential MutualTls::Make(absl::string_view extensions) {
  const std::string name = absl::StrCat("party", ++made_);
  const std::string extension_file = directory_.Write(absl::StrCat(name, ".ext"), extensions);
  const std::string request_file = directory_.File(absl::StrCat(name, ".csr"));
  const TlsCredential credential = {directory_.File(absl::StrCat(name, ".pem")),
                                    directory_.File(absl::StrCat(name, ".key"))};
  OpensslOrDie({"req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", credential.private_key_file, "-out", request_file, "-subj",
                absl::StrCat("/CN=", name)});
  OpensslOrDie({"x509", "-req", "-in", request_file, "-CA", root_file_, "-CAkey",
                directory_.File("root.key"), "-days", "1", "-extfile", extension_file, "-out",
                credential.certificate_file});
  return credential;
}

}  // namespace hourglass
