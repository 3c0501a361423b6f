#include "issuance/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kSmallest[] = R"(listen: 127.0.0.1:0
data_directory: data
tls: {certificate: server.pem, private_key: server.key, trusted_roots: clients.pem}
callers:
  - {name: broker, identity: "dns:broker.local", roles: [broker], tenants: [contoso]}
keys: {software_directory: keys}
compliance: {embedded: {policy_directory: policies}}
)";

constexpr char kEverything[] = R"(listen: "[::1]:8443"
address_file: run/address
data_directory: /var/lib/hourglass
tls:
  certificate: server.pem
  private_key: server.key
  trusted_roots: clients.pem
  revocation_lists: [callers.crl, /etc/lists/other.crl]
callers:
  - name: broker
    identity: dns:Broker.Local
    roles: [broker, device_reporter]
    tenants: [contoso, fabrikam]
    not_before: 2026-11-28T12:00:00Z
    refused: ["sha256:ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789"]
  - name: cli
    identity: uri:spiffe://contoso/cli
    roles: [administrator, auditor]
    tenants: ["*"]
keys:
  tokens:
    - pkcs11:token=hourglass?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=env:PIN
  software_directory: keys
  sessions_per_token: 4
  tpm:
    tcti: swtpm:path=/run/tpm
    sealed_directory: sealed
    pin_source: credential:tpm-pin
    registers: [0, 7, 23]
  workers_per_token: 2
  hang_timeout: 1500ms
  keyholder: bin/keyholder
  environment: [VENDOR_LIBRARY_CONF, _v2]
issuing:
  lifetime: 30m
  backdate: 0s
  no_rev_avail: false
  sid_uri: false
  accepted_keys: {ec_p384: false, rsa: true, min_rsa_bits: 3072, max_rsa_bits: 3072}
tenants:
  fabrikam:
    lifetime: 2h
    accepted_keys: {rsa: false}
    upn_domains: [Fabrikam.example, münchen.example]
compliance:
  endpoint: compliance.contoso.example:8444
  tls: {certificate: c.pem, private_key: c.key, trusted_roots: c-roots.pem}
  deadline: 500ms
limits: {workers: 8, queue_length: 16, loaded_tenants: 300, connections: 64, connections_per_source: 32}
journal: {retention: 400d}
metrics: {listen: 127.0.0.1:9464}
log_level: debug
log_personal_data: false
)";

// What ParseConfig says of `text`, which must be wrong.
std::string MistakesOf(const std::string& text) {
  const auto config = ParseConfig(text, "/etc/h.yaml");
  EXPECT_THAT(config, FailsWith(ErrorReason::kConfigurationInvalid)) << text;
  return std::string(config.status().message());
}

// What ParseConfig says of the smallest configuration with `from` replaced by `to`.
std::string MistakesWith(const std::string& from, const std::string& to) {
  EXPECT_THAT(std::string(kSmallest), HasSubstr(from));
  return MistakesOf(absl::StrReplaceAll(kSmallest, {{from, to}}));
}

// The same with `line`, the ninth, added.
std::string MistakesWithLine(const std::string& line) {
  return MistakesOf(absl::StrCat(kSmallest, "# one\n", line, "\n"));
}

TEST(ParseConfigTest, ReadsTheSmallestWithDefaults) {
  ASSERT_OK_AND_ASSIGN(const Config config, ParseConfig(kSmallest, "/etc/h/h.yaml"));
  EXPECT_EQ(config.listen, "127.0.0.1:0");
  EXPECT_EQ(config.address_file, "");
  EXPECT_EQ(config.data_directory, "/etc/h/data");
  EXPECT_EQ(config.tls.certificate, "/etc/h/server.pem");
  EXPECT_EQ(config.tls.private_key, "/etc/h/server.key");
  EXPECT_EQ(config.tls.trusted_roots, "/etc/h/clients.pem");
  ASSERT_EQ(config.callers.size(), 1u);
  EXPECT_EQ(config.callers[0].name, "broker");
  EXPECT_EQ(config.callers[0].identity, "dns:broker.local");
  EXPECT_THAT(config.callers[0].roles, ElementsAre(Role::kBroker));
  EXPECT_THAT(config.callers[0].tenants, ElementsAre("contoso"));
  EXPECT_FALSE(config.callers[0].all_tenants);
  EXPECT_THAT(config.keys.tokens, testing::IsEmpty());
  EXPECT_EQ(config.keys.software_directory, "/etc/h/keys");
  EXPECT_EQ(config.keys.sessions_per_token, 8);
  EXPECT_FALSE(config.keys.tpm.has_value());
  EXPECT_EQ(config.keys.workers_per_token, 0);
  EXPECT_EQ(config.keys.hang_timeout, std::chrono::seconds(2));
  EXPECT_EQ(config.keys.keyholder_program, "");
  EXPECT_EQ(config.issuing.profile.lifetime, std::chrono::minutes(60));
  EXPECT_EQ(config.issuing.profile.backdate, std::chrono::minutes(5));
  EXPECT_TRUE(config.issuing.profile.no_rev_avail);
  EXPECT_FALSE(config.issuing.profile.sid_uri);
  EXPECT_TRUE(config.issuing.key_policy.allow_ec_p256);
  EXPECT_TRUE(config.issuing.key_policy.allow_ec_p384);
  EXPECT_TRUE(config.issuing.key_policy.allow_rsa);
  EXPECT_EQ(config.issuing.key_policy.min_rsa_bits, 2048);
  EXPECT_EQ(config.issuing.key_policy.max_rsa_bits, 4096);
  EXPECT_TRUE(config.tenants.empty());
  EXPECT_EQ(config.compliance.policy_directory, "/etc/h/policies");
  EXPECT_EQ(config.compliance.endpoint, "");
  EXPECT_EQ(config.compliance.deadline, std::chrono::seconds(2));
  EXPECT_EQ(config.limits.workers, 32);
  EXPECT_EQ(config.limits.queue_length, 1024);
  EXPECT_EQ(config.limits.loaded_tenants, 20000);
  EXPECT_FALSE(config.journal.retention.has_value()) << "nothing is deleted unasked";
  EXPECT_EQ(config.metrics_listen, "");
  EXPECT_EQ(config.log_level, "info");
  EXPECT_TRUE(config.log_personal_data);
}

TEST(ParseConfigTest, ReadsEveryField) {
  ASSERT_OK_AND_ASSIGN(const Config config, ParseConfig(kEverything, "/etc/h/h.yaml"));
  EXPECT_EQ(config.listen, "[::1]:8443");
  EXPECT_EQ(config.address_file, "/etc/h/run/address");
  EXPECT_EQ(config.data_directory, "/var/lib/hourglass");
  ASSERT_EQ(config.callers.size(), 2u);
  EXPECT_EQ(config.callers[0].identity, "dns:broker.local");
  EXPECT_THAT(config.callers[0].roles, ElementsAre(Role::kBroker, Role::kDeviceReporter));
  EXPECT_THAT(config.callers[0].tenants, ElementsAre("contoso", "fabrikam"));
  EXPECT_EQ(config.callers[1].identity, "uri:spiffe://contoso/cli");
  EXPECT_EQ(config.callers[0].not_before,
            std::chrono::sys_days(std::chrono::year(2026) / 11 / 28) + std::chrono::hours(12));
  EXPECT_THAT(
      config.callers[0].refused,
      ElementsAre("sha256:abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"));
  EXPECT_THAT(config.revocation_lists, ElementsAre("/etc/h/callers.crl", "/etc/lists/other.crl"));
  EXPECT_EQ(config.limits.connections, 64);
  EXPECT_EQ(config.limits.connections_per_source, 32);
  EXPECT_EQ(config.callers[1].not_before, std::nullopt);
  EXPECT_TRUE(config.callers[1].all_tenants);
  EXPECT_THAT(config.callers[1].tenants, testing::IsEmpty());
  EXPECT_THAT(config.keys.tokens,
              ElementsAre("pkcs11:token=hourglass?module-path=/usr/lib/softhsm/libsofthsm2.so&"
                          "pin-source=env:PIN"));
  EXPECT_EQ(config.keys.sessions_per_token, 4);
  ASSERT_TRUE(config.keys.tpm.has_value());
  EXPECT_EQ(config.keys.tpm->tcti, "swtpm:path=/run/tpm");
  EXPECT_EQ(config.keys.tpm->sealed_directory, "/etc/h/sealed");
  EXPECT_EQ(config.keys.tpm->pin_source, "credential:tpm-pin");
  EXPECT_THAT(config.keys.tpm->registers, ElementsAre(0, 7, 23));
  EXPECT_EQ(config.keys.workers_per_token, 2);
  EXPECT_EQ(config.keys.hang_timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(config.keys.keyholder_program, "/etc/h/bin/keyholder");
  EXPECT_THAT(config.keys.keyholder_environment, ElementsAre("VENDOR_LIBRARY_CONF", "_v2"));
  EXPECT_EQ(config.compliance.policy_directory, "");
  EXPECT_EQ(config.compliance.endpoint, "compliance.contoso.example:8444");
  EXPECT_EQ(config.compliance.server_name, "compliance.contoso.example");
  EXPECT_EQ(config.compliance.tls.trusted_roots, "/etc/h/c-roots.pem");
  EXPECT_EQ(config.compliance.deadline, std::chrono::milliseconds(500));
  EXPECT_EQ(config.limits.workers, 8);
  EXPECT_EQ(config.limits.queue_length, 16);
  EXPECT_EQ(config.limits.loaded_tenants, 300);
  EXPECT_EQ(config.journal.retention, std::chrono::hours(24 * 400));
  EXPECT_EQ(config.metrics_listen, "127.0.0.1:9464");
  EXPECT_EQ(config.log_level, "debug");
  EXPECT_FALSE(config.log_personal_data);
}

TEST(ParseConfigTest, ATenantReplacesSingleFields) {
  ASSERT_OK_AND_ASSIGN(const Config config, ParseConfig(kEverything, "/etc/h/h.yaml"));
  EXPECT_EQ(config.issuing.profile.lifetime, std::chrono::minutes(30));
  EXPECT_EQ(config.issuing.profile.backdate, std::chrono::seconds(0));
  EXPECT_FALSE(config.issuing.profile.no_rev_avail);
  EXPECT_TRUE(config.issuing.key_policy.allow_rsa);

  ASSERT_EQ(config.tenants.size(), 1u);
  const IssuingConfig& fabrikam = config.tenants.at("fabrikam");
  EXPECT_EQ(fabrikam.profile.lifetime, std::chrono::hours(2));
  EXPECT_EQ(fabrikam.profile.backdate, std::chrono::seconds(0));
  EXPECT_FALSE(fabrikam.profile.no_rev_avail);
  EXPECT_TRUE(fabrikam.key_policy.allow_ec_p256);
  EXPECT_FALSE(fabrikam.key_policy.allow_ec_p384);
  EXPECT_FALSE(fabrikam.key_policy.allow_rsa);
  EXPECT_EQ(fabrikam.key_policy.min_rsa_bits, 3072);
  EXPECT_TRUE(config.issuing.upn_domains.empty());
  EXPECT_OK(fabrikam.upn_domains.Check("a@fabrikam.EXAMPLE"));
  EXPECT_OK(fabrikam.upn_domains.Check("a@xn--mnchen-3ya.example"));
  EXPECT_THAT(fabrikam.upn_domains.Check("a@contoso.example"),
              FailsWith(ErrorReason::kUpnNotOfTenant, "user.upn"));
}

TEST(ParseConfigTest, RefusesDomainsOfUsers) {
  const auto mistakes = [](const std::string& domains) {
    return MistakesWithLine("tenants: {contoso: {upn_domains: " + domains + "}}");
  };
  EXPECT_EQ(mistakes("[contoso.example, \"*.contoso.example\"]"),
            "/etc/h.yaml:9: tenants.contoso.upn_domains[1]: is no domain of users: it has U+002A, "
            "which no domain may have");
  EXPECT_EQ(mistakes("[contoso.example, CONTOSO.example]"),
            "/etc/h.yaml:9: tenants.contoso.upn_domains[1]: appears twice");
  EXPECT_EQ(mistakes("[]"),
            "/etc/h.yaml:9: tenants.contoso.upn_domains: must be a list with at least one value");
  // A wall is of one tenant.
  EXPECT_EQ(MistakesWithLine("issuing: {upn_domains: [contoso.example]}"),
            "/etc/h.yaml:9: issuing.upn_domains: unknown field");
}

TEST(ParseConfigTest, RefusesCallersWithNamesThatAreNotSeen) {
  EXPECT_EQ(MistakesWith("name: broker,", "name: \"bro\u202eker\","),
            "/etc/h.yaml:5: callers[0].name: has U+202E, which is a format character");
}

TEST(ParseConfigTest, NamesEveryMissingField) {
  EXPECT_EQ(MistakesOf("log_level: info\n"),
            "/etc/h.yaml:1: listen: is missing\n"
            "/etc/h.yaml:1: data_directory: is missing\n"
            "/etc/h.yaml:1: tls: is missing\n"
            "/etc/h.yaml:1: callers: is missing\n"
            "/etc/h.yaml:1: keys: is missing\n"
            "/etc/h.yaml:1: compliance: is missing");
  EXPECT_EQ(MistakesWith("certificate: server.pem, private_key: server.key, ", ""),
            "/etc/h.yaml:3: tls.certificate: is missing\n"
            "/etc/h.yaml:3: tls.private_key: is missing");
  EXPECT_EQ(MistakesWith(R"(name: broker, identity: "dns:broker.local", roles: [broker], )", ""),
            "/etc/h.yaml:5: callers[0].name: is missing\n"
            "/etc/h.yaml:5: callers[0].identity: is missing\n"
            "/etc/h.yaml:5: callers[0].roles: is missing");
  EXPECT_EQ(MistakesWith(", tenants: [contoso]", ""),
            "/etc/h.yaml:5: callers[0].tenants: is missing");
  EXPECT_EQ(MistakesWith("software_directory: keys", "sessions_per_token: 1"),
            "/etc/h.yaml:6: keys: must have tokens, tpm or software_directory");
}

TEST(ParseConfigTest, RefusesUnknownAndRepeatedFields) {
  EXPECT_EQ(MistakesWith("listen:", "lisen:"),
            "/etc/h.yaml:1: listen: is missing\n"
            "/etc/h.yaml:1: lisen: unknown field, did you mean listen?");
  EXPECT_EQ(MistakesWithLine("log_levle: info"),
            "/etc/h.yaml:9: log_levle: unknown field, did you mean log_level?");
  EXPECT_EQ(MistakesWithLine("plaintext: true"), "/etc/h.yaml:9: plaintext: unknown field");
  EXPECT_EQ(MistakesWithLine("listen: 127.0.0.1:1"),
            "/etc/h.yaml:9: listen: appears twice, first in line 1");
  EXPECT_EQ(MistakesWith("{embedded: {", "{embedded: {cache: 5m, "),
            "/etc/h.yaml:7: compliance.embedded.cache: unknown field");
  EXPECT_EQ(MistakesWithLine("tenants: {contoso: {lifetime: 1h, lifetime: 2h}}"),
            "/etc/h.yaml:9: tenants.contoso.lifetime: appears twice, first in line 9");
}

// Whoever writes it believes that it does something.
TEST(ParseConfigTest, RefusesWhatDoesNothing) {
  EXPECT_EQ(MistakesWithLine("issuing: {sid_uri: true}"),
            "/etc/h.yaml:9: issuing.sid_uri: does nothing yet: there is no source of SIDs, so no "
            "certificate would carry one");
  EXPECT_OK(ParseConfig(absl::StrCat(kSmallest, "issuing: {sid_uri: false}\n"), "/etc/h.yaml"));
  EXPECT_THAT(MistakesWithLine("tenants: {contoso: {sid_uri: true}}"),
              HasSubstr("tenants.contoso.sid_uri: does nothing yet"));
  EXPECT_EQ(MistakesWithLine("issuing: {accepted_keys: {rsa: false, min_rsa_bits: 3072}}"),
            "/etc/h.yaml:9: issuing.accepted_keys.min_rsa_bits: does nothing while rsa is false");
  EXPECT_EQ(MistakesWithLine("issuing: {sub_key: {lifetime: 12h}}"),
            "/etc/h.yaml:9: issuing.sub_key.lifetime: does nothing while enabled is false");
  EXPECT_OK(ParseConfig(absl::StrCat(kSmallest,
                                     "issuing: {sub_key: {lifetime: 12h}}\n"
                                     "tenants: {contoso: {sub_key: {enabled: true}}}\n"),
                        "/etc/h.yaml"));
  EXPECT_EQ(MistakesWithLine("tenants: {contoso: {sub_key: {key_type: ec-p384}}}"),
            "/etc/h.yaml:9: tenants.contoso.sub_key.key_type: does nothing while enabled is false");
  EXPECT_EQ(MistakesWith("software_directory: keys", "software_directory: keys, in_process: true"),
            "/etc/h.yaml:6: keys.in_process: does nothing without tokens or tpm");
  EXPECT_EQ(MistakesWith("software_directory: keys", "software_directory: keys, hang_timeout: 3s"),
            "/etc/h.yaml:6: keys.hang_timeout: does nothing without tokens or tpm");
  EXPECT_EQ(MistakesWith("software_directory: keys", "software_directory: keys, environment: [A]"),
            "/etc/h.yaml:6: keys.environment: does nothing without tokens or tpm");
  EXPECT_EQ(MistakesWith("software_directory: keys",
                         "tpm: {tcti: t}, in_process: true, environment: [A]"),
            "/etc/h.yaml:6: keys.environment: does nothing with in_process");
  EXPECT_EQ(MistakesWith("software_directory: keys",
                         "tpm: {tcti: \"swtpm:path=/s\"}, in_process: true, workers_per_token: 2"),
            "/etc/h.yaml:6: keys.workers_per_token: does nothing with in_process");
  EXPECT_EQ(MistakesWith("software_directory: keys", "tpm: {registers: [7]}"),
            "/etc/h.yaml:6: keys.tpm.registers: does nothing without sealed_directory: only sealed "
            "keys are bound");
  EXPECT_EQ(MistakesWith("tenants: [contoso]", "tenants: [contoso, contoso]"),
            "/etc/h.yaml:5: callers[0].tenants[1]: appears twice");
}

TEST(ParseConfigTest, ATpmHasDefaultsAndNoSealedKeys) {
  ASSERT_OK_AND_ASSIGN(
      const Config config,
      ParseConfig(absl::StrReplaceAll(kSmallest, {{"software_directory: keys",
                                                   "tpm: {tcti: \"device:/dev/tpmrm0\"}"}}),
                  "/etc/h.yaml"));
  ASSERT_TRUE(config.keys.tpm.has_value());
  EXPECT_EQ(config.keys.tpm->tcti, "device:/dev/tpmrm0");
  EXPECT_EQ(config.keys.tpm->sealed_directory, "");
  EXPECT_EQ(config.keys.tpm->pin_source, "");
  EXPECT_THAT(config.keys.tpm->registers, testing::IsEmpty());
}

TEST(ParseConfigTest, RefusesMalformedKeyPlaces) {
  const auto with = [](const std::string& field) {
    return MistakesWith("software_directory: keys", field);
  };
  EXPECT_EQ(with("tpm: {sealed_directory: s, registers: [0, 24]}"),
            "/etc/h.yaml:6: keys.tpm.registers[1]: must be a number from 0 to 23");
  EXPECT_EQ(with("tpm: {sealed_directory: s, registers: [x]}"),
            "/etc/h.yaml:6: keys.tpm.registers[0]: must be a number from 0 to 23");
  EXPECT_EQ(with("tpm: {sealed_directory: s, registers: [7, 7]}"),
            "/etc/h.yaml:6: keys.tpm.registers[1]: must be more than the one before it");
  EXPECT_EQ(with("tpm: {pin_source: '8642'}"),
            "/etc/h.yaml:6: keys.tpm.pin_source: must be file:ABSOLUTE-PATH, env:NAME or "
            "credential:NAME");
  EXPECT_EQ(with("tpm: {tcti: ''}"), "/etc/h.yaml:6: keys.tpm.tcti: is empty");
  EXPECT_EQ(with("tpm: {pin: 1}"), "/etc/h.yaml:6: keys.tpm.pin: unknown field");
  EXPECT_EQ(with("tpm: {tcti: t}, workers_per_token: 0"),
            "/etc/h.yaml:6: keys.workers_per_token: must be a whole number, 1 to 64");
  EXPECT_EQ(
      with("tpm: {tcti: t}, hang_timeout: 99ms"),
      "/etc/h.yaml:6: keys.hang_timeout: must be a duration such as 500ms, 2s, 60m, 24h or 3d, "
      "100ms to 1m");
  for (const char* name : {"1A", "A=b", "A B", "A-B"}) {
    EXPECT_EQ(with(absl::StrCat("tpm: {tcti: t}, environment: [A, ", name, "]")),
              "/etc/h.yaml:6: keys.environment[1]: must be the name of a variable: A-Z a-z 0-9 "
              "and _")
        << name;
  }
  EXPECT_EQ(with("tpm: {tcti: t}, environment: [A, A]"),
            "/etc/h.yaml:6: keys.environment[1]: appears twice");
  // Or one token's key holders would have another's PIN.
  for (const char* name : {"PIN_T", "PIN_2", "CREDENTIALS_DIRECTORY"}) {
    EXPECT_EQ(with(absl::StrCat("tpm: {tcti: t, pin_source: 'env:PIN_T'}, tokens: ['pkcs11:token=a?"
                                "module-path=/m.so&pin-source=env:PIN_2'], environment: [",
                                name, "]")),
              "/etc/h.yaml:6: keys.environment[0]: leads to a PIN: those get it that need that PIN")
        << name;
  }
  EXPECT_EQ(with("tpm: {tcti: t}, in_process: true, keyholder: k"),
            "/etc/h.yaml:6: keys.keyholder: is not used with in_process");
  EXPECT_EQ(MistakesWithLine("metrics: {listen: 9464}"),
            "/etc/h.yaml:9: metrics.listen: must be host:port, port 0 to 65535");
  EXPECT_EQ(MistakesWithLine("metrics: {}"), "/etc/h.yaml:9: metrics: is empty");
}

TEST(ParseConfigTest, ReadsTheAccounts) {
  const std::string text = absl::StrCat(
      "account: hourglass\n",
      absl::StrReplaceAll(kSmallest, {{"{software_directory: keys}",
                                       "{tokens: ['pkcs11:token=a?module-path=/m.so&pin-source="
                                       "file:/pin'], account: hourglass-keys}"}}));
  ASSERT_OK_AND_ASSIGN(const Config config, ParseConfig(text, "/etc/h.yaml"));
  EXPECT_EQ(config.account, "hourglass");
  EXPECT_EQ(config.keys.keyholder_account, "hourglass-keys");
  ASSERT_OK_AND_ASSIGN(const Config smallest, ParseConfig(kSmallest, "/etc/h.yaml"));
  EXPECT_EQ(smallest.account, "");
  EXPECT_EQ(smallest.keys.keyholder_account, "");
}

// What only the service has is no secret from it.
TEST(ParseConfigTest, RefusesAccountsThatKeepNothingFromTheService) {
  const std::string line = "keys: {software_directory: keys}";
  EXPECT_EQ(
      MistakesWith(line, "keys: {tpm: {tcti: t}, account: k}"),
      "/etc/h.yaml:6: keys.account: does nothing where the service has none: set account, too");
  const auto with = [&](const std::string& keys) {
    return MistakesWith(line, absl::StrCat("account: h\nkeys: {", keys, ", account: k}"));
  };
  EXPECT_EQ(MistakesWith(line, "account: k\nkeys: {tpm: {tcti: t}, account: k}"),
            "/etc/h.yaml:7: keys.account: must be another than the service's");
  for (const char* pin : {"env:PIN", "credential:pin"}) {
    EXPECT_EQ(
        with(absl::StrCat("tokens: ['pkcs11:token=a?module-path=/m.so&pin-source=", pin, "']")),
        "/etc/h.yaml:7: keys.tokens[0]: pin-source must be a file: with keys.account, one of that "
        "account");
    EXPECT_EQ(with(absl::StrCat("tpm: {pin_source: '", pin, "'}")),
              "/etc/h.yaml:7: keys.tpm.pin_source: must be a file: with keys.account, one of that "
              "account");
  }
  EXPECT_EQ(with("tpm: {tcti: t}, in_process: true"),
            "/etc/h.yaml:7: keys.account: does nothing with in_process");
  EXPECT_EQ(with("software_directory: keys"),
            "/etc/h.yaml:7: keys.account: does nothing without tokens or tpm");
}

TEST(ParseConfigTest, RefusesMalformedFields) {
  EXPECT_EQ(MistakesWith("127.0.0.1:0", "8443"),
            "/etc/h.yaml:1: listen: must be host:port, port 0 to 65535");
  EXPECT_EQ(MistakesWithLine("log_level: verbose"),
            "/etc/h.yaml:9: log_level: must be one of debug, info, warning, error");
  EXPECT_EQ(MistakesWithLine("limits: {workers: 0, queue_length: 100001, loaded_tenants: 99}"),
            "/etc/h.yaml:9: limits.workers: must be a whole number, 1 to 1024\n"
            "/etc/h.yaml:9: limits.queue_length: must be a whole number, 1 to 100000\n"
            "/etc/h.yaml:9: limits.loaded_tenants: must be a whole number, 100 to 1000000");
  EXPECT_EQ(MistakesWithLine("journal: {retention: 23h}"),
            "/etc/h.yaml:9: journal.retention: must be a duration such as 500ms, 2s, 60m, 24h or "
            "3d, 1d to 36500d");
  EXPECT_EQ(
      MistakesWith("software_directory: keys", "tpm: {sealed_directory: s}, sessions_per_token: 0"),
      "/etc/h.yaml:6: keys.sessions_per_token: must be a whole number, 1 to 256");
  EXPECT_EQ(MistakesWith("  - {", "  - x\n  - {"),
            "/etc/h.yaml:5: callers[0]: must be a mapping of fields");
}

TEST(ParseConfigTest, RefusesLifetimesOutOfRange) {
  EXPECT_EQ(MistakesWithLine("issuing: {lifetime: 4m}"),
            "/etc/h.yaml:9: issuing.lifetime: must be a duration such as 500ms, 2s, 60m, 24h or "
            "3d, 5m to 1d");
  EXPECT_EQ(MistakesWithLine("tenants: {contoso: {lifetime: 25h}}"),
            "/etc/h.yaml:9: tenants.contoso.lifetime: must be a duration such as 500ms, 2s, 60m, "
            "24h or 3d, 5m to 1d");
  EXPECT_EQ(MistakesWithLine("issuing: {backdate: 61m}"),
            "/etc/h.yaml:9: issuing.backdate: must be a duration such as 500ms, 2s, 60m, 24h or "
            "3d, 0ms to 1h");
  EXPECT_EQ(MistakesWithLine("issuing: {lifetime: 300500ms}"),
            "/etc/h.yaml:9: issuing.lifetime: must be whole seconds");
}

TEST(ParseConfigTest, ASubKeyOutlivesItsCertificatesFourTimes) {
  EXPECT_EQ(MistakesWithLine("issuing: {lifetime: 6h, sub_key: {enabled: true, lifetime: 23h}}"),
            "/etc/h.yaml:9: issuing.sub_key.lifetime: must be at least four times the lifetime of "
            "the certificates");
  for (const char* sub_key : {"{enabled: true, lifetime: 24h, key_type: rsa-3072}",
                              "{enabled: false, lifetime: 23h, key_type: rsa-3072}"}) {
    ASSERT_OK_AND_ASSIGN(
        const Config config,
        ParseConfig(
            absl::StrCat(kSmallest, "\nissuing: {lifetime: 6h, sub_key: ", sub_key,
                         "}\ntenants: {fabrikam: {sub_key: {enabled: true, lifetime: 48h}}}\n"),
            "/etc/h.yaml"));
    EXPECT_EQ(config.issuing.sub_key.key_type, hsm::KeyType::kRsa3072);
    EXPECT_TRUE(config.tenants.at("fabrikam").sub_key.enabled);
    EXPECT_EQ(config.tenants.at("fabrikam").sub_key.lifetime, std::chrono::hours(48));
    EXPECT_EQ(config.tenants.at("fabrikam").sub_key.key_type, hsm::KeyType::kRsa3072);
  }
  EXPECT_FALSE(IssuingConfig().sub_key.enabled);
}

TEST(ParseConfigTest, RefusesKeyPoliciesThatAcceptNothing) {
  EXPECT_EQ(
      MistakesWithLine("issuing: {accepted_keys: {ec_p256: false, ec_p384: false, rsa: false}}"),
      "/etc/h.yaml:9: issuing.accepted_keys: must accept at least one of ec_p256, ec_p384 and rsa");
  EXPECT_EQ(
      MistakesWithLine("issuing: {accepted_keys: {min_rsa_bits: 4096, max_rsa_bits: 3072}}"),
      "/etc/h.yaml:9: issuing.accepted_keys.min_rsa_bits: must not be more than max_rsa_bits");
  EXPECT_EQ(MistakesWithLine("issuing: {accepted_keys: {min_rsa_bits: 1024}}"),
            "/etc/h.yaml:9: issuing.accepted_keys.min_rsa_bits: must be a whole number, 2048 to "
            "4096");
}

TEST(ParseConfigTest, RefusesUnsoundCallers) {
  constexpr char kRoles[] = "must be broker, administrator, auditor or device_reporter";
  EXPECT_EQ(MistakesWith("roles: [broker]", "roles: [admin, broker, broker]"),
            absl::StrCat("/etc/h.yaml:5: callers[0].roles[0]: ", kRoles,
                         "\n/etc/h.yaml:5: callers[0].roles[2]: appears twice"));
  EXPECT_EQ(MistakesWith("roles: [broker]", "roles: []"),
            "/etc/h.yaml:5: callers[0].roles: must be a list with at least one value");
  constexpr char kTenants[] =
      "must be 1 to 63 characters a-z, 0-9 and inner hyphens, or \"*\" alone for all";
  EXPECT_EQ(MistakesWith("[contoso]", "[contoso, '*']"),
            absl::StrCat("/etc/h.yaml:5: callers[0].tenants[1]: ", kTenants));
  EXPECT_EQ(MistakesWith("[contoso]", "[../x]"),
            absl::StrCat("/etc/h.yaml:5: callers[0].tenants[0]: ", kTenants));
  EXPECT_EQ(MistakesWith("dns:broker.local", "broker.local"),
            "/etc/h.yaml:5: callers[0].identity: must be dns:NAME, uri:URI or sha256: and 64 "
            "hexadecimal digits");
  constexpr char kSecond[] = "keys: {software_directory: keys}";
  EXPECT_EQ(MistakesWith(kSecond, absl::StrCat("  - {name: broker, identity: \"dns:BROKER.local\", "
                                               "roles: [auditor], tenants: [contoso]}\n",
                                               kSecond)),
            "/etc/h.yaml:6: callers[1].name: another caller has this name\n"
            "/etc/h.yaml:6: callers[1].identity: another caller has this identity");
}

TEST(ParseConfigTest, RefusesTenantsThatCannotBe) {
  EXPECT_EQ(
      MistakesWithLine("tenants: {Contoso: {lifetime: 1h}}"),
      "/etc/h.yaml:9: tenants.Contoso: must be 1 to 63 characters a-z, 0-9 and inner hyphens");
  EXPECT_EQ(MistakesWithLine("tenants: {contoso: 1h}"),
            "/etc/h.yaml:9: tenants.contoso: must be a mapping of fields");
}

TEST(ParseConfigTest, RefusesUnsoundTokens) {
  const auto with_token = [](const std::string& uri) {
    return MistakesWith("software_directory: keys", absl::StrCat("tokens: ['", uri, "']"));
  };
  constexpr char kToken[] = "pkcs11:token=a?module-path=/m.so&pin-source=env:PIN";
  EXPECT_THAT(with_token("token=a"), HasSubstr("/etc/h.yaml:6: keys.tokens[0]: "));
  const std::string with_pin = with_token("pkcs11:token=a?module-path=/m.so&pin-value=hunter2");
  EXPECT_THAT(with_pin, HasSubstr("/etc/h.yaml:6: keys.tokens[0]: "));
  EXPECT_THAT(with_pin, testing::Not(HasSubstr("hunter2")));
  EXPECT_EQ(with_token(absl::StrCat(kToken, "', '", kToken)),
            "/etc/h.yaml:6: keys.tokens[1]: appears twice");
}

TEST(ParseConfigTest, WantsOneComplianceService) {
  const std::string embedded = "{embedded: {policy_directory: policies}}";
  const std::string tls = "tls: {certificate: c.pem, private_key: c.key, trusted_roots: r.pem}";
  EXPECT_EQ(MistakesWith(embedded, "{deadline: 1s}"),
            "/etc/h.yaml:7: compliance: must have either embedded or endpoint");
  EXPECT_EQ(
      MistakesWith(embedded, "{embedded: {policy_directory: p}, endpoint: \"h:1\", " + tls + "}"),
      "/etc/h.yaml:7: compliance: must have either embedded or endpoint");
  EXPECT_EQ(MistakesWith(embedded, "{endpoint: \"h:1\"}"),
            "/etc/h.yaml:7: compliance.tls: is missing");
  EXPECT_EQ(MistakesWith(embedded, "{endpoint: \"h:0\", " + tls + "}"),
            "/etc/h.yaml:7: compliance.endpoint: must be host:port, port 1 to 65535");
  EXPECT_EQ(
      MistakesWith(embedded, "{embedded: {policy_directory: p}, server_name: h, " + tls + "}"),
      "/etc/h.yaml:7: compliance.tls: belongs to endpoint, which is not given\n"
      "/etc/h.yaml:7: compliance.server_name: belongs to endpoint, which is not given");
  EXPECT_EQ(MistakesWith(embedded, "{embedded: {policy_directory: p}, deadline: 0s}"),
            "/etc/h.yaml:7: compliance.deadline: must be a duration such as 500ms, 2s, 60m, 24h or "
            "3d, 10ms to 1m");
}

TEST(ParseConfigTest, SaysWhereTheYamlBreaks) {
  EXPECT_THAT(MistakesWith("[contoso]", "[contoso"), HasSubstr(": not valid YAML: "));
  EXPECT_EQ(MistakesOf(""), "/etc/h.yaml:1: the file is empty");
}

TEST(ParseConfigTest, SaysWhatIsWrongWithThoseShutOut) {
  const std::string identity = "identity: \"dns:broker.local\"";
  const auto mistakes = [&](const std::string& fields) {
    return MistakesWith(identity, absl::StrCat(identity, ", ", fields));
  };
  for (const char* time : {"yesterday", "2026-11-28", "2026-11-28T12:00:00+01:00"}) {
    EXPECT_THAT(mistakes(absl::StrCat("not_before: ", time)),
                HasSubstr("callers[0].not_before: must be "))
        << time;
  }
  EXPECT_EQ(
      mistakes("refused: [\"dns:broker.local\"]"),
      "/etc/h.yaml:5: callers[0].refused[0]: must be the SHA-256 of a certificate, sha256: and "
      "64 hexadecimal digits; it is no hexadecimal number");
  EXPECT_EQ(
      mistakes(absl::StrCat("refused: [\"", std::string(40, 'a'), "\"]")),
      "/etc/h.yaml:5: callers[0].refused[0]: must be the SHA-256 of a certificate, sha256: and "
      "64 hexadecimal digits; it has 40, as a SHA-1 fingerprint");
  std::string pasted = "SHA256 Fingerprint=AA";
  for (int i = 1; i < 32; ++i) absl::StrAppend(&pasted, ":AA");
  const std::string hash = absl::StrCat("\"sha256:", std::string(64, 'a'), "\"");
  for (const std::string& other : {hash, absl::StrCat("\"", pasted, "\"")}) {
    EXPECT_EQ(MistakesWith(identity, absl::StrCat("identity: ", hash, ", refused: [", other, "]")),
              "/etc/h.yaml:5: callers[0].refused[0]: is the caller's identity: take the caller out")
        << other;
  }
  EXPECT_THAT(MistakesWithLine("limits: {connections: 15}"),
              HasSubstr("limits.connections: must be a whole number, 16 to 100000"));
}

}  // namespace
}  // namespace hourglass::issuance
