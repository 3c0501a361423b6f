#include "issuance/base/host_port.h"

#include <gtest/gtest.h>

namespace hourglass::issuance {
namespace {

TEST(ParseHostPortTest, ReadsNamesAndAddresses) {
  const auto expect = [](const char* text, const char* host, int port) {
    const auto parsed = ParseHostPort(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(parsed->host, host);
    EXPECT_EQ(parsed->port, port);
  };
  expect("127.0.0.1:0", "127.0.0.1", 0);
  expect("ca.contoso.example:8443", "ca.contoso.example", 8443);
  expect("localhost:65535", "localhost", 65535);
  expect("[::1]:443", "::1", 443);
  expect("[::ffff:127.0.0.1]:443", "::ffff:127.0.0.1", 443);
}

TEST(ParseHostPortTest, RefusesAnythingElse) {
  for (const char* bad :
       {"", ":", "localhost", "localhost:", ":443", "localhost:65536", "localhost:-1",
        "localhost:x", "localhost:443 ", "local host:443", "::1:443", "[::1]", "[]:443", "[::1:443",
        "::1]:443", "[name]:443", "https://ca:443", "unix:/run/x", "host:000443"}) {
    EXPECT_FALSE(ParseHostPort(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace hourglass::issuance
