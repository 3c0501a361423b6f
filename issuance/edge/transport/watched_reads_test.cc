#include "issuance/edge/transport/watched_reads.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/err.h>

#include <string>

#include "hsm/base/openssl.h"
#include "tests/support/mutual_tls.h"

namespace hourglass::issuance {
namespace {

using SslContextPtr = OpensslPtr<SSL_CTX, SSL_CTX_free>;
using SslPtr = OpensslPtr<SSL, SSL_free>;

// Two ends of a TLS connection in memory.
class WatchedReadsTest : public testing::Test {
 protected:
  WatchedReadsTest()
      : server_context_(SSL_CTX_new(TLS_server_method())),
        client_context_(SSL_CTX_new(TLS_client_method())) {
    const TlsCredential own = tls_.Server();
    SSL_CTX_use_certificate_chain_file(server_context_.get(), own.certificate_file.c_str());
    SSL_CTX_use_PrivateKey_file(server_context_.get(), own.private_key_file.c_str(),
                                SSL_FILETYPE_PEM);
    server_.reset(SSL_new(server_context_.get()));
    client_.reset(SSL_new(client_context_.get()));
    BIO* at_server = nullptr;
    BIO* at_client = nullptr;
    BIO_new_bio_pair(&at_server, 0, &at_client, 0);
    SSL_set_bio(server_.get(), at_server, at_server);
    SSL_set_bio(client_.get(), at_client, at_client);
    SSL_set_accept_state(server_.get());
    SSL_set_connect_state(client_.get());
    for (int i = 0; i < 10; ++i) {
      SSL_do_handshake(client_.get());
      SSL_do_handshake(server_.get());
    }
  }

  void Write(const std::string& text) {
    ASSERT_EQ(SSL_write(client_.get(), text.data(), static_cast<int>(text.size())),
              static_cast<int>(text.size()));
  }

  std::string Read() {
    ERR_clear_error();
    char octets[100];
    const int size = SSL_read(server_.get(), octets, sizeof(octets));
    return size > 0 ? std::string(octets, static_cast<std::size_t>(size)) : "";
  }

  MutualTls tls_;
  SslContextPtr server_context_;
  SslContextPtr client_context_;
  SslPtr server_;
  SslPtr client_;
};

// Lets everything pass but "bad".
class Recorder : public ReadWatcher {
 public:
  Recorder(std::string* seen, int* gone) : seen_(seen), gone_(gone) {}
  ~Recorder() override { ++*gone_; }
  bool OnRead(const SSL*, absl::string_view octets) override {
    seen_->append(octets.data(), octets.size());
    return octets != "bad";
  }

 private:
  std::string* const seen_;
  int* const gone_;
};

TEST_F(WatchedReadsTest, SeesWhatIsReadAndBreaksTheConnection) {
  EXPECT_TRUE(ReadsAreWatched());
  std::string seen;
  int gone = 0;
  ASSERT_TRUE(WatchReads(server_.get(), std::make_unique<Recorder>(&seen, &gone)));
  EXPECT_EQ(Read(), "");
  EXPECT_EQ(SSL_get_error(server_.get(), -1), SSL_ERROR_WANT_READ);
  Write("good");
  EXPECT_EQ(Read(), "good");
  Write("1");
  EXPECT_EQ(Read(), "1");
  Write("bad");
  EXPECT_EQ(Read(), "");
  EXPECT_EQ(SSL_get_error(server_.get(), -1), SSL_ERROR_SSL);
  // For good.
  Write("late");
  EXPECT_EQ(Read(), "");
  EXPECT_EQ(SSL_get_error(server_.get(), -1), SSL_ERROR_SSL);
  EXPECT_EQ(seen, "good1bad");
  EXPECT_EQ(gone, 0);
  server_.reset();
  EXPECT_EQ(gone, 1);
}

TEST_F(WatchedReadsTest, OthersAreReadAsEver) {
  Write("bad");
  EXPECT_EQ(Read(), "bad");
}

TEST_F(WatchedReadsTest, AnotherWatcherTakesThePlace) {
  std::string first;
  std::string second;
  int gone = 0;
  ASSERT_TRUE(WatchReads(server_.get(), std::make_unique<Recorder>(&first, &gone)));
  ASSERT_TRUE(WatchReads(server_.get(), std::make_unique<Recorder>(&second, &gone)));
  EXPECT_EQ(gone, 1);
  Write("good");
  EXPECT_EQ(Read(), "good");
  EXPECT_EQ(first, "");
  EXPECT_EQ(second, "good");
}

}  // namespace
}  // namespace hourglass::issuance
