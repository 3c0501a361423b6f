#include "issuance/server/tls_material.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace hourglass::issuance
