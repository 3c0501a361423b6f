#include "issuance/server/start_check.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "issuance/base/clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

class StartCheckTest : public testing::Test {
 protected:
  StartCheckTest() {
    config_.listen = "127.0.0.1:0";
    Caller broker;
    broker.name = "broker";
    broker.identity = "dns:broker.local";
    broker.roles = {Role::kBroker};
    broker.tenants = {"contoso"};
    config_.callers = {broker};
    config_.keys.software_directory = directory_.File("keys");
    mkdir(config_.keys.software_directory.c_str(), 0700);
  }

  std::string Says(TakenAddress taken = TakenAddress::kRefused) const {
    return std::string(CheckStart(config_, SystemClock(), taken).message());
  }

  TemporaryDirectory directory_;
  Config config_;
};

TEST_F(StartCheckTest, TakesWhatWillStart) {
  config_.metrics_listen = "localhost:0";
  EXPECT_OK(CheckStart(config_, SystemClock(), TakenAddress::kRefused));
}

TEST_F(StartCheckTest, SaysWhyAnAddressCannotBeListenedOn) {
  // RFC 1112, 4: of no machine.
  config_.listen = "240.0.0.1:0";
  EXPECT_EQ(Says(), "cannot listen on 240.0.0.1:0: Cannot assign requested address");
  EXPECT_EQ(Says(TakenAddress::kFine), Says());
  config_.metrics_listen = "240.0.0.2:0";
  EXPECT_EQ(Says(), "cannot listen on 240.0.0.2:0 for metrics: Cannot assign requested address");
}

TEST_F(StartCheckTest, AnAddressThatIsTakenMayBeTheServiceItself) {
  const int other = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(other, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(other, 1), 0);
  ASSERT_EQ(getsockname(other, reinterpret_cast<sockaddr*>(&address), &size), 0);
  config_.listen = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  EXPECT_THAT(Says(), HasSubstr("Address already in use"));
  EXPECT_OK(CheckStart(config_, SystemClock(), TakenAddress::kFine));
  close(other);
}

TEST_F(StartCheckTest, LooksAtThePlacesOfKeys) {
  chmod(config_.keys.software_directory.c_str(), 0777);
  EXPECT_THAT(CheckStart(config_, SystemClock(), TakenAddress::kFine),
              FailsWith(ErrorReason::kConfigurationInvalid, "keys.software_directory"));
}

}  // namespace
}  // namespace hourglass::issuance
