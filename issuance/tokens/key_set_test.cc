#include "issuance/tokens/key_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/tokens/base64url.h"
#include "issuance/tokens/testing/token_issuer.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

std::string SetOf(const std::vector<json>& keys) { return json{{"keys", keys}}.dump(); }

class KeySetTest : public testing::Test {
 protected:
  // Why `jwk` is skipped beside a sound key; "" where it is used.
  std::string WhySkipped(const json& jwk) {
    const auto set = KeySet::Parse(SetOf({sound_.Jwk(), jwk}));
    EXPECT_OK(set);
    if (!set.ok()) return "no set";
    EXPECT_NE((*set)->Find("sound"), nullptr);
    return (*set)->skipped().empty() ? "" : (*set)->skipped()[0].why;
  }
  std::string WhySkippedWith(const TestKey& key, const char* member, const json& value) {
    json jwk = key.Jwk();
    jwk[member] = value;
    return WhySkipped(jwk);
  }

  TestKey sound_{"sound", TokenAlgorithm::kEs256};
  TestKey rsa_{"rsa", TokenAlgorithm::kRs256};
  TestKey ec_{"ec", TokenAlgorithm::kEs256};
};

TEST_F(KeySetTest, ReadsKeysWithWhatTheyAreFor) {
  json rsa = rsa_.Jwk();
  rsa["alg"] = "RS256";
  rsa["issuer"] = "https://login.microsoftonline.com/{tenantid}/v2.0";
  // As Entra ID publishes them, too; nobody needs them here.
  rsa["x5t"] = "abc";
  rsa["x5c"] = {"MIID"};
  ASSERT_OK_AND_ASSIGN(const auto set, KeySet::Parse(SetOf({rsa, ec_.Jwk()})));
  EXPECT_EQ(set->size(), 2u);
  EXPECT_TRUE(set->skipped().empty());
  const IssuerKey* const found = set->Find("rsa");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->algorithm, TokenAlgorithm::kRs256);
  EXPECT_EQ(found->issuer, "https://login.microsoftonline.com/{tenantid}/v2.0");
  EXPECT_TRUE(found->key->Fits(TokenAlgorithm::kPs256));
  EXPECT_FALSE(found->key->Fits(TokenAlgorithm::kEs256));
  EXPECT_TRUE(found->key->Verifies(TokenAlgorithm::kRs256, "text", rsa_.Sign("text")));
  EXPECT_FALSE(found->key->Verifies(TokenAlgorithm::kRs256, "texts", rsa_.Sign("text")));
  EXPECT_FALSE(set->Find("ec")->algorithm.has_value());
  EXPECT_EQ(set->Find("ec")->issuer, "");
  EXPECT_EQ(set->Find("RSA"), nullptr);
  EXPECT_EQ(set->Find(""), nullptr);
}

TEST_F(KeySetTest, OneIdIsOneKeyOrNone) {
  json first = rsa_.Jwk(), second = ec_.Jwk();
  first["kid"] = second["kid"] = "same";
  ASSERT_OK_AND_ASSIGN(const auto set, KeySet::Parse(SetOf({first, sound_.Jwk(), second})));
  EXPECT_EQ(set->size(), 1u);
  EXPECT_EQ(set->Find("same"), nullptr);
  EXPECT_THAT(set->skipped(),
              ElementsAre(AllOf(Field(&SkippedKey::name, "'same'"),
                                Field(&SkippedKey::why, "several keys have this kid")),
                          Field(&SkippedKey::name, "'same'")));
}

TEST_F(KeySetTest, KeysForSomethingElseAreSkipped) {
  EXPECT_EQ(WhySkipped(rsa_.Jwk()), "");
  EXPECT_EQ(WhySkippedWith(rsa_, "use", "enc"), "use is 'enc'");
  EXPECT_EQ(WhySkippedWith(rsa_, "use", 1), "use must be text that is not empty");
  EXPECT_EQ(WhySkippedWith(rsa_, "key_ops", {"verify"}), "");
  EXPECT_EQ(WhySkippedWith(rsa_, "key_ops", {"encrypt"}), "key_ops does not have 'verify'");
  EXPECT_EQ(WhySkippedWith(rsa_, "key_ops", "verify"), "key_ops does not have 'verify'");
  EXPECT_EQ(WhySkippedWith(rsa_, "alg", "RS512"), "alg is 'RS512', by which it verifies nothing");
  EXPECT_EQ(WhySkippedWith(rsa_, "alg", "ES256"), "alg is 'ES256', by which it verifies nothing");
  EXPECT_EQ(WhySkippedWith(rsa_, "alg", "HS256"), "alg is 'HS256', by which it verifies nothing");
  EXPECT_EQ(WhySkippedWith(ec_, "alg", "ES256"), "");
  EXPECT_EQ(WhySkippedWith(ec_, "crv", "P-384"), "crv is 'P-384', and must be 'P-256'");
  EXPECT_EQ(WhySkippedWith(rsa_, "kty", "OKP"), "kty is 'OKP', and must be 'RSA' or 'EC'");
  EXPECT_EQ(WhySkipped({{"kid", "secret"}, {"kty", "oct"}, {"k", "AAAA"}}),
            "kty is 'oct', and must be 'RSA' or 'EC'");
  EXPECT_EQ(WhySkipped({{"kid", "none"}}), "kty is missing, and must be 'RSA' or 'EC'");
  EXPECT_EQ(WhySkippedWith(ec_, "d", "AAAA"), "it is a private key, which is not secret any more");
}

TEST_F(KeySetTest, AKeyNeedsAnId) {
  json jwk = rsa_.Jwk();
  jwk.erase("kid");
  EXPECT_EQ(WhySkipped(jwk), "it has no kid of 1 to 256 octets");
  for (const json& id : {json(""), json(7), json(std::string(257, 'k'))}) {
    EXPECT_EQ(WhySkippedWith(rsa_, "kid", id), "it has no kid of 1 to 256 octets");
  }
  ASSERT_OK_AND_ASSIGN(const auto set, KeySet::Parse(SetOf({sound_.Jwk(), jwk})));
  EXPECT_EQ(set->skipped()[0].name, "keys[1]");
}

TEST_F(KeySetTest, WeakKeysAreSkipped) {
  EXPECT_EQ(WhySkipped(TestKey("weak", TokenAlgorithm::kRs256, 1024).Jwk()),
            "its modulus has 1024 bits, and must have 2048 to 8192");
  const std::string exponent = "its exponent must be odd, at least 65537 and at most 8 octets";
  EXPECT_EQ(WhySkippedWith(rsa_, "e", "Aw"), exponent);  // 3
  EXPECT_EQ(WhySkippedWith(rsa_, "e", EncodeBase64Url("\x01\x01\x02")), exponent);
  EXPECT_EQ(WhySkippedWith(rsa_, "e", EncodeBase64Url(std::string(9, '\x01'))), exponent);
  EXPECT_EQ(WhySkippedWith(rsa_, "e", ""), "e must be text that is not empty");
  std::string modulus = *DecodeBase64Url(rsa_.Jwk()["n"].get<std::string>());
  EXPECT_EQ(WhySkippedWith(rsa_, "n", EncodeBase64Url(std::string(1, '\0') + modulus)),
            "a number is empty or begins with a zero octet");
  modulus.back() = static_cast<char>(modulus.back() & ~1);
  EXPECT_EQ(WhySkippedWith(rsa_, "n", EncodeBase64Url(modulus)), "its modulus is even");
  EXPECT_EQ(WhySkippedWith(rsa_, "n", EncodeBase64Url(std::string(2000, '\x7f'))),
            "its modulus is too long");
  EXPECT_EQ(WhySkippedWith(rsa_, "n", absl::StrCat(rsa_.Jwk()["n"].get<std::string>(), "==")),
            "n must be base64url without padding");
}

TEST_F(KeySetTest, PointsOffTheCurveAreSkipped) {
  EXPECT_EQ(WhySkippedWith(ec_, "x", EncodeBase64Url(std::string(32, '\x01'))),
            "its point is not on P-256");
  EXPECT_EQ(WhySkippedWith(ec_, "y", EncodeBase64Url(std::string(31, '\x01'))),
            "its coordinates must have 32 octets each");
  json nowhere = ec_.Jwk();
  nowhere["x"] = nowhere["y"] = EncodeBase64Url(std::string(32, '\0'));
  EXPECT_EQ(WhySkipped(nowhere), "its point is not on P-256");
}

TEST_F(KeySetTest, ASetIsASoundDocumentWithAKeyToUse) {
  const auto message = [](absl::string_view text) {
    const auto set = KeySet::Parse(text);
    EXPECT_THAT(set, FailsWith(ErrorReason::kFieldInvalid)) << text.substr(0, 60);
    return std::string(set.status().message());
  };
  EXPECT_OK(KeySet::Parse(SetOf({rsa_.Jwk()})));
  EXPECT_EQ(message(""), "the key set is no JSON");
  EXPECT_EQ(message("<html>502</html>"), "the key set is no JSON");
  EXPECT_EQ(message("[]"), "the key set has no array 'keys'");
  EXPECT_EQ(message(R"({"keys":{}})"), "the key set has no array 'keys'");
  EXPECT_EQ(message(R"({"keys":[]})"), "the key set holds no key that can be used");
  EXPECT_EQ(message(R"({"keys":[{"kid":"a","kty":"oct"}]})"),
            "the key set holds no key that can be used; 'a': kty is 'oct', and must be 'RSA' or "
            "'EC'");
  EXPECT_EQ(message(R"({"keys":[],"keys":[]})"), "the key set has a member twice");
  EXPECT_EQ(message(R"({"keys":[{"kid":"a","kid":"b"}]})"), "the key set has a member twice");
  EXPECT_EQ(message(SetOf(std::vector<json>(257, json::object()))),
            "the key set has more than 256 keys");
  EXPECT_EQ(message(std::string(kMaxKeySetSize + 1, ' ')),
            "the key set has more than 262144 octets");
  // Things that are no keys are keys that cannot be used.
  EXPECT_EQ(message(R"({"keys":[1,null,"a",[]]})"),
            "the key set holds no key that can be used; keys[0]: it has no kid of 1 to 256 octets");
}

}  // namespace
}  // namespace hourglass::issuance
