#include "issuance/edge/edge.h"

#include <gmock/gmock.h>
#include <grpc/grpc.h>
#include <grpcpp/generic/async_generic_service.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/support/loopback.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mutual_tls.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tls_client.h"

namespace hourglass::issuance {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A gRPC server that knows no method, and callers `broker` and `other`.
class EdgeTest : public testing::Test {
 protected:
  EdgeTest() {
    clock_.Advance(std::chrono::minutes(10));
    list_file_ = directory_.Write("list", tls_.RevocationList({}));
    revocations_ =
        RevocationLists::Read({list_file_}, ReadFileOrDie(tls_.trusted_roots_file())).value();
    callers_.emplace(CallerDirectory::Create({CallerWith("broker"), CallerWith("other")}, &clock_,
                                             revocations_.get())
                         .value());
    testing::internal::CaptureStderr();
    log_.emplace(EventLog::ToStandardError("info").value());
    edge_.emplace(&*callers_, revocations_.get(), &open_calls_, &clock_, &*log_);
    const TlsCredential own = tls_.Server();
    grpc::SslServerCredentialsOptions options(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = ReadFileOrDie(tls_.trusted_roots_file());
    options.pem_key_cert_pairs.push_back(
        {ReadFileOrDie(own.private_key_file), ReadFileOrDie(own.certificate_file)});
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(&service_);
    EdgeOptions edge;
    edge.listen = "127.0.0.1:0";
    server_ = edge_->Start(edge, builder, grpc::SslServerCredentials(options)).value();
    address_ = absl::StrCat("127.0.0.1:", edge_->port());
  }

  ~EdgeTest() override {
    if (log_.has_value()) Log();
  }

  static Caller CallerWith(const std::string& name) {
    Caller caller;
    caller.name = name;
    caller.identity = absl::StrCat("dns:", name, ".example");
    return caller;
  }

  TlsClient ClientWith(const TlsCredential* credential, int version = TLS1_3_VERSION) {
    return TlsClient(tls_.trusted_roots_file(), credential, version);
  }

  // Stops all and gives what was logged.
  std::string Log() {
    edge_->Stop();
    server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
    edge_.reset();
    log_.reset();
    return testing::internal::GetCapturedStderr();
  }

  MutualTls tls_;
  TemporaryDirectory directory_;
  std::string list_file_;
  ManualClock clock_;
  std::unique_ptr<RevocationLists> revocations_;
  std::optional<CallerDirectory> callers_;
  std::optional<EventLog> log_;
  OpenCalls open_calls_;
  std::optional<Edge> edge_;
  grpc::CallbackGenericService service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

TEST_F(EdgeTest, LetsCallersInAndNobodyElse) {
  const TlsCredential caller = tls_.Client("DNS:broker.example");
  const TlsCredential stranger = tls_.Client("DNS:stranger.example");
  MutualTls elsewhere;
  const TlsCredential foreign = elsewhere.Client("DNS:broker.example");
  const TlsCredential server = tls_.Server();
  const TlsCredential two = tls_.Client("DNS:broker.example,DNS:other.example");
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    EXPECT_EQ(ClientWith(&caller, version).Enter(address_), "");
    EXPECT_THAT(ClientWith(&stranger, version).Enter(address_), HasSubstr("bad certificate"));
    EXPECT_THAT(ClientWith(&two, version).Enter(address_), HasSubstr("bad certificate"));
    EXPECT_THAT(ClientWith(&foreign, version).Enter(address_), HasSubstr("unknown ca"));
    EXPECT_THAT(ClientWith(&server, version).Enter(address_), HasSubstr("refused"));
    EXPECT_THAT(ClientWith(nullptr, version).Enter(address_), HasSubstr("refused"));
    EXPECT_EQ(ClientWith(&caller, version).Enter(address_), "");
  }
  const std::string log = Log();
  EXPECT_THAT(log, testing::ContainsRegex(
                       "\"event\":\"connection_refused\",\"peer\":\"ipv4:127.0.0.1:[0-9]+\","
                       "\"reason\":\"CALLER_UNKNOWN\",\"message\":\"the client certificate is "
                       "bound to no caller\",\"certificate\":\"dns:stranger.example\""));
  EXPECT_THAT(log, AllOf(HasSubstr("carries identities of two callers"),
                         HasSubstr("unsuitable certificate purpose"),
                         HasSubstr("\"reason\":\"HANDSHAKE_FAILED\"")));
}

// What a session would bring back, nothing has verified.
TEST_F(EdgeTest, NoSessionIsResumed) {
  const TlsCredential caller = tls_.Client("DNS:broker.example");
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient first = ClientWith(&caller, version);
    ASSERT_EQ(first.Enter(address_), "");
    EXPECT_EQ(first.tickets(), 0);
    const SslSessionPtr session = first.Session();
    ASSERT_NE(session, nullptr);
    EXPECT_EQ(SSL_SESSION_is_resumable(session.get()), 0) << version;
    if (SSL_SESSION_is_resumable(session.get()) == 0) continue;
    TlsClient second = ClientWith(&caller, version);
    ASSERT_EQ(second.Enter(address_, session.get()), "");
    EXPECT_FALSE(second.resumed());
  }
}

TEST_F(EdgeTest, AnExpiredCertificateIsTurnedAwayAndEndsOpenConnections) {
  const TlsCredential brief = tls_.ClientFor(3600, "DNS:broker.example");
  const TlsCredential lasting = tls_.Client("DNS:broker.example");
  TlsClient open = ClientWith(&brief);
  TlsClient stays = ClientWith(&lasting);
  for (TlsClient* client : {&open, &stays}) {
    ASSERT_EQ(client->Enter(address_), "");
    client->BeginHttp2();
  }
  clock_.Advance(std::chrono::hours(1));
  EXPECT_TRUE(EndsWithin(open.socket(), 30));
  EXPECT_THAT(ClientWith(&brief).Enter(address_), HasSubstr("certificate expired"));
  EXPECT_EQ(ClientWith(&lasting).Enter(address_), "");
  EXPECT_FALSE(EndsWithin(stays.socket(), 1));
  EXPECT_THAT(Log(),
              testing::ContainsRegex("\"event\":\"connection_ended\",\"peer\":\"ipv4:[0-9.:]+\","
                                     "\"caller\":\"broker\",\"reason\":"
                                     "\"CALLER_CERTIFICATE_EXPIRED\""));
}

TEST_F(EdgeTest, ARevokedCallerIsTurnedAwayAndItsOpenConnectionsEnd) {
  const TlsCredential stolen = tls_.Client("DNS:broker.example");
  const TlsCredential sound = tls_.Client("DNS:broker.example");
  TlsClient open = ClientWith(&stolen);
  TlsClient stays = ClientWith(&sound);
  for (TlsClient* client : {&open, &stays}) {
    ASSERT_EQ(client->Enter(address_), "");
    client->BeginHttp2();
  }
  std::filesystem::rename(
      directory_.Write("new", tls_.RevocationList({ReadFileOrDie(stolen.certificate_file)})),
      list_file_);
  EXPECT_TRUE(EndsWithin(open.socket(), 30));
  EXPECT_THAT(ClientWith(&stolen).Enter(address_), HasSubstr("certificate revoked"));
  EXPECT_EQ(ClientWith(&sound).Enter(address_), "");
  EXPECT_FALSE(EndsWithin(stays.socket(), 1));
  EXPECT_THAT(Log(), AllOf(HasSubstr("\"event\":\"revocation_list_read\""),
                           HasSubstr("\"reason\":\"CALLER_REFUSED\",\"message\":\"the client "
                                     "certificate has been revoked\"")));
}

// A certificate and no HTTP/2 after it.
TEST_F(EdgeTest, ACallerThatSaysNothingMoreIsEndedInTime) {
  const TlsCredential caller = tls_.Client("DNS:broker.example");
  TlsClient silent = ClientWith(&caller);
  ASSERT_EQ(silent.Enter(address_), "");
  EXPECT_TRUE(EndsWithin(silent.socket(), 60));
}

// The last of gRPC is freed by a thread of its own, unless one waits for it: LeakSanitizer may find
// it at work.
class EndOfGrpc : public testing::Environment {
  void TearDown() override {
    grpc_init();
    grpc_shutdown_blocking();
  }
};

testing::Environment* const kEndOfGrpc = testing::AddGlobalTestEnvironment(new EndOfGrpc);

}  // namespace
}  // namespace hourglass::issuance
