#include "issuance/edge/listening_sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/loopback.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

TEST(ListenOnTest, TakesAFreePortAndIsReached) {
  for (const char* host : {"127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::]"}) {
    const auto listening = ListenOn(absl::StrCat(host, ":0"));
    ASSERT_OK(listening) << host;
    EXPECT_GT(listening->port, 0);
    const bool is_ipv6 = host == absl::string_view("[::1]");
    EXPECT_TRUE(ConnectTo(is_ipv6 ? "::1" : "127.0.0.1", listening->port).valid()) << host;
  }
}

// Both families, whichever of the two says "every address".
TEST(ListenOnTest, EveryAddressIsOfBothFamilies) {
  for (const char* host : {"0.0.0.0", "[::]"}) {
    const auto listening = ListenOn(absl::StrCat(host, ":0"));
    ASSERT_OK(listening);
    EXPECT_TRUE(ConnectTo("127.0.0.1", listening->port).valid()) << host;
    EXPECT_TRUE(ConnectTo("::1", listening->port).valid()) << host;
  }
  const auto ipv4 = ListenOn("127.0.0.1:0");
  ASSERT_OK(ipv4);
  EXPECT_FALSE(ConnectTo("::1", ipv4->port).valid());
}

TEST(ListenOnTest, APortIsNotShared) {
  for (const char* host : {"127.0.0.1", "0.0.0.0", "[::1]"}) {
    const auto first = ListenOn(absl::StrCat(host, ":0"));
    ASSERT_OK(first);
    const std::string address = absl::StrCat(host, ":", first->port);
    const auto second = ListenOn(address);
    EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(second.status().message()),
                HasSubstr(absl::StrCat("cannot listen on ", address, ": Address already in use")));
  }
}

TEST(ListenOnTest, SaysWhatTheSystemSays) {
  // TEST-NET-1 of RFC 5737: no machine has it.
  EXPECT_THAT(std::string(ListenOn("192.0.2.1:0").status().message()),
              HasSubstr("Cannot assign requested address"));
  EXPECT_THAT(std::string(ListenOn("no-such-name.invalid:0").status().message()),
              HasSubstr("cannot listen on no-such-name.invalid:0: "));
}

}  // namespace
}  // namespace hourglass::issuance
