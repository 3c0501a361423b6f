// What of a database the configuration says, and how its mistakes are told.
#include "issuance/config/store_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "issuance/config/testing/load_config_test.h"
#include "issuance/config/testing/parse_config.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

// All that is required, of a server over TLS and of a socket.
constexpr char kRemote[] =
    "replica: a, servers: ['db1.example:5432'], database: hourglass, user: hourglass, "
    "ca_file: db-ca.pem";
constexpr char kSocket[] =
    "replica: a, servers: [/run/postgresql], database: hourglass, user: hourglass, plain: true";

std::string Section(const std::string& fields) {
  return absl::StrCat("store: {postgresql: {", fields, "}}");
}

absl::StatusOr<PostgresqlConfig> Parsed(const std::string& fields) {
  const auto config = ParseConfig(absl::StrCat(kSmallest, Section(fields), "\n"), "/etc/h.yaml");
  if (!config.ok()) return config.status();
  return config->store.postgresql.value_or(PostgresqlConfig());
}

// What is wrong with these fields, in the ninth line.
std::string Mistakes(const std::string& fields) {
  return absl::StrReplaceAll(MistakesWithLine(Section(fields)),
                             {{"/etc/h.yaml:9: store.postgresql", "9"}});
}
std::string MistakesBeside(absl::string_view sound, const std::string& more) {
  return Mistakes(absl::StrCat(sound, ", ", more));
}

TEST(StoreConfigTest, SqliteIsTheDefaultAndNeedsNothing) {
  ASSERT_OK_AND_ASSIGN(const Config config, ParseConfig(kSmallest, "/etc/h.yaml"));
  EXPECT_FALSE(config.store.postgresql.has_value());
}

TEST(StoreConfigTest, TheLeastIsWhereWhoAndByWhichAuthority) {
  ASSERT_OK_AND_ASSIGN(const PostgresqlConfig config, Parsed(kRemote));
  ASSERT_EQ(config.servers.size(), 1u);
  EXPECT_EQ(config.servers[0].host, "db1.example");
  EXPECT_EQ(config.servers[0].port, 5432);
  EXPECT_EQ(config.replica, "a");
  EXPECT_EQ(config.database, "hourglass");
  EXPECT_EQ(config.user, "hourglass");
  EXPECT_EQ(config.password_file, "");
  EXPECT_EQ(config.ca_file, "/etc/db-ca.pem");
  EXPECT_FALSE(config.plain);
  EXPECT_TRUE(config.demands_standby());
  EXPECT_FALSE(config.system_identifier.has_value());
  EXPECT_EQ(config.operation_timeout, std::chrono::seconds(5));
  EXPECT_EQ(config.connections, 4);
  EXPECT_EQ(config.largest_clock_difference, std::chrono::seconds(30));
}

TEST(StoreConfigTest, ReadsEveryField) {
  ASSERT_OK_AND_ASSIGN(const Config config, ParseConfig(absl::StrCat(kSmallest, R"(store:
  postgresql:
    replica: berlin-2
    servers: ["db1.example:5432", "[2001:db8::1]:5433"]
    database: ca
    user: issuer
    password_file: db.password
    ca_file: db-ca.pem
    certificate_file: db.pem
    key_file: /keys/db.key
    plain: false
    synchronous_standby: waived
    waiver_reason: a laboratory without a second machine
    system_identifier: "7312345678901234567"
    operation_timeout: 1500ms
    connections: 16
    largest_clock_difference: 5s
)"),
                                                        "/etc/h.yaml"));
  ASSERT_TRUE(config.store.postgresql.has_value());
  const PostgresqlConfig& read = *config.store.postgresql;
  EXPECT_EQ(read.replica, "berlin-2");
  ASSERT_EQ(read.servers.size(), 2u);
  EXPECT_EQ(read.servers[1].host, "2001:db8::1");
  EXPECT_EQ(read.servers[1].port, 5433);
  EXPECT_EQ(read.database, "ca");
  EXPECT_EQ(read.user, "issuer");
  EXPECT_EQ(read.password_file, "/etc/db.password");
  EXPECT_EQ(read.certificate_file, "/etc/db.pem");
  EXPECT_EQ(read.key_file, "/keys/db.key");
  EXPECT_FALSE(read.demands_standby());
  EXPECT_EQ(read.waiver_reason, "a laboratory without a second machine");
  EXPECT_EQ(read.system_identifier, "7312345678901234567");
  EXPECT_EQ(read.operation_timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(read.connections, 16);
  EXPECT_EQ(read.largest_clock_difference, std::chrono::seconds(5));
}

TEST(StoreConfigTest, SaysWhatLacks) {
  EXPECT_EQ(Mistakes("plain: true"),
            "9.replica: is missing\n9.servers: is missing\n9.database: is missing\n"
            "9.user: is missing");
  EXPECT_EQ(MistakesWithLine("store: {}"), "/etc/h.yaml:9: store: is empty");
  EXPECT_EQ(MistakesWithLine("store: {sqlite: {}}"),
            "/etc/h.yaml:9: store.postgresql: is missing\n"
            "/etc/h.yaml:9: store.sqlite: unknown field");
}

TEST(StoreConfigTest, AServerIsAnAddressOrTheFolderOfASocket) {
  const auto with = [](const std::string& servers) {
    return absl::StrReplaceAll(kRemote, {{"['db1.example:5432']", servers}});
  };
  constexpr char kForm[] =
      ": must be host:port, port 1 to 65535, or the folder of a socket, which begins with /";
  EXPECT_EQ(Mistakes(with("[db1.example]")), absl::StrCat("9.servers[0]", kForm));
  EXPECT_EQ(Mistakes(with("['db1.example:5432', 'db2.example:0']")),
            absl::StrCat("9.servers[1]", kForm));
  EXPECT_EQ(Mistakes(with("['a:1', 'b:1', 'a:1']")), "9.servers[2]: is listed twice");
  EXPECT_EQ(Mistakes(with("[]")), "9.servers: must be a list with at least one value");
  ASSERT_OK_AND_ASSIGN(const PostgresqlConfig socket, Parsed(kSocket));
  EXPECT_EQ(socket.servers[0].host, "/run/postgresql");
  EXPECT_EQ(socket.servers[0].port, 5432);
  ASSERT_OK_AND_ASSIGN(
      const PostgresqlConfig other,
      Parsed(absl::StrReplaceAll(kSocket, {{"/run/postgresql", "'/run/postgresql:54321'"}})));
  EXPECT_EQ(other.servers[0].host, "/run/postgresql");
  EXPECT_EQ(other.servers[0].port, 54321);
}

// The password, and who connects to which network, would be heard by others.
TEST(StoreConfigTest, OnlyThisMachineGoesWithoutTls) {
  EXPECT_EQ(
      Mistakes("replica: a, servers: ['db1.example:5432'], database: d, user: u, plain: true"),
      "9.plain: is for sockets and loopback only, and servers names others");
  EXPECT_EQ(Mistakes("replica: a, servers: ['127.0.0.1.example:1'], database: d, user: u, "
                     "plain: true"),
            "9.plain: is for sockets and loopback only, and servers names others");
  for (const char* here : {"127.0.0.1:1", "127.9.0.7:1", "localhost:1", "[::1]:1"}) {
    EXPECT_OK(Parsed(
        absl::StrCat("replica: a, servers: ['", here, "'], database: d, user: u, plain: true")));
  }
  EXPECT_EQ(Mistakes("replica: a, servers: [/run/postgresql], database: d, user: u, ca_file: c"),
            "9.servers: names a socket, which has no TLS: set plain: true");
  EXPECT_EQ(Mistakes("replica: a, servers: ['127.0.0.1:1'], database: d, user: u"),
            "9.ca_file: is missing");
  EXPECT_EQ(MistakesBeside(kSocket, "ca_file: c, certificate_file: d, key_file: e"),
            "9.ca_file: does nothing while plain is true\n"
            "9.certificate_file: does nothing while plain is true\n"
            "9.key_file: does nothing while plain is true");
  EXPECT_EQ(MistakesBeside(kRemote, "key_file: e"), "9.key_file: takes certificate_file, too");
  EXPECT_EQ(MistakesBeside(kRemote, "certificate_file: e"),
            "9.certificate_file: takes key_file, too");
}

TEST(StoreConfigTest, WhoWaivesTheStandbySaysWhy) {
  EXPECT_OK(Parsed(absl::StrCat(kSocket, ", synchronous_standby: required")));
  EXPECT_EQ(MistakesBeside(kSocket, "synchronous_standby: waived"),
            "9.synchronous_standby: takes waiver_reason: why certificates may be forgotten with "
            "the server");
  EXPECT_EQ(MistakesBeside(kSocket, "synchronous_standby: waived, waiver_reason: no"),
            "9.waiver_reason: must be 10 to 256 octets of words");
  for (const char* standby : {"", "synchronous_standby: required, "}) {
    EXPECT_EQ(MistakesBeside(kSocket, absl::StrCat(standby, "waiver_reason: a laboratory")),
              "9.waiver_reason: does nothing unless synchronous_standby is waived");
  }
  EXPECT_EQ(MistakesBeside(kSocket, "synchronous_standby: off"),
            "9.synchronous_standby: must be one of required, waived");
}

TEST(StoreConfigTest, RefusesMalformedFields) {
  const auto named = [](const std::string& replica) {
    return Mistakes(absl::StrReplaceAll(kSocket, {{"replica: a", "replica: " + replica}}));
  };
  constexpr char kForm[] = "9.replica: must be 1 to 40 characters a-z, 0-9 and inner hyphens";
  EXPECT_EQ(named("A"), kForm);
  EXPECT_EQ(named("a-"), kForm);
  EXPECT_EQ(named(std::string(41, 'a')), kForm);
  EXPECT_OK(Parsed(absl::StrReplaceAll(
      kSocket, {{"replica: a", std::string("replica: ") + std::string(40, 'a')}})));
  EXPECT_EQ(Mistakes(absl::StrReplaceAll(kSocket,
                                         {{"user: hourglass", "user: " + std::string(64, 'u')}})),
            "9.user: must be at most 63 octets");
  for (const char* identifier : {"abc", "'-1'", "0", "99999999999999999999"}) {
    EXPECT_EQ(MistakesBeside(kSocket, absl::StrCat("system_identifier: ", identifier)),
              "9.system_identifier: must be the decimal number that pg_controldata shows as the "
              "database's")
        << identifier;
  }
  EXPECT_EQ(MistakesBeside(kSocket, "connections: 0"),
            "9.connections: must be a whole number, 1 to 64");
  EXPECT_EQ(MistakesBeside(kSocket, "operation_timeout: 499ms"),
            "9.operation_timeout: must be a duration such as 500ms, 2s, 60m, 24h or 3d, 500ms to "
            "1m");
  EXPECT_EQ(MistakesBeside(kSocket, "largest_clock_difference: 61s"),
            "9.largest_clock_difference: must be a duration such as 500ms, 2s, 60m, 24h or 3d, 1s "
            "to 1m");
  EXPECT_EQ(MistakesBeside(kSocket, "pasword_file: p"),
            "9.pasword_file: unknown field, did you mean password_file?");
}

class StoreFilesTest : public LoadConfigTest {
 protected:
  void SetUp() override {
    MakeCertificate("db-ca");
    MakeCertificate("db");
    WriteSecret("db.password", "correct horse\n");
    Replace("compliance:\n", R"(store:
  postgresql:
    replica: a
    servers: ['db1.example:5432']
    database: hourglass
    user: hourglass
    password_file: db.password
    ca_file: db-ca.pem
    certificate_file: db.pem
    key_file: db.key
compliance:
)");
  }

  // Without the place, which is the same for all.
  std::string MistakesInStore() {
    return absl::StrReplaceAll(LoadConfigTest::Mistakes(), {{"store.postgresql.", ""}});
  }
};

TEST_F(StoreFilesTest, TakesFilesThatAreSound) {
  EXPECT_OK(LoadConfig(file_));
  ASSERT_OK_AND_ASSIGN(const std::string password,
                       ReadPasswordFile(directory_.File("db.password")));
  EXPECT_EQ(password, "correct horse");
}

TEST_F(StoreFilesTest, APasswordIsOneLineThatNobodyElseReads) {
  const std::string path = directory_.File("db.password");
  chmod(path.c_str(), 0640);
  EXPECT_EQ(MistakesInStore(),
            "FILE:20: password_file: may be read by others than its owner, chmod 600 it");
  EXPECT_THAT(ReadPasswordFile(path),
              FailsWith(ErrorReason::kConfigurationInvalid, "store.postgresql.password_file"));
  constexpr char kForm[] =
      "FILE:20: password_file: must hold one line of 1 to 1000 octets, the password";
  for (const std::string& content :
       {std::string(), std::string("\n"), std::string("a\nb\n"), std::string("a\n\n"),
        std::string("a\0b", 3), std::string(1001, 'x')}) {
    WriteSecret("db.password", content);
    EXPECT_EQ(MistakesInStore(), kForm) << content.size();
  }
  for (const char* ending : {"", "\n", "\r\n"}) {
    WriteSecret("db.password", absl::StrCat(" s p ", ending));
    ASSERT_OK_AND_ASSIGN(const std::string password, ReadPasswordFile(path));
    EXPECT_EQ(password, " s p ");
  }
  unlink(path.c_str());
  EXPECT_EQ(MistakesInStore(), "FILE:20: password_file: cannot be read: No such file or directory");
}

TEST_F(StoreFilesTest, LooksAtTheFilesOfTls) {
  directory_.Write("db-ca.pem", "none");
  EXPECT_EQ(MistakesInStore(), "FILE:21: ca_file: holds no certificate in PEM");
  MakeCertificate("db-ca");
  Replace("key_file: db.key", "key_file: server.key");
  EXPECT_EQ(MistakesInStore(),
            "FILE:23: key_file: does not belong to the first certificate of certificate_file");
  chmod(directory_.File("server.key").c_str(), 0644);
  EXPECT_THAT(MistakesInStore(),
              testing::HasSubstr("FILE:23: key_file: may be read by others than its owner"));
}

}  // namespace
}  // namespace hourglass::issuance
