#include "issuance/edge/peer_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

namespace hourglass::issuance {
namespace {

PeerAddress Ipv4(const char* text) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(40123);
  EXPECT_EQ(inet_pton(AF_INET, text, &address.sin_addr), 1);
  sockaddr_storage storage = {};
  std::memcpy(&storage, &address, sizeof(address));
  return PeerAddressOf(storage);
}

PeerAddress Ipv6(const char* text) {
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(40123);
  EXPECT_EQ(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
  sockaddr_storage storage = {};
  std::memcpy(&storage, &address, sizeof(address));
  return PeerAddressOf(storage);
}

TEST(PeerAddressTest, NamesAreThoseOfGrpc) {
  EXPECT_EQ(Ipv4("192.0.2.7").name, "ipv4:192.0.2.7:40123");
  EXPECT_EQ(Ipv6("2001:db8::7").name, "ipv6:%5B2001:db8::7%5D:40123");
  EXPECT_EQ(Ipv6("::ffff:192.0.2.7").name, "ipv4:192.0.2.7:40123");
}

TEST(PeerAddressTest, ASourceIsAnIpv4AddressOrA64OfIpv6) {
  EXPECT_EQ(Ipv4("192.0.2.7").source, Ipv6("::ffff:192.0.2.7").source);
  EXPECT_NE(Ipv4("192.0.2.7").source, Ipv4("192.0.2.8").source);
  EXPECT_EQ(Ipv6("2001:db8:1:2::7").source, Ipv6("2001:db8:1:2:ffff::").source);
  EXPECT_NE(Ipv6("2001:db8:1:2::7").source, Ipv6("2001:db8:1:3::7").source);
  EXPECT_NE(Ipv4("0.0.0.0").source, Ipv6("::").source);
}

TEST(PeerAddressTest, OtherFamiliesHaveNone) {
  sockaddr_storage local = {};
  local.ss_family = AF_UNIX;
  EXPECT_EQ(PeerAddressOf(local).name, "");
  EXPECT_EQ(PeerAddressOf(local).source, "");
}

}  // namespace
}  // namespace hourglass::issuance
