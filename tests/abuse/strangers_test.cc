// Whoever has a certificate of the callers' authority and is bound to no caller, or had one that
// has expired.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/tls_client.h"

namespace hourglass {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

std::unique_ptr<v1::CertificateIssuer::Stub> StubWith(Daemon& daemon,
                                                      const TlsCredential& credential) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ReadFileOrDie(daemon.tls().trusted_roots_file());
  options.pem_cert_chain = ReadFileOrDie(credential.certificate_file);
  options.pem_private_key = ReadFileOrDie(credential.private_key_file);
  return v1::CertificateIssuer::NewStub(
      grpc::CreateChannel(daemon.address(), grpc::SslCredentials(options)));
}

grpc::Status IssueWith(Daemon& daemon, v1::CertificateIssuer::Stub& stub) {
  grpc::ClientContext context;
  v1::IssueCertificateResponse response;
  return stub.IssueCertificate(&context, daemon.Request(), &response);
}

TEST(StrangersTest, DoNotGetThroughTheHandshake) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  // More than there may be connections: none of them stays.
  for (int i = 0; i < 300; ++i) {
    TlsClient stranger(daemon.tls().trusted_roots_file(), &daemon.CredentialOf(kStranger));
    ASSERT_THAT(stranger.Enter(daemon.address()), HasSubstr("bad certificate"));
  }
  EXPECT_EQ(daemon.Issue(daemon.Request(), nullptr, kStranger).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  EXPECT_TRUE(daemon.WaitForLog("\"event\":\"connection_refused\""));
  EXPECT_THAT(daemon.Log(),
              ContainsRegex("\"event\":\"connection_refused\",\"peer\":\"ipv4:127.0.0.1:[0-9]+\","
                            "\"reason\":\"CALLER_UNKNOWN\",\"message\":\"the client certificate is "
                            "bound to no caller\",\"certificate\":"
                            "\"uri:spiffe://contoso.example/stranger\""));
  // No call of theirs was ever read.
  EXPECT_THAT(daemon.Log(), Not(HasSubstr("\"event\":\"call_failed\"")));
}

// On the connection that there is, and by a session of then.
TEST(StrangersTest, AnExpiredCertificateIsOfNoUseAnyMore) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  constexpr char kIdentity[] = "URI:spiffe://contoso.example/broker";
  // Long enough for a busy machine to use it at all.
  const TlsCredential brief = daemon.tls().ClientFor(20, kIdentity);
  const auto stub = StubWith(daemon, brief);
  ASSERT_THAT(IssueWith(daemon, *stub), Succeeded());
  TlsClient before(daemon.tls().trusted_roots_file(), &brief);
  ASSERT_EQ(before.Enter(daemon.address()), "");
  const SslSessionPtr session = before.Session();

  // Until the end of it has passed.
  grpc::Status status = grpc::Status::OK;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (status.ok() && std::chrono::steady_clock::now() < end) status = IssueWith(daemon, *stub);
  EXPECT_THAT(status.error_code(),
              testing::AnyOf(grpc::StatusCode::UNAUTHENTICATED, grpc::StatusCode::UNAVAILABLE));
  EXPECT_TRUE(daemon.WaitForLog("\"reason\":\"CALLER_CERTIFICATE_EXPIRED\"")) << daemon.Log();
  TlsClient after(daemon.tls().trusted_roots_file(), &brief);
  EXPECT_THAT(after.Enter(daemon.address(), session.get()), HasSubstr("certificate expired"));
  EXPECT_FALSE(IssueWith(daemon, *stub).ok());
  EXPECT_THAT(daemon.Issue(daemon.Request()), Succeeded());
}

}  // namespace
}  // namespace hourglass
