#include "issuance/server/tls_material.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

TEST(TlsMaterialTest, IsWhatTheFilesHoldAndWhatCannotBeReadIsNamed) {
  const TemporaryDirectory directory;
  TlsFiles files;
  files.certificate = directory.Write("certificate", "one\n");
  files.private_key = directory.Write("key", std::string("t\0wo", 4));
  files.trusted_roots = directory.Write("roots", "three");
  ASSERT_OK_AND_ASSIGN(const TlsMaterial tls, ReadTlsMaterial(files, "tls"));
  EXPECT_EQ(tls.certificate, "one\n");
  EXPECT_EQ(tls.private_key, std::string("t\0wo", 4));
  EXPECT_EQ(tls.trusted_roots, "three");

  files.private_key = directory.File("absent");
  const absl::Status unread = ReadTlsMaterial(files, "compliance.tls").status();
  EXPECT_THAT(unread, FailsWith(ErrorReason::kConfigurationInvalid, "compliance.tls.private_key"));
  EXPECT_THAT(std::string(unread.message()), HasSubstr("cannot read " + files.private_key));
}

TEST(TlsMaterialTest, ThatOfTheComplianceServiceIsReadWhereOneIsAsked) {
  const TemporaryDirectory directory;
  const std::string there = directory.Write("there", "one");
  const std::string other = directory.Write("other", "two");
  Config config;
  config.tls = {there, there, there};
  config.compliance.tls = {other, other, directory.File("absent")};
  ASSERT_OK_AND_ASSIGN(const ServiceTls alone, ReadServiceTls(config));
  EXPECT_EQ(alone.own.trusted_roots, "one");
  EXPECT_FALSE(alone.compliance.has_value());
  config.compliance.endpoint = "compliance.example:443";
  EXPECT_THAT(ReadServiceTls(config),
              FailsWith(ErrorReason::kConfigurationInvalid, "compliance.tls.trusted_roots"));
  config.compliance.tls.trusted_roots = other;
  ASSERT_OK_AND_ASSIGN(const ServiceTls both, ReadServiceTls(config));
  EXPECT_EQ(both.own.certificate, "one");
  ASSERT_TRUE(both.compliance.has_value());
  EXPECT_EQ(both.compliance->certificate, "two");
}

}  // namespace
}  // namespace hourglass::issuance
