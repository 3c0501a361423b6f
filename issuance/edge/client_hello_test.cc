#include "issuance/edge/client_hello.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "hsm/base/openssl.h"

namespace hourglass::issuance {
namespace {

using SslContextPtr = OpensslPtr<SSL_CTX, SSL_CTX_free>;
using SslPtr = OpensslPtr<SSL, SSL_free>;

// What OpenSSL sends first, and what it says that its random is.
struct Hello {
  std::string octets;
  std::string random;
};

Hello OpensslHello(int version) {
  const SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_max_proto_version(context.get(), version);
  const SslPtr ssl(SSL_new(context.get()));
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), in, out);
  EXPECT_NE(SSL_connect(ssl.get()), 1);
  Hello hello;
  hello.octets.resize(4096);
  const int size = BIO_read(out, hello.octets.data(), static_cast<int>(hello.octets.size()));
  hello.octets.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  hello.random.resize(SSL3_RANDOM_SIZE);
  SSL_get_client_random(ssl.get(), reinterpret_cast<unsigned char*>(hello.random.data()),
                        hello.random.size());
  return hello;
}

TEST(ClientRandomOfTest, IsWhatOpensslSaysItIs) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Hello hello = OpensslHello(version);
    ASSERT_GE(hello.octets.size(), kHelloPrefixSize);
    EXPECT_EQ(ClientRandomOf(hello.octets), hello.random);
    EXPECT_EQ(ClientRandomOf(hello.octets.substr(0, kHelloPrefixSize)), hello.random);
    EXPECT_EQ(ClientRandomOf(hello.octets.substr(0, kHelloPrefixSize - 1)), std::nullopt);
  }
}

TEST(ClientRandomOfTest, NothingElseHasOne) {
  const Hello hello = OpensslHello(TLS1_3_VERSION);
  ASSERT_TRUE(ClientRandomOf(hello.octets).has_value());
  // Record type and version, its length, handshake type, legacy_version.
  for (const std::size_t at : {0, 1, 5, 9}) {
    std::string other = hello.octets;
    other[at] ^= 1;
    EXPECT_EQ(ClientRandomOf(other), std::nullopt) << at;
  }
  std::string cut = hello.octets;
  cut[3] = 0;
  cut[4] = static_cast<char>(kHelloPrefixSize - 5 - 1);
  EXPECT_EQ(ClientRandomOf(cut), std::nullopt);
  cut[4] = static_cast<char>(kHelloPrefixSize - 5);
  EXPECT_EQ(ClientRandomOf(cut), hello.random);
  EXPECT_EQ(ClientRandomOf("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n and whatever follows it"),
            std::nullopt);
  EXPECT_EQ(ClientRandomOf(""), std::nullopt);
}

}  // namespace
}  // namespace hourglass::issuance
