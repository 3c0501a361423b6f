// How to use TestCa: a TLS server that demands our certificates, and a client that has one, both in
// this process.
#include "tests/support/mutual_tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <string>

#include "ca/testing/test_ca.h"
#include "hsm/base/openssl.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using SslContextPtr = OpensslPtr<SSL_CTX, SSL_CTX_free>;
using SslPtr = OpensslPtr<SSL, SSL_free>;

X509Ptr ReadCertificate(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return X509Ptr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

EvpPkeyPtr ReadKey(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return EvpPkeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

SslContextPtr MakeContext(const std::string& certificate_pem, const std::string& key_pem,
                          const std::string& trusted_pem) {
  SslContextPtr context(SSL_CTX_new(TLS_method()));
  EXPECT_EQ(SSL_CTX_use_certificate(context.get(), ReadCertificate(certificate_pem).get()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), ReadKey(key_pem).get()), 1);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), ReadCertificate(trusted_pem).get());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return context;
}

struct Handshake {
  bool server_is_content;
  long verify_result;  // X509_V_OK or why the server refused the client's certificate
};

// Lets both sides talk through memory until neither has more to say.
Handshake Shake(SSL_CTX* server_context, SSL_CTX* client_context, int version) {
  const SslPtr server(SSL_new(server_context)), client(SSL_new(client_context));
  BIO *server_end = nullptr, *client_end = nullptr;
  BIO_new_bio_pair(&server_end, 0, &client_end, 0);
  SSL_set_bio(server.get(), server_end, server_end);
  SSL_set_bio(client.get(), client_end, client_end);
  SSL_set_accept_state(server.get());
  SSL_set_connect_state(client.get());
  SSL_set_max_proto_version(client.get(), version);
  SSL_set_min_proto_version(client.get(), version);
  for (int round = 0; round < 8; ++round) {
    SSL_do_handshake(client.get());
    SSL_do_handshake(server.get());
  }
  DrainOpensslErrors();
  return {SSL_is_init_finished(server.get()) == 1, SSL_get_verify_result(server.get())};
}

class MutualTlsTest : public testing::TestWithParam<int> {
 protected:
  Handshake Connect(const ca::TestCa& trusted, const ca::TestCertificate& user) {
    const TlsCredential credential = others_.Server();
    const SslContextPtr server =
        MakeContext(ReadFileOrDie(credential.certificate_file),
                    ReadFileOrDie(credential.private_key_file), trusted.root_pem());
    const SslContextPtr client = MakeContext(user.certificate_pem, user.private_key_pem,
                                             ReadFileOrDie(others_.trusted_roots_file()));
    return Shake(server.get(), client.get(), GetParam());
  }

  // Makes the server's own certificate, which is not what Hourglass issues.
  MutualTls others_;
};

TEST_P(MutualTlsTest, TheServerLetsOurCertificateIn) {
  ca::TestCa ca;
  const ca::TestCertificate user = ca.Issue("alice@contoso.example");
  const Handshake handshake = Connect(ca, user);
  EXPECT_TRUE(handshake.server_is_content);
  EXPECT_EQ(handshake.verify_result, X509_V_OK);
}

TEST_P(MutualTlsTest, NotThatOfAnotherCa) {
  ca::TestCa ca, other;
  const Handshake handshake = Connect(ca, other.Issue("alice@contoso.example"));
  EXPECT_FALSE(handshake.server_is_content);
  EXPECT_EQ(handshake.verify_result, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
}

TEST_P(MutualTlsTest, NotAnExpiredOne) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  ca::TestCa ca({.now = now - std::chrono::hours(2)});
  const Handshake handshake = Connect(ca, ca.Issue("alice@contoso.example"));
  EXPECT_FALSE(handshake.server_is_content);
  EXPECT_EQ(handshake.verify_result, X509_V_ERR_CERT_HAS_EXPIRED);
}

INSTANTIATE_TEST_SUITE_P(Versions, MutualTlsTest, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

}  // namespace
}  // namespace hourglass
