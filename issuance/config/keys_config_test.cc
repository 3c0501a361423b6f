#include "issuance/config/keys_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "issuance/config/testing/parse_config.h"
#include "issuance/yaml/mapping.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Of the field `keys` alone, whose fields are at the document's root here.
Read<hsm::KeyStoreOptions> ReadKeysOf(const std::string& fields) {
  return ReadText(fields, [](yaml::Mapping root) {
    return ReadKeys(root, FileChecks::kNone, FileChecks::kNone);
  });
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

TEST(ReadKeysTest, EachNumberHasItsBorders) {
  using std::chrono::milliseconds;
  const auto with = [](const std::string& field) {
    return ReadKeysOf(absl::StrCat("tpm: {tcti: t}\n", field));
  };
  for (const int number : {1, 256}) {
    const auto read = with(absl::StrCat("sessions_per_token: ", number));
    EXPECT_EQ(read.mistakes, "");
    EXPECT_EQ(read.result.sessions_per_token, number);
  }
  for (const int number : {1, 64}) {
    const auto read = with(absl::StrCat("workers_per_token: ", number));
    EXPECT_EQ(read.mistakes, "");
    EXPECT_EQ(read.result.workers_per_token, number);
  }
  EXPECT_EQ(with("hang_timeout: 100ms").result.hang_timeout, milliseconds(100));
  EXPECT_EQ(with("hang_timeout: 60s").result.hang_timeout, milliseconds(60'000));
  for (const char* bad :
       {"sessions_per_token: 0", "sessions_per_token: 257", "workers_per_token: 0",
        "workers_per_token: 65", "hang_timeout: 99ms", "hang_timeout: 60001ms"}) {
    EXPECT_THAT(with(bad).mistakes, HasSubstr(": must be ")) << bad;
  }
}

TEST(ReadKeysTest, RegistersGoFrom0To23AndUp) {
  const auto with = [](const std::string& registers) {
    return ReadKeysOf(absl::StrCat("tpm: {sealed_directory: s, registers: [", registers, "]}"));
  };
  const auto read = with("0, 1, 23");
  EXPECT_EQ(read.mistakes, "");
  EXPECT_THAT(read.result.tpm->registers, ElementsAre(0, 1, 23));
  for (const char* bad : {"-1", "24", "1.0", "0x1", "99999999999"}) {
    EXPECT_EQ(with(bad).mistakes, "/etc/h.yaml:1: tpm.registers[0]: must be a number from 0 to 23")
        << bad;
  }
  EXPECT_EQ(with("''").mistakes, "/etc/h.yaml:1: tpm.registers[0]: must be text");
  EXPECT_EQ(with("7, 6, 8").mistakes,
            "/etc/h.yaml:1: tpm.registers[1]: must be more than the one before it");
}

TEST(ReadKeysTest, NamesOfVariablesAreOfLettersDigitsAndUnderscores) {
  const auto with = [](const std::string& name) {
    return ReadKeysOf(absl::StrCat("tpm: {tcti: t}\nenvironment: ['", name, "']"));
  };
  for (const char* sound : {"A", "_", "a1", "Z_9"}) {
    EXPECT_EQ(with(sound).mistakes, "") << sound;
    EXPECT_THAT(with(sound).result.keyholder_environment, ElementsAre(sound));
  }
  for (const char* bad : {"1", "A=", "A.B", "\u00e9"}) {
    EXPECT_THAT(with(bad).mistakes, HasSubstr("environment[0]: must be the name of a variable"))
        << bad;
  }
}

// A PIN's variable is told from others by what the sources say, of which each is looked at.
TEST(ReadKeysTest, OnlyVariablesOfPinsAreKeptFromOthers) {
  const auto read = ReadKeysOf(
      "tpm: {pin_source: 'credential:A'}\n"
      "tokens: ['pkcs11:token=a?module-path=/m.so&pin-source=file:/B']\n"
      "environment: [A, B, C]\n");
  EXPECT_EQ(read.mistakes, "");
  EXPECT_THAT(read.result.keyholder_environment, ElementsAre("A", "B", "C"));
}

TEST(ReadKeysTest, OneTokenWrittenInTwoWaysIsOneToken) {
  const auto with = [](const std::string& second) {
    return ReadKeysOf(absl::StrCat(
        "tokens: ['pkcs11:token=a?module-path=/m.so&pin-source=env:P', 'pkcs11:", second, "']"));
  };
  EXPECT_EQ(with("token=%61?pin-source=env:Q&module-path=/n.so").mistakes,
            "/etc/h.yaml:1: tokens[1]: appears twice");
  EXPECT_EQ(with("token=b?module-path=/m.so&pin-source=env:P").mistakes, "");
}

TEST(ReadKeysTest, EachPlaceAloneIsEnough) {
  for (const char* place : {"software_directory: s", "tpm: {tcti: t}",
                            "tokens: ['pkcs11:token=a?module-path=/m.so&pin-source=env:P']"}) {
    EXPECT_EQ(ReadKeysOf(place).mistakes, "") << place;
  }
  EXPECT_EQ(ReadKeysOf("in_process: true").mistakes,
            "/etc/h.yaml:1: must have tokens, tpm or software_directory");
  const auto read = ReadKeysOf("software_directory: s");
  EXPECT_EQ(read.result.software_directory, "/etc/s");
  EXPECT_THAT(read.result.tokens, IsEmpty());
  EXPECT_FALSE(read.result.tpm.has_value());
}

TEST(ReadKeysTest, EveryFieldOfProcessesDoesNothingInProcess) {
  EXPECT_EQ(ReadKeysOf("tpm: {tcti: t}\nin_process: true").mistakes, "");
  for (const char* field :
       {"workers_per_token: 1", "hang_timeout: 1s", "environment: [A]", "account: k"}) {
    EXPECT_THAT(ReadKeysOf(absl::StrCat("tpm: {tcti: t}\nin_process: true\n", field)).mistakes,
                HasSubstr(": does nothing with in_process"))
        << field;
  }
  // Sessions are of the module, wherever it is.
  EXPECT_EQ(ReadKeysOf("tpm: {tcti: t}\nin_process: true\nsessions_per_token: 1").mistakes, "");
  for (const char* field : {"sessions_per_token: 1", "workers_per_token: 1", "hang_timeout: 1s",
                            "keyholder: k", "environment: [A]", "account: k", "in_process: true"}) {
    EXPECT_THAT(ReadKeysOf(absl::StrCat("software_directory: s\n", field)).mistakes,
                HasSubstr(": does nothing without tokens or tpm"))
        << field;
  }
}

}  // namespace
}  // namespace hourglass::issuance
