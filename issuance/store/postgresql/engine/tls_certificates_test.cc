// Certificates of a server and of its clients, and how long they are good for.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "tests/support/as_account.h"
#include "tests/support/mutual_tls.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::HasSubstr;

constexpr int kAnHourAgo = -3600;

class TlsCertificatesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(const auto superuser, Superuser());
    ASSERT_OK_AND_ASSIGN(Rows rows, superuser->Query("SHOW data_directory"));
    ASSERT_TRUE(rows.Next());
    folder_ = rows.TakeOctets();
    parameters_ = cluster_->TlsServiceOf("postgres");
    parameters_.ca_file = tls_.trusted_roots_file();
  }

  absl::StatusOr<std::unique_ptr<Connection>> Superuser() {
    return Connection::Open(cluster_->SuperuserOf("postgres"));
  }

  std::string GiveToServer(const std::string& name, const std::string& file) {
    const auto given = WriteForNobody(absl::StrCat(folder_, "/", name), ReadFileOrDie(file));
    EXPECT_OK(given);
    return given.value_or("");
  }

  void Set(const std::string& parameter, const std::string& value) {
    ASSERT_OK_AND_ASSIGN(const auto superuser, Superuser());
    ASSERT_OK(superuser->Execute(absl::StrCat("ALTER SYSTEM SET ", parameter, " = '", value, "'")));
  }

  void Restart() {
    ASSERT_OK(cluster_->Crash());
    ASSERT_OK(cluster_->Run());
  }

  void ServeWith(const TlsCredential& server) {
    Set("ssl_cert_file", GiveToServer("served.pem", server.certificate_file));
    Set("ssl_key_file", GiveToServer("served.key", server.private_key_file));
    Restart();
  }

  void ExpectRefused(const char* says) {
    const auto connection = Connection::Open(parameters_);
    EXPECT_THAT(connection, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(std::string(connection.status().message()), HasSubstr(says));
  }

  const std::unique_ptr<PostgresqlCluster> cluster_ = PostgresqlCluster::Start().value();
  MutualTls tls_;
  std::string folder_;
  ConnectionParameters parameters_;
};

TEST_F(TlsCertificatesTest, AServersThatExpiredIsRefused) {
  ServeWith(tls_.ServerFor("DNS:db.test"));
  EXPECT_OK(Connection::Open(parameters_));
  ServeWith(tls_.ServerFor("DNS:db.test", kAnHourAgo));
  ExpectRefused("certificate verify failed");
}

TEST_F(TlsCertificatesTest, AClientsThatExpiredIsRefusedByTheServer) {
  Set("ssl_ca_file", GiveToServer("clients.pem", tls_.trusted_roots_file()));
  ASSERT_OK(WriteForNobody(absl::StrCat(folder_, "/pg_hba.conf"),
                           "local all all scram-sha-256\n"
                           "hostssl all all 127.0.0.0/8 scram-sha-256 clientcert=verify-ca\n"));
  ServeWith(tls_.ServerFor("DNS:db.test"));
  ExpectRefused("requires a valid client certificate");
  const auto show = [this](const TlsCredential& client) {
    parameters_.certificate_file = client.certificate_file;
    parameters_.key_file = client.private_key_file;
  };
  show(tls_.Client("DNS:client.test"));
  EXPECT_OK(Connection::Open(parameters_));
  show(tls_.ClientFor(kAnHourAgo, "DNS:client.test"));
  ExpectRefused("certificate expired");
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
