#include "tools/client/connection_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"

namespace hourglass::client {
namespace {

using testing::HasSubstr;

constexpr char kTls[] =
    "tls:\n"
    "  certificate: admin.pem\n"
    "  private_key: /keys/admin.key\n"
    "  trusted_roots: roots.pem\n";

absl::StatusOr<ConnectionConfig> Parse(absl::string_view first_lines) {
  return ParseConnectionConfig(absl::StrCat(first_lines, kTls), "/etc/hourglass/cli.yaml");
}

TEST(ConnectionConfigTest, ReadsWhatIsNeededAndTakesPathsFromItsFolder) {
  ASSERT_OK_AND_ASSIGN(const ConnectionConfig config, Parse("server: ca.example:8443\n"));
  EXPECT_EQ(config.server, "ca.example:8443");
  EXPECT_EQ(config.certificate, "/etc/hourglass/admin.pem");
  EXPECT_EQ(config.private_key, "/keys/admin.key");
  EXPECT_EQ(config.trusted_roots, "/etc/hourglass/roots.pem");
  EXPECT_EQ(config.server_name, "");
  EXPECT_EQ(config.timeout, absl::Seconds(10));
}

TEST(ConnectionConfigTest, ReadsWhatIsOptional) {
  ASSERT_OK_AND_ASSIGN(const ConnectionConfig config,
                       Parse("server: '[::1]:1'\nserver_name: ca.example\ntimeout: 90s\n"));
  EXPECT_EQ(config.server, "[::1]:1");
  EXPECT_EQ(config.server_name, "ca.example");
  EXPECT_EQ(config.timeout, absl::Seconds(90));
}

TEST(ConnectionConfigTest, RefusesWhatIsNoAddress) {
  for (const char* server :
       {"ca.example", ":8443", "ca.example:", "ca.example:0", "ca.example:65536", "ca.example:+1",
        "unix:/run/ca:1", "::1:8443", "a:1,b:2", "dns:///a:1"}) {
    const auto config = Parse(absl::StrCat("server: '", server, "'\n"));
    EXPECT_THAT(config, FailsWith(ErrorReason::kConfigurationInvalid)) << server;
    EXPECT_THAT(std::string(config.status().message()), HasSubstr("cli.yaml:1: server: "))
        << server;
  }
}

TEST(ConnectionConfigTest, TellsEveryMistakeWithItsLine) {
  const auto config =
      ParseConnectionConfig("timeout: 1d\ntls:\n  certificate: a\nsevrer: b:1\n", "cli.yaml");
  EXPECT_THAT(config, FailsWith(ErrorReason::kConfigurationInvalid));
  const std::string message(config.status().message());
  for (const char* part : {"cli.yaml:1: timeout: ", "tls.private_key: ", "tls.trusted_roots: ",
                           "cli.yaml:4: sevrer: ", " server: "}) {
    EXPECT_THAT(message, HasSubstr(part));
  }
}

TEST(ConnectionConfigTest, AFileThatIsNotThereIsNamed) {
  const auto config = LoadConnectionConfig("/nonexistent/cli.yaml");
  EXPECT_THAT(config, FailsWith(ErrorReason::kConfigurationInvalid, "--config"));
  EXPECT_THAT(std::string(config.status().message()), HasSubstr("/nonexistent/cli.yaml"));
}

}  // namespace
}  // namespace hourglass::client
