// A proxy in the environment, which is not for the service to use.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

TEST(ProxyTest, VerdictsComeFromWhereTheConfigurationSays) {
  // One service is the other's compliance service.
  Daemon judge;
  ASSERT_TRUE(judge.Start()) << judge.Log();
  judge.CreateTenant();
  judge.ReportDevice("contoso", "laptop-1", true);
  const TlsCredential credential = judge.CredentialOf(kAuditor);

  Daemon daemon;
  const std::string text = ReadFileOrDie(daemon.config_file());
  const std::string embedded = "compliance: {embedded: {policy_directory: policies}}";
  ASSERT_THAT(text, testing::HasSubstr(embedded));
  daemon.directory().Write(
      "hourglassd.yaml",
      absl::StrReplaceAll(
          text,
          {{embedded, absl::StrCat("compliance: {deadline: 20s, endpoint: \"", judge.address(),
                                   "\", tls: {certificate: ", credential.certificate_file,
                                   ", private_key: ", credential.private_key_file,
                                   ", trusted_roots: ", judge.tls().trusted_roots_file(), "}}")}}));
  // Nobody listens on port 1.
  ASSERT_TRUE(
      daemon.Start({"env", "-u", "no_proxy", "-u", "no_grpc_proxy", "grpc_proxy=http://127.0.0.1:1",
                    "https_proxy=http://127.0.0.1:1", "http_proxy=http://127.0.0.1:1"}))
      << daemon.Log();
  daemon.CreateTenant();
  daemon.CreateRoot();
  EXPECT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  EXPECT_EQ(daemon.Stop(), 0);
}

}  // namespace
}  // namespace hourglass
