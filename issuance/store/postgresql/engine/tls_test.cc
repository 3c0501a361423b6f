// Whom a connection over TLS trusts.
#include "issuance/store/postgresql/engine/connection.h"
#include "tests/support/mutual_tls.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::HasSubstr;

class TlsTest : public testing::Test {
 protected:
  void ExpectRefused(const ConnectionParameters& parameters, const char* says) {
    const auto connection = Connection::Open(parameters);
    EXPECT_THAT(connection, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(std::string(connection.status().message()), HasSubstr(says));
  }

  PostgresqlCluster& cluster_ = PostgresqlCluster::Shared();
  ConnectionParameters parameters_ = cluster_.TlsServiceOf("postgres");
};

TEST_F(TlsTest, TrustsAServerOfTheCaWithTheName) {
  ASSERT_OK_AND_ASSIGN(const auto connection, Connection::Open(parameters_));
  ASSERT_OK_AND_ASSIGN(Rows rows,
                       connection->Query("SELECT ssl, version FROM pg_stat_ssl WHERE pid = "
                                         "pg_backend_pid()"));
  ASSERT_TRUE(rows.Next());
  EXPECT_TRUE(rows.TakeBoolean());
  EXPECT_EQ(rows.TakeOctets(), "TLSv1.3");
}

TEST_F(TlsTest, TrustsAServerByItsAddress) {
  parameters_.servers[0].host = "127.0.0.1";
  parameters_.servers[0].address = "";
  EXPECT_OK(Connection::Open(parameters_));
}

TEST_F(TlsTest, RefusesAnotherName) {
  parameters_.servers[0].host = "other.test";
  ExpectRefused(parameters_, "does not match host name \"other.test\"");
}

TEST_F(TlsTest, RefusesAnotherCa) {
  const MutualTls other;
  parameters_.ca_file = other.trusted_roots_file();
  ExpectRefused(parameters_, "certificate verify failed");
}

TEST_F(TlsTest, RefusesACaFileThatIsNotThere) {
  parameters_.ca_file = "/nowhere/ca.pem";
  ExpectRefused(parameters_, "does not exist");
}

TEST_F(TlsTest, RefusesASocketInTheFileSystem) {
  parameters_.servers = cluster_.ServiceOf("postgres").servers;
  ExpectRefused(parameters_, "no TLS");
}

TEST_F(TlsTest, AServerMayRefuseWhoDoesWithout) {
  parameters_.transport = Transport::kPlain;
  ExpectRefused(parameters_, "no encryption");
}

TEST_F(TlsTest, RefusesHalfAClientCertificate) {
  parameters_.certificate_file = parameters_.ca_file;
  ExpectRefused(parameters_, "go together");
}

TEST_F(TlsTest, ShowsAClientCertificate) {
  // The server asks for none here, and so trusts no CA of clients: what is shown is not looked at.
  MutualTls clients;
  const TlsCredential client = clients.Client("DNS:client.test");
  parameters_.certificate_file = client.certificate_file;
  parameters_.key_file = client.private_key_file;
  EXPECT_OK(Connection::Open(parameters_));
  parameters_.key_file = "/nowhere/key.pem";
  ExpectRefused(parameters_, "/nowhere/key.pem");
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
