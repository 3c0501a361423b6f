// The program as its users meet it: tenants and roots, failures, and wrong usage.
#include "hsm/base/error.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/mutual_tls.h"
#include "tools/hourglass/scripted_service.h"

namespace hourglass::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(HourglassTest, TenantsAreCreatedListedAndShown) {
  const CommandResult created =
      Run({"tenants", "create", "contoso", "--display-name", "Contoso Ltd"});
  EXPECT_EQ(created.exit_code, 0);
  EXPECT_THAT(created.output, StartsWith("Created tenant contoso.\n"));
  EXPECT_THAT(created.output, HasSubstr("hourglass roots create --tenant contoso"));
  EXPECT_EQ(script_.Last<v1::CreateTenantRequest>().tenant_id(), "contoso");
  EXPECT_EQ(script_.Last<v1::CreateTenantRequest>().display_name(), "Contoso Ltd");

  EXPECT_THAT(Run("tenants list").output, HasSubstr("contoso  Contoso Ltd   none     "));
  EXPECT_THAT(Run("tenants show contoso").output, HasSubstr("none: nothing is issued"));
  EXPECT_EQ(RunJson("tenants list")["tenants"][0]["tenant_id"], "contoso");
  EXPECT_EQ(RunJson("tenants show --tenant contoso")["epoch"], 3);
  EXPECT_EQ(script_.Last<v1::GetTenantRequest>().tenant_id(), "contoso");
}

TEST_F(HourglassTest, AnEmptyListSaysWhatToDo) {
  tenants_.none = true;
  EXPECT_THAT(Run("tenants list").output, HasSubstr("hourglass tenants create"));
  EXPECT_EQ(RunJson("tenants list")["tenants"], Json::array());
}

TEST_F(HourglassTest, JsonIsTakenBeforeAndBehindTheSubcommand) {
  EXPECT_EQ(Json::parse(Run("--json tenants show contoso").output)["tenant_id"], "contoso");
  EXPECT_EQ(Json::parse(Run("tenants --json show contoso").output)["tenant_id"], "contoso");
}

TEST_F(HourglassTest, RootsAreCreatedAsAskedFor) {
  const CommandResult created =
      Run("roots create --tenant contoso --duration 2y --key-type rsa-3072 --primary "
          "--key pkcs11:token=t;object=o --request-id once");
  EXPECT_EQ(created.exit_code, 0) << created.output;
  const auto request = script_.Last<v1::CreateRootRequest>();
  EXPECT_EQ(request.tenant_id(), "contoso");
  EXPECT_EQ(request.duration().seconds(), 2 * 365 * 86400);
  EXPECT_EQ(request.key_type(), v1::RSA_3072);
  EXPECT_EQ(request.key_uri(), "pkcs11:token=t;object=o");
  EXPECT_TRUE(request.make_primary());
  EXPECT_EQ(request.request_id(), "once");
  EXPECT_THAT(created.output, HasSubstr("hourglass roots promote --tenant contoso r1"));

  Run("roots create --tenant contoso --duration 90d --key-type ec-p256");
  const auto second = script_.Last<v1::CreateRootRequest>();
  EXPECT_EQ(second.duration().seconds(), 90 * 86400);
  EXPECT_EQ(second.key_type(), v1::EC_P256);
  EXPECT_FALSE(second.make_primary());
  EXPECT_EQ(second.request_id().size(), 36u);
}

TEST_F(HourglassTest, ThumbprintsAreThoseOfOpenssl) {
  const std::string file = service_.directory().File("r1.pem");
  ASSERT_EQ(Run("roots export --tenant contoso r1 --out " + file).exit_code, 0);
  const Json root = RunJson("roots show --tenant contoso r1");
  for (const auto& [digest, member] :
       {std::pair{"sha1", "sha1_thumbprint"}, std::pair{"sha256", "sha256_thumbprint"}}) {
    std::string expected =
        OpensslSays(absl::StrCat("x509 -in ", file, " -noout -fingerprint -", digest));
    expected.erase(0, expected.find('=') + 1);
    std::erase(expected, ':');
    std::erase(expected, '\n');
    EXPECT_EQ(root[member], expected);
    EXPECT_THAT(Run("roots show --tenant contoso r1").output, HasSubstr(expected));
  }
  EXPECT_EQ(root["subject"], "CN=root-one");
  EXPECT_EQ(root["key_type"], "ec-p256");
  EXPECT_EQ(root["state"], "STAGED");
  EXPECT_THAT(Run("roots list --tenant contoso").output,
              HasSubstr(root["sha1_thumbprint"].get<std::string>()));
  EXPECT_THAT(Run("roots list --tenant contoso").output, HasSubstr(" UTC (in 730 days)"));
}

TEST_F(HourglassTest, RootsAreExportedAsPemDerAndBundle) {
  const std::string pem = Run("roots export --tenant contoso r1").output;
  EXPECT_THAT(pem, StartsWith("-----BEGIN CERTIFICATE-----\n"));
  EXPECT_EQ(Run("roots export --tenant contoso r1 --format der").output, authority_.root());
  EXPECT_EQ(script_.Last<v1::GetRootRequest>().root_id(), "r1");

  const OpensslAuthority other("root-two");
  bundles_.bundle.add_roots(other.root());
  const std::string file = service_.directory().File("all.pem");
  const CommandResult all = Run("roots export --tenant contoso --all --out " + file);
  EXPECT_EQ(all.exit_code, 0);
  EXPECT_THAT(all.output, StartsWith("Wrote 2 roots to "));
  EXPECT_EQ(Run("roots export --tenant contoso r1 --out -").output, pem);
  const std::string listed = OpensslSays("storeutl -noout -certs " + file);
  EXPECT_THAT(listed, HasSubstr("Total found: 2"));
  EXPECT_EQ(RunJson("roots export --tenant contoso --all")["roots"][1]["subject"], "CN=root-two");
}

TEST_F(HourglassTest, RootsMoveAndSayWhatComesNext) {
  EXPECT_THAT(Run("roots promote --tenant contoso r1").output, StartsWith("Promoted root r1.\n"));
  EXPECT_EQ(script_.Last<v1::PromoteRootRequest>().root_id(), "r1");
  const CommandResult retired = Run("roots retire --tenant contoso r1 --destroy-key");
  EXPECT_THAT(retired.output, StartsWith("Retired root r1 and destroyed its key.\n"));
  EXPECT_TRUE(script_.Last<v1::MoveRootRequest>().destroy_key());
  EXPECT_EQ(Run("roots retire --tenant contoso r1").exit_code, 0);
  EXPECT_FALSE(script_.Last<v1::MoveRootRequest>().destroy_key());
  EXPECT_THAT(Run("roots discard --tenant contoso --root r1").output,
              StartsWith("Discarded root r1; its key is still there.\n"));
  EXPECT_EQ(script_.Last<v1::MoveRootRequest>().root_id(), "r1");
  EXPECT_EQ(RunJson("roots promote --tenant contoso r1")["state"], "PRIMARY");
}

TEST_F(HourglassTest, APromotionSaysWhatBecomesOfTheRootBefore) {
  roots_.root.set_state(v1::RETIRING);
  *roots_.root.mutable_last_leaf_not_after() =
      TimestampOf(absl::Now() + absl::Seconds(42 * 60 + 30));
  const CommandResult promoted = Run("roots promote --tenant contoso r2");
  EXPECT_THAT(promoted.output, HasSubstr("Root r1 is retiring. Its last certificate expires "));
  EXPECT_THAT(
      promoted.output,
      HasSubstr(" UTC (in 42 min); after that: hourglass roots retire --tenant contoso r1\n"));
}

TEST_F(HourglassTest, ARefusalSaysReasonMessageAndWhatToTryNext) {
  script_.status = issuance::ToGrpcStatus(
      Error(ErrorReason::kRootMoveIllegal, "root_id", "r1 is RETIRED; no move is legal"));
  const CommandResult refused = Run("roots promote --tenant contoso r1");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(refused.output,
            "hourglass: ROOT_MOVE_ILLEGAL: root_id: r1 is RETIRED; no move is legal\n"
            "  next: see the states of the roots: hourglass roots list --tenant TENANT\n");
  const CommandResult json = Run("roots promote --tenant contoso r1 --json");
  EXPECT_EQ(json.exit_code, 1);
  const Json error = Json::parse(json.output)["error"];
  EXPECT_EQ(error["reason"], "ROOT_MOVE_ILLEGAL");
  EXPECT_EQ(error["field"], "root_id");
}

TEST_F(HourglassTest, ARefusalCannotForgeLinesOrSteerTheTerminal) {
  script_.status = issuance::ToGrpcStatus(
      Error(ErrorReason::kTenantExists, "tenant_id", "a\nhourglass: OK\x1b[2J"));
  EXPECT_THAT(Run("tenants create contoso").output,
              StartsWith("hourglass: TENANT_EXISTS: tenant_id: a\\x0ahourglass: OK\\x1b[2J\n"));
}

TEST_F(HourglassTest, OverloadSaysWhenToComeBack) {
  script_.status = issuance::ToGrpcStatus(Error(ErrorReason::kOverloaded, "", "too many requests"),
                                          {{}, std::chrono::milliseconds(4500)});
  EXPECT_THAT(Run("tenants list").output, HasSubstr("  try again in 5 s\n"));
}

TEST_F(HourglassTest, AServiceThatIsAwayIsSaidToBeSo) {
  ASSERT_EQ(Run("tenants list").exit_code, 0);
  service_.Stop();
  const CommandResult away = Run("tenants list");
  EXPECT_EQ(away.exit_code, 1);
  EXPECT_THAT(away.output, StartsWith("hourglass: UNAVAILABLE: cannot reach 127.0.0.1:"));
  EXPECT_THAT(away.output, HasSubstr("check that hourglassd runs"));
}

TEST_F(HourglassTest, ACreationWithoutAnswerSaysHowToAskAgain) {
  script_.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone");
  const CommandResult created =
      Run("roots create --tenant contoso --duration 1y --key-type ec-p384");
  EXPECT_EQ(created.exit_code, 1);
  EXPECT_THAT(created.output,
              HasSubstr("--request-id " + script_.Last<v1::CreateRootRequest>().request_id()));
}

TEST_F(HourglassTest, OnlyTheServiceThatWasNamedIsTalkedTo) {
  const std::string other = service_.WriteConfig("other.yaml", "server_name: other.example\n");
  const CommandResult refused = RunCommand({kProgram, "tenants", "list", "--config", other});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, StartsWith("hourglass: UNAVAILABLE: "));
  EXPECT_THAT(refused.output, HasSubstr("server_name"));
  EXPECT_TRUE(script_.asked.empty());
}

TEST_F(HourglassTest, AWrongConfigurationIsToldWithItsLines) {
  const std::string wrong = service_.directory().Write("wrong.yaml", "server: here\nport: 1\n");
  const CommandResult result = RunCommand({kProgram, "--config", wrong, "tenants", "list"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, StartsWith("hourglass: CONFIGURATION_INVALID: "));
  EXPECT_THAT(result.output, HasSubstr("wrong.yaml:2: port: unknown field"));
  const std::string missing =
      service_.directory().Write("missing.yaml",
                                 "server: 127.0.0.1:1\ntls: {certificate: none.pem, private_key: "
                                 "client.key, trusted_roots: servers.pem}\n");
  EXPECT_THAT(RunCommand({kProgram, "--config", missing, "tenants", "list"}).output,
              HasSubstr("CONFIGURATION_INVALID: tls.certificate: cannot read "));
}

TEST_F(HourglassTest, CredentialsThatDoNotFitAreToldByName) {
  const std::string config = service_.directory().Write(
      "pair.yaml",
      "server: 127.0.0.1:1\n"
      "tls: {certificate: client.pem, private_key: server.key, trusted_roots: servers.pem}\n");
  const CommandResult result = RunCommand({kProgram, "--config", config, "tenants", "list"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, StartsWith("hourglass: CONFIGURATION_INVALID: tls.private_key: is not "
                                        "the key of tls.certificate"));
}

TEST_F(HourglassTest, ACertificateForServersIsNamedBeforeTheServiceTurnsItAway) {
  MutualTls tls;
  const TlsCredential server = tls.Server();
  const std::string config = service_.directory().Write(
      "server.yaml",
      absl::StrCat("server: 127.0.0.1:1\ntls: {certificate: ", server.certificate_file,
                   ", private_key: ", server.private_key_file, ", trusted_roots: servers.pem}\n"));
  const CommandResult result = RunCommand({kProgram, "--config", config, "tenants", "list"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output,
              StartsWith(absl::StrCat("hourglass: CONFIGURATION_INVALID: tls.certificate: ",
                                      server.certificate_file, " is not for clients")));
}

TEST(HourglassUsageTest, WrongUsageEndsWithTwoAndTheRightHelp) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "Usage: hourglass [OPTIONS] SUBCOMMAND"},
      {"--config c nonsense", "Usage: hourglass [OPTIONS] SUBCOMMAND"},
      {"--config c rots list", "hourglass: `rots` is no subcommand of hourglass\n"},
      {"--config c roots", "Usage: hourglass roots [OPTIONS] SUBCOMMAND"},
      {"--config c roots", "hourglass: a subcommand of hourglass roots is required\n"},
      {"--config c roots lst --tenant t", "hourglass: `lst` is no subcommand of hourglass roots\n"},
      {"--config c roots create --tenant t --duration 1m --key-type ec-p256",
       "Usage: hourglass roots create "},
      {"--config c roots create --tenant t --duration 1y --key-type ec-p521",
       "`ec-p521` is none of ec-p256, "},
      {"--config c roots create --tenant t --key-type ec-p256", "--duration is required"},
      {"--config c roots export --tenant t", "give either a ROOT or --all"},
      {"--config c roots export --tenant t r1 --all", "give either a ROOT or --all"},
      {"--config c roots export --tenant t --all --format der", "DER holds one certificate"},
      {"--config c certificates list --tenant t --from soon",
       "Usage: hourglass certificates list "},
      {"--config c certificates list --tenant t --limit 0", "Usage: hourglass certificates list "},
      {"--config c certificates show --tenant t 4f", "32 hexadecimal digits"},
      {"--config c devices report --tenant t d --antivirus perhaps", "neither on nor off"},
      {"--config c devices report --tenant t d --password-length -1",
       "hourglass: --password-length: `-1` is not a whole number\n"},
      {"tenants list", "--config is required"},
      {"tenants list", "--config FILE and --json are accepted here too"},
  };
  for (const auto& [words, expected] : cases) {
    std::vector<std::string> command = {kProgram};
    for (const absl::string_view word : absl::StrSplit(words, ' ', absl::SkipEmpty())) {
      command.emplace_back(word);
    }
    const CommandResult result = RunCommand(command);
    EXPECT_EQ(result.exit_code, 2) << words;
    EXPECT_THAT(result.output, HasSubstr(expected)) << words;
  }
}

TEST(HourglassUsageTest, HelpIsNoMistake) {
  const CommandResult help = RunCommand({kProgram, "roots", "create", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.output, HasSubstr("Usage: hourglass roots create [OPTIONS]"));
  EXPECT_THAT(help.output, Not(HasSubstr("is required")));
}

}  // namespace
}  // namespace hourglass::cli
