// What the configuration says of a tenant's access tokens, and how its mistakes are told.
#include "issuance/config/identity_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "issuance/base/clock.h"
#include "issuance/config/testing/parse_config.h"
#include "issuance/tokens/testing/token_issuer.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// All that is required.
constexpr char kLeast[] = R"(identity: access_token
access_token:
  directory: 6babcaad-604b-40ac-a9d7-9fd97c0b779f
  audiences: [api://hourglass.example]
  brokers: [04b07795-8ddb-461a-bbee-02f9e1bf7b46]
  scopes: [Certificate.Issue]
  keys: {file: keys.json}
)";

Read<IdentityConfig> Reading(const std::string& text, FileChecks checks = FileChecks::kNone) {
  return ReadText(text, [checks](yaml::Mapping root) {
    return ReadIdentity(root, checks, SystemClock().Now());
  });
}

std::string Replaced(const std::string& from, const std::string& to) {
  EXPECT_THAT(std::string(kLeast), HasSubstr(from));
  return absl::StrReplaceAll(kLeast, {{from, to}});
}

// What is wrong with the least, one thing replaced; without the file's name.
std::string Mistakes(const std::string& from, const std::string& to) {
  return absl::StrReplaceAll(Reading(Replaced(from, to)).mistakes, {{"/etc/h.yaml:", ""}});
}

// What is wrong with this line beside the least.
std::string MistakesBeside(const std::string& line) {
  return absl::StrReplaceAll(Reading(absl::StrCat(kLeast, "  ", line, "\n")).mistakes,
                             {{"/etc/h.yaml:8: access_token.", ""}});
}

TEST(IdentityConfigTest, TheBrokersWordIsTheDefault) {
  for (const char* text : {"identity: asserted_by_broker\n"}) {
    const auto read = Reading(text);
    EXPECT_EQ(read.mistakes, "");
    EXPECT_FALSE(read.result.access_token.has_value());
  }
  const auto silent = ReadText("other: 1\n", [](yaml::Mapping root) {
    root.Integer("other", 0, 9);
    return ReadIdentity(root, FileChecks::kNone, Timestamp());
  });
  EXPECT_EQ(silent.mistakes, "");
  EXPECT_FALSE(silent.result.access_token.has_value());
}

TEST(IdentityConfigTest, TheLeastIsSafe) {
  const auto read = Reading(kLeast);
  EXPECT_EQ(read.mistakes, "");
  ASSERT_TRUE(read.result.access_token.has_value());
  const AccessTokenConfig& config = *read.result.access_token;
  EXPECT_EQ(config.rules.directory_id, "6babcaad-604b-40ac-a9d7-9fd97c0b779f");
  EXPECT_THAT(
      config.rules.issuers,
      ElementsAre("https://login.microsoftonline.com/6babcaad-604b-40ac-a9d7-9fd97c0b779f/v2.0",
                  "https://sts.windows.net/6babcaad-604b-40ac-a9d7-9fd97c0b779f/"));
  EXPECT_THAT(config.rules.audiences, ElementsAre("api://hourglass.example"));
  EXPECT_THAT(config.rules.client_ids, ElementsAre("04b07795-8ddb-461a-bbee-02f9e1bf7b46"));
  EXPECT_THAT(config.rules.scopes, ElementsAre("Certificate.Issue"));
  EXPECT_THAT(config.rules.algorithms, ElementsAre(TokenAlgorithm::kRs256));
  EXPECT_EQ(config.rules.clock_skew, std::chrono::minutes(2));
  EXPECT_EQ(config.rules.max_lifetime, std::chrono::hours(24));
  EXPECT_FALSE(config.rules.sender_constrained);
  EXPECT_EQ(config.uses.reuse, TokenReuse::kNever);
  EXPECT_EQ(config.uses.capacity, 250'000u);
  EXPECT_EQ(config.keys.file, "/etc/keys.json");
  EXPECT_EQ(config.keys.url, "");
}

TEST(IdentityConfigTest, ReadsEveryField) {
  const auto read = Reading(R"(identity: access_token
access_token:
  directory: 6BABCAAD-604B-40AC-A9D7-9FD97C0B779F
  issuers: ["https://login.microsoftonline.us/6babcaad-604b-40ac-a9d7-9fd97c0b779f/v2.0"]
  audiences: [api://hourglass.example, 11111111-2222-3333-4444-555555555555]
  brokers: [04B07795-8DDB-461A-BBEE-02F9E1BF7B46]
  scopes: [Certificate.Issue, Certificate.Renew]
  algorithms: [PS256, ES256]
  keys: {url: "https://idp.example/keys", ca_file: idp.pem, refresh: 1h}
  clock_skew: 5m
  max_lifetime: 90m
  sender_constrained: true
  reuse: same_caller
  remembered: 5000
)");
  EXPECT_EQ(read.mistakes, "");
  ASSERT_TRUE(read.result.access_token.has_value());
  const AccessTokenConfig& config = *read.result.access_token;
  EXPECT_EQ(config.rules.directory_id, "6babcaad-604b-40ac-a9d7-9fd97c0b779f");
  EXPECT_EQ(config.rules.issuers.size(), 1u);
  EXPECT_EQ(config.rules.audiences.size(), 2u);
  EXPECT_THAT(config.rules.client_ids, ElementsAre("04b07795-8ddb-461a-bbee-02f9e1bf7b46"));
  EXPECT_EQ(config.rules.scopes.size(), 2u);
  EXPECT_THAT(config.rules.algorithms, ElementsAre(TokenAlgorithm::kPs256, TokenAlgorithm::kEs256));
  EXPECT_EQ(config.rules.clock_skew, std::chrono::minutes(5));
  EXPECT_EQ(config.rules.max_lifetime, std::chrono::minutes(90));
  EXPECT_TRUE(config.rules.sender_constrained);
  EXPECT_EQ(config.uses.reuse, TokenReuse::kSameCaller);
  EXPECT_EQ(config.uses.capacity, 5000u);
  EXPECT_EQ(config.keys.url, "https://idp.example/keys");
  EXPECT_EQ(config.keys.ca_file, "/etc/idp.pem");
  EXPECT_EQ(config.keys.refresh, std::chrono::hours(1));
}

// The last example of docs/tokens.md, of Entra ID.
TEST(IdentityConfigTest, TheDocumentsExampleIsSound) {
  const std::string document = ReadFileOrDie("docs/tokens.md");
  constexpr absl::string_view kFence = "```yaml\n";
  const std::size_t begin = document.rfind(kFence.data()) + kFence.size();
  ASSERT_NE(document.rfind(kFence.data()), std::string::npos);
  const auto read =
      ReadText(document.substr(begin, document.find("```", begin) - begin), [](yaml::Mapping root) {
        IdentityConfig config;
        for (auto& [tenant, fields] : root.NamedMappings("tenants")) {
          config = ReadIdentity(fields, FileChecks::kNone, Timestamp());
        }
        return config;
      });
  EXPECT_EQ(read.mistakes, "");
  ASSERT_TRUE(read.result.access_token.has_value());
  EXPECT_THAT(read.result.access_token->rules.scopes, ElementsAre("Certificate.Issue"));
}

TEST(IdentityConfigTest, SaysWhatLacks) {
  EXPECT_EQ(Reading("identity: access_token\n").mistakes,
            "/etc/h.yaml:1: access_token: is missing");
  EXPECT_EQ(Reading("identity: access_token\naccess_token: {reuse: never}\n").mistakes,
            "/etc/h.yaml:2: access_token.directory: is missing\n"
            "/etc/h.yaml:2: access_token.audiences: is missing\n"
            "/etc/h.yaml:2: access_token.brokers: is missing\n"
            "/etc/h.yaml:2: access_token.scopes: is missing\n"
            "/etc/h.yaml:2: access_token.keys: is missing");
}

TEST(IdentityConfigTest, IdentityIsOneOfTwo) {
  EXPECT_EQ(Mistakes("identity: access_token", "identity: token"),
            "1: identity: must be one of asserted_by_broker, access_token\n"
            "2: access_token: does nothing unless identity is access_token");
  EXPECT_EQ(Mistakes("identity: access_token", "identity: asserted_by_broker"),
            "2: access_token: does nothing unless identity is access_token");
  EXPECT_EQ(Mistakes("identity: access_token\n", ""),
            "1: access_token: does nothing unless identity is access_token");
}

TEST(IdentityConfigTest, IdsAreGuids) {
  EXPECT_EQ(Mistakes("directory: 6babcaad-604b-40ac-a9d7-9fd97c0b779f",
                     "directory: contoso.onmicrosoft.example"),
            "3: access_token.directory: must be the directory's (tenant's) id, a GUID");
  EXPECT_EQ(Mistakes("[04b07795-8ddb-461a-bbee-02f9e1bf7b46]",
                     "[04b07795-8ddb-461a-bbee-02f9e1bf7b46, broker]"),
            "5: access_token.brokers[1]: must be the id of an application, a GUID");
}

TEST(IdentityConfigTest, AnIssuerIsOfTheDirectory) {
  const std::string of_directory =
      "must have the directory in its path, in small letters, between slashes";
  for (const char* other : {"https://login.microsoftonline.com/common/v2.0",
                            "https://6babcaad-604b-40ac-a9d7-9fd97c0b779f/v2.0",
                            "https://a.example/x6babcaad-604b-40ac-a9d7-9fd97c0b779f",
                            "https://a.example/6BABCAAD-604B-40AC-A9D7-9FD97C0B779F/"}) {
    EXPECT_EQ(MistakesBeside(absl::StrCat("issuers: ['", other, "']")),
              absl::StrCat("issuers[0]: ", of_directory))
        << other;
  }
  EXPECT_THAT(MistakesBeside("issuers: ['http://a.example/6babcaad-604b-40ac-a9d7-9fd97c0b779f']"),
              HasSubstr("issuers[0]: must begin with https://"));
  EXPECT_EQ(MistakesBeside("issuers: []"), "issuers: must be a list with at least one value");
}

TEST(IdentityConfigTest, ListsHaveEachOnce) {
  EXPECT_EQ(Mistakes("[api://hourglass.example]", "[a, b, a]"),
            "4: access_token.audiences[2]: is listed twice");
  EXPECT_EQ(Mistakes("[api://hourglass.example]", absl::StrCat("[", std::string(257, 'a'), "]")),
            "4: access_token.audiences[0]: must be at most 256 octets");
  std::string many = "[a0";
  for (int i = 1; i < 65; ++i) absl::StrAppend(&many, ", a", i);
  EXPECT_EQ(Mistakes("[api://hourglass.example]", many + "]"),
            "4: access_token.audiences: must be at most 64 values");
}

TEST(IdentityConfigTest, AScopeIsOneWord) {
  EXPECT_EQ(Mistakes("[Certificate.Issue]", "['a b']"),
            "6: access_token.scopes[0]: must be one word, as scp has it");
  EXPECT_EQ(Mistakes("[Certificate.Issue]", "['api://hourglass.example/Certificate.Issue']"),
            "6: access_token.scopes[0]: must be the scope alone, without the id of the "
            "application");
}

TEST(IdentityConfigTest, AlgorithmsAreThree) {
  for (const char* other : {"none", "HS256", "RS512", "rs256"}) {
    EXPECT_EQ(MistakesBeside(absl::StrCat("algorithms: [RS256, ", other, "]")),
              "algorithms[1]: must be RS256, PS256, ES256");
  }
}

TEST(IdentityConfigTest, NumbersHaveBounds) {
  EXPECT_THAT(MistakesBeside("clock_skew: 301s"), HasSubstr("clock_skew: must be"));
  EXPECT_EQ(MistakesBeside("clock_skew: 300s"), "");
  EXPECT_THAT(MistakesBeside("max_lifetime: 1m"), HasSubstr("max_lifetime: must be"));
  EXPECT_THAT(MistakesBeside("remembered: 999"), HasSubstr("remembered: must be"));
  EXPECT_THAT(MistakesBeside("remembered: 10000001"), HasSubstr("remembered: must be"));
  EXPECT_EQ(MistakesBeside("reuse: always"), "reuse: must be one of never, same_caller");
  EXPECT_THAT(MistakesBeside("sender_constrained: yes"), HasSubstr("sender_constrained: must be"));
  EXPECT_THAT(MistakesBeside("audience: a"), HasSubstr("audience: unknown field"));
}

TEST(IdentityConfigTest, KeysAreInAFileOrBehindAUrl) {
  const std::string file = "{file: keys.json}";
  EXPECT_EQ(Mistakes(file, "{file: a, url: 'https://b.example'}"),
            "7: access_token.keys: must have either file or url");
  EXPECT_EQ(Mistakes(file, "{refresh: 1h}"), "7: access_token.keys: must have either file or url");
  EXPECT_EQ(Mistakes(file, "{file: a, ca_file: b, refresh: 1h}"),
            "7: access_token.keys.ca_file: belongs to url, which is not given\n"
            "7: access_token.keys.refresh: belongs to url, which is not given");
  EXPECT_THAT(Mistakes(file, "{url: 'http://idp.example/keys'}"),
              HasSubstr("7: access_token.keys.url: must begin with https://"));
  EXPECT_EQ(Mistakes(file, "{url: 'https://me:secret@idp.example/keys'}"),
            "7: access_token.keys.url: must not have a user before the host");
  EXPECT_THAT(Mistakes(file, "{url: 'https://idp.example/keys', refresh: 1m}"),
              HasSubstr("7: access_token.keys.refresh: must be"));
}

TEST(IdentityConfigTest, TheFileHoldsKeysAndIsNobodyElses) {
  const TemporaryDirectory directory;
  const TestKey key("a", TokenAlgorithm::kEs256);
  const std::string file =
      directory.Write("keys.json", nlohmann::json{{"keys", {key.Jwk()}}}.dump());
  const auto mistakes = [&] {
    return absl::StrReplaceAll(
        Reading(Replaced("file: keys.json", "file: " + file), FileChecks::kStart).mistakes,
        {{"/etc/h.yaml:7: access_token.keys.file: ", ""}});
  };
  EXPECT_EQ(mistakes(), "");
  chmod(file.c_str(), 0666);
  EXPECT_THAT(mistakes(), HasSubstr("written by"));
  chmod(file.c_str(), 0644);
  directory.Write("keys.json", "{\"keys\":[]}");
  EXPECT_EQ(mistakes(), "the key set holds no key that can be used");
  unlink(file.c_str());
  EXPECT_EQ(mistakes(), "cannot be read, or is no file, or is too large");
}

TEST(IdentityConfigTest, TheAuthoritiesAreSome) {
  const TemporaryDirectory directory;
  const std::string file = directory.Write("ca.pem", "nothing");
  EXPECT_EQ(Reading(Replaced("{file: keys.json}", absl::StrCat("{url: 'https://idp.example/keys', "
                                                               "ca_file: ",
                                                               file, "}")),
                    FileChecks::kStart)
                .mistakes,
            "/etc/h.yaml:7: access_token.keys.ca_file: holds no certificate in PEM");
}

}  // namespace
}  // namespace hourglass::issuance
