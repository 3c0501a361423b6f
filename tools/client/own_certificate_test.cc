#include "tools/client/own_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/mutual_tls.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tools/client/certificate.h"

namespace hourglass::client {
namespace {

using testing::HasSubstr;

TEST(OwnCertificateTest, IsLookedAtBeforeTheServiceDoes) {
  MutualTls tls;
  const std::string pem =
      ReadFileOrDie(tls.Client("URI:spiffe://contoso.example/cli").certificate_file);
  ASSERT_OK_AND_ASSIGN(const std::string der, FirstCertificateInPem(pem));
  ASSERT_OK_AND_ASSIGN(const CertificateFacts facts, ReadCertificate(der));
  EXPECT_OK(CheckOwnCertificate(pem, "cli.pem", facts.not_before));
  EXPECT_OK(CheckOwnCertificate(pem, "cli.pem", facts.not_after + absl::Milliseconds(999)));

  const absl::Status expired =
      CheckOwnCertificate(pem, "cli.pem", facts.not_after + absl::Seconds(1));
  EXPECT_THAT(expired, FailsWith(ErrorReason::kConfigurationInvalid, "tls.certificate"));
  EXPECT_THAT(std::string(expired.message()), HasSubstr("cli.pem has expired: "));

  const absl::Status early =
      CheckOwnCertificate(pem, "cli.pem", facts.not_before - absl::Seconds(1));
  EXPECT_THAT(early, FailsWith(ErrorReason::kConfigurationInvalid, "tls.certificate"));
  EXPECT_THAT(std::string(early.message()), HasSubstr("cli.pem is not valid yet: from "));
}

TEST(OwnCertificateTest, AServersIsNotForClients) {
  MutualTls tls;
  const std::string pem = ReadFileOrDie(tls.Server().certificate_file);
  const absl::Status refused = CheckOwnCertificate(pem, "server.pem", absl::Now());
  EXPECT_THAT(refused, FailsWith(ErrorReason::kConfigurationInvalid, "tls.certificate"));
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("server.pem is not for clients, but for: "));
}

}  // namespace
}  // namespace hourglass::client
