#include "issuance/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "issuance/config/testing/parse_config.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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
  strong_mapping: {san_uri: true, required: true}
  accepted_keys: {ec_p384: false, rsa: true, min_rsa_bits: 3072, max_rsa_bits: 3072}
  rotation: {mode: dry_run, stage_before_expiry: 90d, root_duration: 365d}
tenants:
  fabrikam:
    lifetime: 2h
    accepted_keys: {rsa: false}
    rotation: {mode: automatic}
    upn_domains: [Fabrikam.example, münchen.example]
compliance:
  endpoint: compliance.contoso.example:8444
  circuit: {failures: 20, open_for: 1m}
  tls: {certificate: c.pem, private_key: c.key, trusted_roots: c-roots.pem}
  deadline: 500ms
limits: {workers: 8, queue_length: 16, loaded_tenants: 300, connections: 64, connections_per_source: 32}
journal: {retention: 400d, decisions: 7d}
metrics: {listen: 127.0.0.1:9464}
log_level: debug
log_personal_data: false
)";

// What a tenant takes for who asks is read with the rest of the tenant, and its mistakes told so.
TEST(ParseConfigTest, ReadsByWhoseWordATenantGoes) {
  const std::string tenants = R"(tenants:
  fabrikam: {identity: asserted_by_broker}
  contoso:
    identity: access_token
    access_token:
      directory: 6babcaad-604b-40ac-a9d7-9fd97c0b779f
      audiences: [api://hourglass.example]
      brokers: [04b07795-8ddb-461a-bbee-02f9e1bf7b46]
      scopes: [Certificate.Issue]
      keys: {file: keys.json}
)";
  ASSERT_OK_AND_ASSIGN(const Config config,
                       ParseConfig(absl::StrCat(kSmallest, tenants), "/etc/h/h.yaml"));
  ASSERT_TRUE(config.identity.at("contoso").access_token.has_value());
  EXPECT_EQ(config.identity.at("contoso").access_token->keys.file, "/etc/h/keys.json");
  EXPECT_FALSE(config.identity.at("fabrikam").access_token.has_value());
  const auto refused = ParseConfig(
      absl::StrCat(kSmallest, "tenants: {contoso: {identity: token}}\n"), "/etc/h/h.yaml");
  EXPECT_THAT(refused, FailsWith(ErrorReason::kConfigurationInvalid));
  EXPECT_THAT(
      std::string(refused.status().message()),
      HasSubstr("tenants.contoso.identity: must be one of asserted_by_broker, access_token"));
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
  EXPECT_TRUE(config.issuing.strong_mapping.sid_extension);
  EXPECT_FALSE(config.issuing.strong_mapping.required);
  EXPECT_TRUE(config.issuing.key_policy.allow_ec_p256);
  EXPECT_TRUE(config.issuing.key_policy.allow_ec_p384);
  EXPECT_TRUE(config.issuing.key_policy.allow_rsa);
  EXPECT_EQ(config.issuing.key_policy.min_rsa_bits, 2048);
  EXPECT_EQ(config.issuing.key_policy.max_rsa_bits, 4096);
  EXPECT_TRUE(config.tenants.empty());
  EXPECT_EQ(config.compliance.policy_directory, "/etc/h/policies");
  EXPECT_EQ(config.compliance.endpoint, "");
  EXPECT_EQ(config.compliance.deadline, std::chrono::seconds(2));
  EXPECT_EQ(config.compliance.circuit.failures, 5);
  EXPECT_EQ(config.compliance.circuit.open_for, std::chrono::seconds(2));
  EXPECT_EQ(config.limits.workers, 32);
  EXPECT_EQ(config.limits.queue_length, 1024);
  EXPECT_EQ(config.limits.loaded_tenants, 20000);
  EXPECT_FALSE(config.journal.retention.has_value()) << "nothing is deleted unasked";
  EXPECT_EQ(config.journal.decisions, std::chrono::hours(24 * 30));
  EXPECT_EQ(config.metrics_listen, "");
  EXPECT_EQ(config.log_level, "info");
  EXPECT_TRUE(config.log_personal_data);
}

TEST(ParseConfigTest, TenantsMapByWhatIsSaidForAllUnlessTheySayOtherwise) {
  ASSERT_OK_AND_ASSIGN(const Config config, ParseConfig(absl::StrCat(kSmallest, R"(issuing:
  strong_mapping: {san_uri: true, required: true}
tenants:
  contoso: {strong_mapping: {required: false}}
  fabrikam: {strong_mapping: {sid_extension: false}}
)"),
                                                        "/etc/h/h.yaml"));
  EXPECT_TRUE(config.issuing.profile.sid_uri);
  EXPECT_TRUE(config.issuing.strong_mapping.required);
  const IssuingConfig& contoso = config.tenants.at("contoso");
  EXPECT_TRUE(contoso.strong_mapping.sid_extension);
  EXPECT_TRUE(contoso.profile.sid_uri);
  EXPECT_FALSE(contoso.strong_mapping.required);
  const IssuingConfig& fabrikam = config.tenants.at("fabrikam");
  EXPECT_FALSE(fabrikam.strong_mapping.sid_extension);
  EXPECT_FALSE(fabrikam.profile.sid_uri);
  EXPECT_FALSE(fabrikam.strong_mapping.required);
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
  EXPECT_EQ(config.issuing.rotation.mode, RotationMode::kDryRun);
  EXPECT_EQ(config.issuing.rotation.stage_before_expiry, std::chrono::hours(24 * 90));
  EXPECT_EQ(config.issuing.rotation.root_duration, std::chrono::hours(24 * 365));
  EXPECT_EQ(config.compliance.policy_directory, "");
  EXPECT_EQ(config.compliance.endpoint, "compliance.contoso.example:8444");
  EXPECT_EQ(config.compliance.server_name, "compliance.contoso.example");
  EXPECT_EQ(config.compliance.tls.trusted_roots, "/etc/h/c-roots.pem");
  EXPECT_EQ(config.compliance.deadline, std::chrono::milliseconds(500));
  EXPECT_EQ(config.compliance.circuit.failures, 20);
  EXPECT_EQ(config.compliance.circuit.open_for, std::chrono::minutes(1));
  EXPECT_EQ(config.limits.workers, 8);
  EXPECT_EQ(config.limits.queue_length, 16);
  EXPECT_EQ(config.limits.loaded_tenants, 300);
  EXPECT_EQ(config.journal.retention, std::chrono::hours(24 * 400));
  EXPECT_EQ(config.journal.decisions, std::chrono::hours(24 * 7));
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
  EXPECT_EQ(fabrikam.rotation.mode, RotationMode::kAutomatic);
  EXPECT_EQ(fabrikam.rotation.stage_before_expiry, std::chrono::hours(24 * 90));
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
  EXPECT_EQ(
      MistakesWithLine("issuing: {strong_mapping: {sid_extension: false, san_uri: true}}"),
      "/etc/h.yaml:9: issuing.strong_mapping.san_uri: does nothing while sid_extension is false");
  EXPECT_THAT(MistakesWithLine(
                  "tenants: {contoso: {strong_mapping: {sid_extension: false, required: true}}}"),
              HasSubstr("tenants.contoso.strong_mapping.required: does nothing while"));
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

TEST(ParseConfigTest, RefusesTenantsThatCannotBe) {
  EXPECT_EQ(
      MistakesWithLine("tenants: {Contoso: {lifetime: 1h}}"),
      "/etc/h.yaml:9: tenants.Contoso: must be 1 to 63 characters a-z, 0-9 and inner hyphens");
  EXPECT_EQ(MistakesWithLine("tenants: {contoso: 1h}"),
            "/etc/h.yaml:9: tenants.contoso: must be a mapping of fields");
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
  EXPECT_EQ(MistakesWith(embedded, "{embedded: {policy_directory: p}, circuit: {failures: 5}}"),
            "/etc/h.yaml:7: compliance.circuit: belongs to endpoint, which is not given");
  EXPECT_EQ(MistakesWith(embedded, "{endpoint: \"h:1\", circuit: {failures: 0}, " + tls + "}"),
            "/etc/h.yaml:7: compliance.circuit.failures: must be a whole number, 1 to 10000");
  EXPECT_EQ(MistakesWith(embedded, "{endpoint: \"h:1\", circuit: {open_for: 10ms}, " + tls + "}"),
            "/etc/h.yaml:7: compliance.circuit.open_for: must be a duration such as 500ms, 2s, "
            "60m, 24h or 3d, 100ms to 5m");
  EXPECT_EQ(MistakesWith(embedded, "{embedded: {policy_directory: p}, deadline: 0s}"),
            "/etc/h.yaml:7: compliance.deadline: must be a duration such as 500ms, 2s, 60m, 24h or "
            "3d, 10ms to 1m");
}

constexpr char kOfCompliance[] = R"(listen: 127.0.0.1:0
data_directory: data
tls: {certificate: server.pem, private_key: server.key, trusted_roots: clients.pem}
callers:
  - {name: hourglassd, identity: "dns:hourglassd.local", roles: [auditor], tenants: ["*"]}
tenants: {contoso: {access: {allow_without_policy: true}}}
limits: {queue_length: 2048, connections: 64}
compliance: {embedded: {policy_directory: policies}}
)";

TEST(ParseConfigTest, HourglassComplianceHasWhatDecidesAlone) {
  ASSERT_OK_AND_ASSIGN(const Config config,
                       ParseConfig(kOfCompliance, "/etc/h.yaml", Program::kCompliance));
  EXPECT_EQ(config.program, Program::kCompliance);
  EXPECT_EQ(config.compliance.policy_directory, "/etc/policies");
  EXPECT_TRUE(config.access.at("contoso").options.allow_without_policy);
  EXPECT_EQ(config.limits.queue_length, 2048);
  EXPECT_EQ(config.limits.connections, 64);
  EXPECT_THAT(config.tenants, testing::IsEmpty());
  const auto mistakes_with = [](const std::string& more) {
    return std::string(
        ParseConfig(kOfCompliance + more, "/etc/h.yaml", Program::kCompliance).status().message());
  };
  EXPECT_EQ(mistakes_with("keys: {software_directory: keys}\n"),
            "/etc/h.yaml:9: keys: unknown field");
  EXPECT_EQ(mistakes_with("issuing: {lifetime: 1h}\n"), "/etc/h.yaml:9: issuing: unknown field");
  const std::string elsewhere = absl::StrReplaceAll(
      kOfCompliance, {{"{embedded: {policy_directory: policies}}",
                       "{endpoint: \"h:1\", tls: {certificate: c.pem, private_key: c.key, "
                       "trusted_roots: r.pem}}"}});
  EXPECT_EQ(ParseConfig(elsewhere, "/etc/h.yaml", Program::kCompliance).status().message(),
            "/etc/h.yaml:8: compliance.endpoint: is hourglassd's: this program decides by itself");
}

TEST(ParseConfigTest, SaysWhereTheYamlBreaks) {
  EXPECT_THAT(MistakesWith("[contoso]", "[contoso"), HasSubstr(": not valid YAML: "));
  EXPECT_EQ(MistakesOf(""), "/etc/h.yaml:1: the file is empty");
}

}  // namespace
}  // namespace hourglass::issuance
