#include "hsm/keyholder/process/worker_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hsm/key/key_uri.h"
#include "tests/support/status_matchers.h"

namespace hourglass::hsm {
namespace {

using testing::ElementsAre;

constexpr const char* kEnvironment[] = {"PATH=/bin",
                                        "SECRET=s",
                                        "TOKEN_PIN=1",
                                        "OTHER_PIN=2",
                                        "TPM2_PKCS11_STORE=/t",
                                        "SOFTHSM2_CONF=/c",
                                        "LD_PRELOAD=/x.so",
                                        "VENDOR_X=y",
                                        "PATHOLOGY=no",
                                        "PIN",
                                        "P11_KIT_DEBUG=all",
                                        "CREDENTIALS_DIRECTORY=/run/credentials",
                                        nullptr};

std::vector<std::string> Of(const std::string& pin_source,
                            const std::vector<std::string>& more = {}) {
  const auto token =
      ParseTokenUri("pkcs11:token=t?module-path=/usr/lib/m.so&pin-source=" + pin_source);
  EXPECT_OK(token);
  return WorkerEnvironment(*token, more, kEnvironment);
}

TEST(WorkerEnvironmentTest, HoldsWhatAModuleNeedsAndNoOtherPin) {
  EXPECT_THAT(Of("file:/etc/pin"), ElementsAre("PATH=/bin", "TPM2_PKCS11_STORE=/t",
                                               "SOFTHSM2_CONF=/c", "P11_KIT_DEBUG=all"));
  EXPECT_THAT(Of("env:TOKEN_PIN"), ElementsAre("PATH=/bin", "TOKEN_PIN=1", "TPM2_PKCS11_STORE=/t",
                                               "SOFTHSM2_CONF=/c", "P11_KIT_DEBUG=all"));
  EXPECT_THAT(Of("credential:pin"),
              ElementsAre("PATH=/bin", "TPM2_PKCS11_STORE=/t", "SOFTHSM2_CONF=/c",
                          "P11_KIT_DEBUG=all", "CREDENTIALS_DIRECTORY=/run/credentials"));
}

TEST(WorkerEnvironmentTest, HoldsWhatTheConfigurationNames) {
  EXPECT_THAT(Of("file:/etc/pin", {"VENDOR_X"}),
              ElementsAre("PATH=/bin", "TPM2_PKCS11_STORE=/t", "SOFTHSM2_CONF=/c", "VENDOR_X=y",
                          "P11_KIT_DEBUG=all"));
}

TEST(WorkerEnvironmentTest, OfATpm) {
  TpmConnection tpm;
  EXPECT_THAT(
      WorkerEnvironment(tpm, {}, kEnvironment),
      ElementsAre("PATH=/bin", "TPM2_PKCS11_STORE=/t", "SOFTHSM2_CONF=/c", "P11_KIT_DEBUG=all"));
  tpm.pin_source = PinSource{PinSource::Kind::kEnvironment, "OTHER_PIN"};
  EXPECT_THAT(WorkerEnvironment(tpm, {}, kEnvironment),
              ElementsAre("PATH=/bin", "OTHER_PIN=2", "TPM2_PKCS11_STORE=/t", "SOFTHSM2_CONF=/c",
                          "P11_KIT_DEBUG=all"));
}

}  // namespace
}  // namespace hourglass::hsm
