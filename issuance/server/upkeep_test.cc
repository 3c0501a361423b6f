#include "issuance/server/upkeep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "issuance/base/entropy.h"
#include "issuance/log/testing/captured_log.h"
#include "issuance/rotation/trust_bundles.h"
#include "tests/support/manual_clock.h"
#include "tests/support/manual_kernel_time.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;

class UpkeepTest : public testing::Test {
 protected:
  void SetUp() override {
    // No file of TLS is there.
    config_.data_directory = directory_.path();
    config_.tls = {directory_.File("absent"), directory_.File("absent"), directory_.File("absent")};
    config_.compliance.tls = config_.tls;
    config_.compliance.endpoint = "compliance.example:443";
    const CommandResult made =
        RunCommand({"openssl", "req", "-x509", "-nodes", "-subj", "/CN=server", "-days", "3",
                    "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout",
                    directory_.File("key"), "-out", directory_.File("pem")});
    ASSERT_EQ(made.exit_code, 0) << made.output;
    ends_soon_.certificate = ends_soon_.trusted_roots = ReadFileOrDie(directory_.File("pem"));
    hsm::KeyStoreOptions options;
    options.software_directory = directory_.File("keys");
    ASSERT_OK_AND_ASSIGN(keys_, hsm::KeyStore::Create(options));
  }

  // Of which certificates it is said that they end soon, from a start to its stop.
  std::vector<std::string> WatchedWith(const ServiceTls& tls) {
    CapturedLog log;
    {
      auto state = ServiceState::Start(config_, {&clock_, &kernel_, &entropy_}, &log_);
      EXPECT_OK(state);
      Tenants tenants((*state)->store(), keys_.get(), IssuingConfig(),
                      std::map<std::string, IssuingConfig>());
      TrustBundles bundles((*state)->store(), keys_.get(), EventLog::Silent());
      const AccessTokens tokens({}, &clock_, &log_);
      EXPECT_OK(Upkeep::Start(config_, tls,
                              {.state = state->get(),
                               .keys = keys_.get(),
                               .tenants = &tenants,
                               .roots = nullptr,  // nobody's policy rotates
                               .bundles = &bundles,
                               .counts = &counts_,
                               .tokens = &tokens,
                               .log = log.log()}));
    }
    std::vector<std::string> watched;
    for (const LoggedLine& line : log.Take()) {
      if (line.at("event") == "certificate_ends_soon") watched.push_back(line.at("certificate"));
    }
    return watched;
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  ManualKernelTime kernel_{&clock_};
  SystemEntropy entropy_;
  const EventLog log_ = EventLog::Silent();
  Config config_;
  TlsMaterial ends_soon_;
  std::unique_ptr<hsm::KeyStore> keys_;
  ServiceCounts counts_;
};

// Whoever puts a new certificate in the file has not yet put it in use.
TEST_F(UpkeepTest, WatchesTheCertificatesInUseAndNotTheFiles) {
  EXPECT_THAT(WatchedWith({.own = ends_soon_, .compliance = std::nullopt}),
              ElementsAre("tls.certificate", "tls.trusted_roots"));
  EXPECT_THAT(WatchedWith({.own = {}, .compliance = ends_soon_}),
              ElementsAre("compliance.tls.certificate", "compliance.tls.trusted_roots"));
}

}  // namespace
}  // namespace hourglass::issuance
