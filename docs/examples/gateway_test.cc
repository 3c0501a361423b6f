// How to test a gateway with Hourglass: it lets in whoever has a certificate for conditional
// access, and says why it refuses any other. Put your gateway in the place of the one here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "ca/testing/refused_certificates.h"
#include "ca/testing/test_ca.h"

namespace {

using hourglass::ca::Flaw;
using hourglass::ca::IssueFlawed;
using hourglass::ca::TestCa;
using hourglass::ca::TestCertificate;

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* handle) const {
    kFree(handle);
  }
};
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Freed<SSL_free>>;
using File = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Purposes = std::unique_ptr<EXTENDED_KEY_USAGE, Freed<EXTENDED_KEY_USAGE_free>>;

File Open(const std::string& pem) {
  return File(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// Of one side: what it shows, and whom it trusts. The other must show a certificate, too.
Context ContextFor(const TestCertificate& own, const std::string& trust_bundle_pem) {
  Context context(SSL_CTX_new(TLS_method()));
  const File chain = Open(own.chain_pem), key_file = Open(own.private_key_pem);
  const Certificate leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  SSL_CTX_use_certificate(context.get(), leaf.get());
  while (X509* above = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    SSL_CTX_add_extra_chain_cert(context.get(), above);
  }
  const Key key(PEM_read_bio_PrivateKey(key_file.get(), nullptr, nullptr, nullptr));
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), key.get()), 1);
  const File bundle = Open(trust_bundle_pem);
  while (X509* root = PEM_read_bio_X509(bundle.get(), nullptr, nullptr, nullptr)) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), root);
    X509_free(root);
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return context;
}

// The one under test: a TLS server that wants a certificate of a trusted root, and the OID in it.
class Gateway {
 public:
  Gateway(const TestCertificate& own, const std::string& trust_bundle_pem)
      : context_(ContextFor(own, trust_bundle_pem)) {}

  // Does the handshake through memory: `welcome`, or why not. The client takes the gateway for
  // itself only by a root of `client_trusts_pem`.
  std::string Admit(const TestCertificate& user, const std::string& client_trusts_pem) const {
    const Context client_context = ContextFor(user, client_trusts_pem);
    const Connection server(SSL_new(context_.get())), client(SSL_new(client_context.get()));
    // The gateway of this example shows a client's certificate, as a TestCa makes no other. Without
    // this line the client wants a server's.
    SSL_set_purpose(client.get(), X509_PURPOSE_SSL_CLIENT);
    BIO *server_end = nullptr, *client_end = nullptr;
    BIO_new_bio_pair(&server_end, 0, &client_end, 0);
    SSL_set_bio(server.get(), server_end, server_end);
    SSL_set_bio(client.get(), client_end, client_end);
    SSL_set_accept_state(server.get());
    SSL_set_connect_state(client.get());
    for (int round = 0; round < 8; ++round) {
      SSL_do_handshake(client.get());
      SSL_do_handshake(server.get());
    }
    const long gateway_verified = SSL_get_verify_result(client.get());
    if (gateway_verified != X509_V_OK) {
      return std::string("the client: ") + X509_verify_cert_error_string(gateway_verified);
    }
    const long verified = SSL_get_verify_result(server.get());
    if (verified != X509_V_OK) return X509_verify_cert_error_string(verified);
    if (SSL_is_init_finished(server.get()) != 1) return "no handshake";
    return IsForConditionalAccess(server.get()) ? "welcome" : "not for conditional access";
  }

 private:
  static bool IsForConditionalAccess(const SSL* connection) {
    const Certificate peer(SSL_get1_peer_certificate(connection));
    const Purposes purposes(static_cast<EXTENDED_KEY_USAGE*>(
        X509_get_ext_d2i(peer.get(), NID_ext_key_usage, nullptr, nullptr)));
    for (int i = 0; purposes != nullptr && i < sk_ASN1_OBJECT_num(purposes.get()); ++i) {
      char oid[80];
      OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(purposes.get(), i), 1);
      if (std::string(oid) == "1.3.6.1.4.1.311.87") return true;
    }
    return false;
  }

  const Context context_;
};

class GatewayTest : public testing::Test {
 protected:
  std::string Admit(const TestCertificate& user) {
    return Gateway(own_, ca_.trust_bundle_pem()).Admit(user, gateway_ca_.trust_bundle_pem());
  }

  TestCa ca_;
  // Of the gateway's own certificate; put your servers' in its place.
  TestCa gateway_ca_;
  const TestCertificate own_ = gateway_ca_.Issue("gateway@contoso.example");
};

TEST_F(GatewayTest, LetsTheGoodCertificateIn) {
  EXPECT_EQ(Admit(ca_.Issue("alice@contoso.example")), "welcome");
}

TEST_F(GatewayTest, RefusesAnExpiredOne) {
  EXPECT_EQ(Admit(IssueFlawed(ca_, Flaw::kExpired)), "certificate has expired");
}

TEST_F(GatewayTest, RefusesThatOfAnotherRoot) {
  EXPECT_EQ(Admit(IssueFlawed(ca_, Flaw::kOtherRoot)), "unable to get local issuer certificate");
}

TEST_F(GatewayTest, RefusesAForgery) {
  EXPECT_EQ(Admit(IssueFlawed(ca_, Flaw::kForged)), "certificate signature failure");
}

TEST_F(GatewayTest, RefusesOneWithoutTheOid) {
  EXPECT_EQ(Admit(IssueFlawed(ca_, Flaw::kWithoutTheOid)), "not for conditional access");
}

TEST_F(GatewayTest, RefusesOneWithAnOidThatOnlyBeginsAlike) {
  EXPECT_EQ(Admit(IssueFlawed(ca_, Flaw::kOidThatBeginsAlike)), "not for conditional access");
}

}  // namespace
