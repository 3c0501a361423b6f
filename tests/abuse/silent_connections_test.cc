// Connections that say nothing, or no more than needed to be kept: as many as a host can open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/loopback.h"
#include "tests/support/tls_client.h"

namespace hourglass {
namespace {

using issuance::Descriptor;
using testing::HasSubstr;

constexpr int kSilent = 1100;

int DescriptorsOf(int pid) {
  const std::filesystem::directory_iterator files(absl::StrCat("/proc/", pid, "/fd"));
  return static_cast<int>(std::distance(begin(files), end(files)));
}

class SilentConnectionsTest : public testing::Test {
 protected:
  SilentConnectionsTest() {
    // For the clients' ends.
    rlimit limit = {};
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }

  // By the connection that there was before all, and by one that is made now.
  void ExpectServed(absl::string_view when) {
    EXPECT_THAT(daemon_.Issue(daemon_.Request()), Succeeded()) << when << ", old connection";
    grpc::ChannelArguments arguments;
    // Else gRPC would take the old connection.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const TlsCredential& credential = daemon_.CredentialOf(kBroker);
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = ReadFileOrDie(daemon_.tls().trusted_roots_file());
    options.pem_cert_chain = ReadFileOrDie(credential.certificate_file);
    options.pem_private_key = ReadFileOrDie(credential.private_key_file);
    const auto stub = v1::CertificateIssuer::NewStub(
        grpc::CreateCustomChannel(daemon_.address(), grpc::SslCredentials(options), arguments));
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    v1::IssueCertificateResponse response;
    EXPECT_THAT(stub->IssueCertificate(&context, daemon_.Request(), &response), Succeeded())
        << when << ", new connection";
  }

  Daemon daemon_;
};

TEST_F(SilentConnectionsTest, OfOneHostNeitherKeepCallersOutNorStay) {
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.MakeReady();
  ExpectServed("before");
  const int before = DescriptorsOf(daemon_.pid());
  std::vector<Descriptor> silent;
  for (int i = 0; i < kSilent; ++i) {
    silent.push_back(ConnectTo(daemon_.address()));
    ASSERT_TRUE(silent.back().valid()) << i;
    if (i == kSilent / 2) ExpectServed("meanwhile");
  }
  ExpectServed("with all of them");
  // A quarter of limits.connections_per_source, and what the sound ones needed.
  EXPECT_LE(DescriptorsOf(daemon_.pid()), before + 256 + 16);
  for (const Descriptor& client : silent) {
    EXPECT_TRUE(EndsWithin(client, 60));
    if (HasFailure()) break;
  }
  ExpectServed("after");
  EXPECT_LE(DescriptorsOf(daemon_.pid()), before + 16);
  for (const char* reason : {"TOO_MANY_CONNECTIONS", "HANDSHAKE_TIMEOUT"}) {
    EXPECT_TRUE(daemon_.WaitForLog(absl::StrCat("\"reason\":\"", reason, "\""))) << reason;
  }
  EXPECT_EQ(daemon_.Stop(), 0);
}

// With fewer descriptors than there are connections.
TEST_F(SilentConnectionsTest, DoNotTakeTheLastDescriptor) {
  ASSERT_TRUE(daemon_.Start({"prlimit", "--nofile=400:400"})) << daemon_.Log();
  daemon_.MakeReady();
  ExpectServed("before");
  std::vector<Descriptor> silent;
  for (int i = 0; i < kSilent; ++i) silent.push_back(ConnectTo(daemon_.address()));
  ExpectServed("with all of them");
  EXPECT_LE(DescriptorsOf(daemon_.pid()), 300);
  silent.clear();
  ExpectServed("after");
  EXPECT_EQ(daemon_.Stop(), 0);
}

// With so few that even the least number of connections does not fit.
TEST_F(SilentConnectionsTest, ALackOfDescriptorsPassesWithItsCause) {
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.MakeReady();
  ExpectServed("before");
  const int now = DescriptorsOf(daemon_.pid());
  rlimit limit = {};
  ASSERT_EQ(prlimit(daemon_.pid(), RLIMIT_NOFILE, nullptr, &limit), 0);
  const rlimit before = limit;
  limit.rlim_cur = static_cast<rlim_t>(now + 20);
  ASSERT_EQ(prlimit(daemon_.pid(), RLIMIT_NOFILE, &limit, nullptr), 0);
  std::vector<Descriptor> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(ConnectTo(daemon_.address()));
  EXPECT_TRUE(daemon_.WaitForLog("\"event\":\"descriptors_exhausted\"")) << daemon_.Log();
  // The connection that there was is answered, if only with a refusal: policies and the database
  // are files, too.
  const grpc::Status answer = daemon_.Issue(daemon_.Request());
  EXPECT_TRUE(answer.ok() || issuance::ErrorDetailOf(answer).has_value()) << answer.error_message();
  silent.clear();
  ASSERT_EQ(prlimit(daemon_.pid(), RLIMIT_NOFILE, &before, nullptr), 0);
  // What could not be read is tried again within seconds; a minute is a bound for slow machines.
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!daemon_.Issue(daemon_.Request()).ok() && std::chrono::steady_clock::now() < end) {
  }
  ExpectServed("after");
  EXPECT_EQ(daemon_.Stop(), 0);
}

// TLS with a caller's certificate, and nothing after it.
TEST_F(SilentConnectionsTest, OfCallersAreEndedToo) {
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.MakeReady();
  std::vector<std::unique_ptr<TlsClient>> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(std::make_unique<TlsClient>(daemon_.tls().trusted_roots_file(),
                                                 &daemon_.CredentialOf(kBroker)));
    ASSERT_EQ(silent.back()->Enter(daemon_.address()), "");
  }
  for (const auto& client : silent) EXPECT_TRUE(EndsWithin(client->socket(), 60));
  ExpectServed("after");
}

}  // namespace
}  // namespace hourglass
