// A caller whose key is in other hands is shut out, on the connections that it has too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

class ShutOutTest : public testing::Test {
 protected:
  // Replaces text of the configuration.
  void Replace(const std::string& from, const std::string& to) {
    const std::string text = ReadFileOrDie(daemon_.config_file());
    ASSERT_THAT(text, HasSubstr(from));
    daemon_.directory().Write("hourglassd.yaml", absl::StrReplaceAll(text, {{from, to}}));
  }

  // More fields for the caller `broker`.
  void AddToBroker(const std::string& fields) {
    const std::string identity = "identity: \"uri:spiffe://contoso.example/broker\"";
    Replace(identity, absl::StrCat(identity, ", ", fields));
  }

  void ExpectShutOut(const char* why) {
    EXPECT_EQ(daemon_.Issue(daemon_.Request()).error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_TRUE(daemon_.WaitForLog("\"reason\":\"CALLER_REFUSED\"")) << daemon_.Log();
    EXPECT_TRUE(daemon_.WaitForLog(why)) << daemon_.Log();
    EXPECT_THAT(daemon_.Issue(daemon_.Request(), nullptr, kWideBroker), Succeeded());
  }

  Daemon daemon_;
};

TEST_F(ShutOutTest, ByARevocationListOnOpenConnections) {
  const std::string list =
      daemon_.directory().Write("callers.crl", daemon_.tls().RevocationList({}));
  Replace("  trusted_roots:", "  revocation_lists: [callers.crl]\n  trusted_roots:");
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.MakeReady();
  ASSERT_THAT(daemon_.Issue(daemon_.Request()), Succeeded());
  ASSERT_THAT(daemon_.Issue(daemon_.Request(), nullptr, kWideBroker), Succeeded());
  grpc::ClientContext context;
  auto stub = daemon_.As<v1::CertificateIssuer>(kBroker);
  const auto stream = stub->IssueCertificates(&context);
  ASSERT_TRUE(stream->Write(daemon_.Request()));
  v1::IssueCertificatesResponse answer;
  ASSERT_TRUE(stream->Read(&answer));
  ASSERT_TRUE(answer.has_issued());

  const std::string stolen = ReadFileOrDie(daemon_.CredentialOf(kBroker).certificate_file);
  std::filesystem::rename(
      daemon_.directory().Write("new.crl", daemon_.tls().RevocationList({stolen})), list);
  // The stream ends although nothing is sent on it.
  EXPECT_FALSE(stream->Read(&answer));
  EXPECT_THAT(stream->Finish().error_code(),
              AnyOf(grpc::StatusCode::UNAUTHENTICATED, grpc::StatusCode::UNAVAILABLE));
  ExpectShutOut("the client certificate has been revoked");
  EXPECT_TRUE(daemon_.WaitForLog("\"event\":\"connection_ended\"")) << daemon_.Log();
}

TEST_F(ShutOutTest, ByTheHashOfItsCertificate) {
  const CommandResult said =
      RunCommand({"openssl", "x509", "-in", daemon_.CredentialOf(kBroker).certificate_file,
                  "-noout", "-fingerprint", "-sha256"});
  // As it is pasted: `sha256 Fingerprint=AB:CD:…`.
  AddToBroker(absl::StrCat("refused: [\"", absl::StripAsciiWhitespace(said.output), "\"]"));
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.MakeReady();
  ExpectShutOut("is one of refused of caller broker");
}

TEST_F(ShutOutTest, ByTheTimeOfItsCertificate) {
  AddToBroker(absl::StrCat(
      "not_before: ", absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone())));
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  daemon_.MakeReady();
  ExpectShutOut("was issued before not_before of caller broker");
}

// Said, and no reason not to start.
TEST_F(ShutOutTest, ABrokerThatReportsDevicesIsWarnedOf) {
  Replace("roles: [broker], tenants: [contoso]",
          "roles: [broker, device_reporter], tenants: [contoso]");
  const CommandResult checked =
      RunCommand({Daemon::kProgram, "--config", daemon_.config_file(), "--check"});
  EXPECT_EQ(checked.exit_code, 0) << checked.output;
  EXPECT_THAT(checked.output,
              HasSubstr("warning: caller broker is broker and device_reporter in one"));
  ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
  EXPECT_TRUE(
      daemon_.WaitForLog("\"level\":\"warning\",\"event\":\"caller_not_separated\","
                         "\"caller\":\"broker\""))
      << daemon_.Log();
}

}  // namespace
}  // namespace hourglass
