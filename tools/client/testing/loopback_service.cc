#include "tools/client/testing/loopback_service.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/support/subprocess.h"

namespace hourglass::client {
namespace {

// `words` are separated by single spaces.
void Openssl(absl::string_view words) {
  std::vector<std::string> command = absl::StrSplit(absl::StrCat("openssl ", words), ' ');
  const CommandResult result = RunCommand(command);
  if (result.exit_code == 0) return;
  std::fprintf(stderr, "openssl: %s\n", result.output.c_str());
  std::abort();
}

void MakeAuthority(const std::string& stem) {
  Openssl(absl::StrCat(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=",
      "authority", " -keyout ", stem, ".key -out ", stem, ".pem"));
}

void MakeLeaf(const std::string& authority, const std::string& stem, absl::string_view name) {
  Openssl(absl::StrCat(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=", name,
      " -addext subjectAltName=DNS:", name, " -addext basicConstraints=critical,CA:FALSE -CA ",
      authority, ".pem -CAkey ", authority, ".key -keyout ", stem, ".key -out ", stem, ".pem"));
}

}  // namespace

LoopbackService::LoopbackService(const std::vector<grpc::Service*>& services) {
  MakeCredentials();
  grpc::SslServerCredentialsOptions tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = ReadFileOrDie(directory_.File("clients.pem"));
  tls.pem_key_cert_pairs.push_back(
      {ReadFileOrDie(directory_.File("server.key")), ReadFileOrDie(directory_.File("server.pem"))});
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(tls), &port_);
  for (grpc::Service* service : services) builder.RegisterService(service);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) std::abort();
  config_file_ = WriteConfig("client.yaml", "server_name: service.example\n");
}

LoopbackService::~LoopbackService() { Stop(); }

void LoopbackService::Stop() {
  if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
}

void LoopbackService::MakeCredentials() {
  MakeAuthority(directory_.File("servers"));
  MakeAuthority(directory_.File("clients"));
  MakeLeaf(directory_.File("servers"), directory_.File("server"), "service.example");
  MakeLeaf(directory_.File("clients"), directory_.File("client"), "client.example");
}

std::string LoopbackService::WriteConfig(absl::string_view name,
                                         absl::string_view more_lines) const {
  return directory_.Write(name, absl::StrCat("server: 127.0.0.1:", port_, "\n",
                                             "tls:\n"
                                             "  certificate: client.pem\n"
                                             "  private_key: client.key\n"
                                             "  trusted_roots: servers.pem\n",
                                             more_lines));
}

OpensslAuthority::OpensslAuthority(absl::string_view common_name) {
  Openssl(absl::StrCat(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=",
      common_name, " -keyout ", directory_.File("root.key"), " -out ",
      directory_.File("root.pem")));
  Openssl(absl::StrCat("x509 -in ", directory_.File("root.pem"), " -outform DER -out ",
                       directory_.File("root.der")));
  root_ = ReadFileOrDie(directory_.File("root.der"));
}

std::string OpensslAuthority::Issue(absl::string_view pkcs10, absl::string_view common_name) const {
  directory_.Write("request.der", pkcs10);
  directory_.Write("extensions", "extendedKeyUsage=clientAuth,1.3.6.1.4.1.311.87\n");
  Openssl(absl::StrCat("x509 -req -inform DER -in ", directory_.File("request.der"), " -CA ",
                       directory_.File("root.pem"), " -CAkey ", directory_.File("root.key"),
                       " -days 1 -extfile ", directory_.File("extensions"), " -subj /CN=",
                       common_name, " -outform DER -out ", directory_.File("leaf.der")));
  return ReadFileOrDie(directory_.File("leaf.der"));
}

}  // namespace hourglass::client
