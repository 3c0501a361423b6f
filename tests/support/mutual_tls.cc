#include "tests/support/mutual_tls.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
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
                "-keyout", directory_.File("root.key"), "-out", root_file_, "-days", "60", "-subj",
                "/CN=local programs", "-addext", "keyUsage=critical,keyCertSign,cRLSign"});
}

TlsCredential MutualTls::Server() { return ServerFor("DNS:localhost,IP:127.0.0.1,IP:::1"); }

TlsCredential MutualTls::ServerFor(absl::string_view subject_alternative_names, int seconds) {
  return Make(
      absl::StrCat("extendedKeyUsage=serverAuth\nsubjectAltName=", subject_alternative_names, "\n"),
      seconds);
}

TlsCredential MutualTls::PeerFor(absl::string_view subject_alternative_names) {
  return Make(absl::StrCat(
      "extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=", subject_alternative_names, "\n"));
}

TlsCredential MutualTls::Client(absl::string_view subject_alternative_name) {
  return Make(
      absl::StrCat("extendedKeyUsage=clientAuth\nsubjectAltName=", subject_alternative_name, "\n"));
}

TlsCredential MutualTls::ClientFor(int seconds, absl::string_view subject_alternative_name) {
  return Make(
      absl::StrCat("extendedKeyUsage=clientAuth\nsubjectAltName=", subject_alternative_name, "\n"),
      seconds);
}

void MutualTls::Ca(const std::string& name, std::vector<std::string> arguments) {
  const std::string config = directory_.File(name + ".cnf");
  if (access(config.c_str(), R_OK) != 0) {
    directory_.Write(
        name + ".cnf",
        absl::StrCat("[ca]\ndefault_ca = a\n[a]\ndatabase = ", directory_.Write(name + ".db", ""),
                     "\nnew_certs_dir = ", directory_.path(),
                     "\ndefault_md = sha256\ndefault_crl_days = 7\npolicy = p\nrand_serial = yes\n"
                     "[p]\ncommonName = supplied\n"));
  }
  arguments.insert(arguments.begin(), {"ca", "-config", config, "-cert", root_file_, "-keyfile",
                                       directory_.File("root.key")});
  OpensslOrDie(std::move(arguments));
}

std::string MutualTls::RevocationList(const std::vector<std::string>& certificates, bool der) {
  const std::string name = absl::StrCat("list", ++made_);
  for (const std::string& certificate : certificates) {
    Ca(name, {"-revoke", directory_.Write(name + ".pem", certificate)});
  }
  const std::string list = directory_.File(name + ".crl");
  Ca(name, {"-gencrl", "-out", list});
  if (der) OpensslOrDie({"crl", "-in", list, "-outform", "DER", "-out", list});
  return ReadFileOrDie(list);
}

TlsCredential MutualTls::Make(absl::string_view extensions, int seconds) {
  const std::string name = absl::StrCat("party", ++made_);
  const std::string extension_file = directory_.Write(absl::StrCat(name, ".ext"), extensions);
  const std::string request_file = directory_.File(absl::StrCat(name, ".csr"));
  TlsCredential credential = {directory_.File(absl::StrCat(name, ".pem")),
                              directory_.File(absl::StrCat(name, ".key"))};
  OpensslOrDie({"req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", credential.private_key_file, "-out", request_file, "-subj",
                absl::StrCat("/CN=", name)});
  const auto at = [](absl::Duration from_now) {
    return absl::FormatTime("%y%m%d%H%M%SZ", absl::Now() + from_now, absl::UTCTimeZone());
  };
  // Valid for a day already: a test's clock may have been stopped before.
  Ca(name, {"-batch", "-notext", "-in", request_file, "-extfile", extension_file, "-startdate",
            at(absl::Hours(-24)), "-enddate", at(absl::Seconds(seconds)), "-out",
            credential.certificate_file});
  return credential;
}

}  // namespace hourglass
