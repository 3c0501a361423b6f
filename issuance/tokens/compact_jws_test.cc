#include "issuance/tokens/compact_jws.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "issuance/tokens/base64url.h"
#include "issuance/tokens/testing/token_issuer.h"
#include "issuance/tokens/testing/token_matchers.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using nlohmann::json;

constexpr char kPayload[] = R"({"a":1})";

class CompactJwsTest : public testing::Test {
 protected:
  CompactJwsTest() : keys_(*KeySet::Parse(issuer_.KeySetText())) {}

  // The id of the key that has signed it.
  absl::StatusOr<std::string> Verified(absl::string_view token) {
    const auto jws = ParseCompactJws(token, TokenIssuer::Rules().algorithms);
    if (!jws.ok()) return jws.status();
    const auto key = VerifyCompactJws(*jws, *keys_);
    if (!key.ok()) return key.status();
    EXPECT_EQ(*key, keys_->Find(jws->key_id));
    return jws->key_id;
  }
  // Signed by the key, though the header is changed.
  std::string WithHeader(const std::string& header) {
    return SignedToken(issuer_.rs256(), header, kPayload);
  }
  std::string With(const char* member, const json& value) {
    json header = TokenIssuer::Header(issuer_.rs256());
    header[member] = value;
    return WithHeader(header.dump());
  }
  std::string Without(const char* member) {
    json header = TokenIssuer::Header(issuer_.rs256());
    header.erase(member);
    return WithHeader(header.dump());
  }
  std::string Sound(const TestKey& key) {
    return SignedToken(key, TokenIssuer::Header(key).dump(), kPayload);
  }

  const TokenIssuer& issuer_ = TokenIssuer::OfTheProcess();
  const std::shared_ptr<const KeySet> keys_;
};

TEST_F(CompactJwsTest, EachAlgorithmVerifies) {
  for (const TestKey* key : {&issuer_.rs256(), &issuer_.ps256(), &issuer_.es256()}) {
    EXPECT_EQ(*Verified(Sound(*key)), key->key_id());
  }
  ASSERT_OK_AND_ASSIGN(const CompactJws jws,
                       ParseCompactJws(Sound(issuer_.es256()), TokenIssuer::Rules().algorithms));
  EXPECT_EQ(jws.payload, kPayload);
  EXPECT_EQ(jws.signature.size(), 64u);
  EXPECT_EQ(jws.type, "JWT");
}

TEST_F(CompactJwsTest, AlgorithmsAreTheTenants) {
  const TokenAlgorithm only[] = {TokenAlgorithm::kRs256};
  EXPECT_OK(ParseCompactJws(Sound(issuer_.rs256()), only));
  EXPECT_THAT(ParseCompactJws(Sound(issuer_.ps256()), only),
              IsRefused(TokenFault::kAlgorithmNotAllowed));
  EXPECT_THAT(ParseCompactJws(Sound(issuer_.es256()), only),
              IsRefused(TokenFault::kAlgorithmNotAllowed));
}

TEST_F(CompactJwsTest, HasThreePartsAndNoneEmpty) {
  const std::string sound = Sound(issuer_.rs256());
  ASSERT_OK(Verified(sound));
  EXPECT_THAT(Verified(""), IsRefused(TokenFault::kMissing));
  const std::size_t first = sound.find('.'), last = sound.rfind('.');
  for (const std::string& other :
       {std::string("a"), std::string("."), std::string(".."), std::string("..."),
        sound.substr(0, last), sound.substr(0, last + 1), sound.substr(first),
        sound.substr(first + 1), sound + ".", "." + sound, sound + ".a.b",
        sound.substr(0, first) + "." + sound.substr(last), std::string(kMaxTokenSize, '.')}) {
    EXPECT_THAT(Verified(other), IsRefused(TokenFault::kNotCompact)) << other;
  }
  // The JSON serialization, and a token with five parts, which is encrypted.
  EXPECT_THAT(Verified(R"({"payload":"e30","protected":"e30","signature":"e30"})"),
              IsRefused(TokenFault::kNotCompact));
  EXPECT_THAT(Verified("e30.e30.e30.e30.e30"), IsRefused(TokenFault::kNotCompact));
}

TEST_F(CompactJwsTest, EachPartHasOneForm) {
  const std::string sound = Sound(issuer_.rs256());
  ASSERT_OK(Verified(sound));
  const std::size_t first = sound.find('.'), last = sound.rfind('.');
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{3}, first, first + 1, last, last + 1, sound.size()}) {
    for (const char* more : {" ", "\n", "=", "\t", "%", "+", "/", "\xc3\xa4"}) {
      std::string other = sound;
      other.insert(at, more);
      EXPECT_THAT(Verified(other), IsRefused(TokenFault::kEncodingInvalid)) << at << more;
    }
  }
  EXPECT_THAT(Verified("Bearer " + sound), IsRefused(TokenFault::kEncodingInvalid));
  // 256 octets end in a letter of which two bits count: the three others decode to the same octets.
  std::string other = sound;
  other.back() = static_cast<char>(other.back() + 1);
  EXPECT_THAT(Verified(other), IsRefused(TokenFault::kEncodingInvalid));
}

TEST_F(CompactJwsTest, IsBounded) {
  const auto with_payload = [this](std::size_t size) {
    return SignedToken(issuer_.rs256(), TokenIssuer::Header(issuer_.rs256()).dump(),
                       std::string(size, 'x'));
  };
  const std::string most = with_payload(11'945);
  ASSERT_LE(most.size(), kMaxTokenSize);
  EXPECT_OK(Verified(most));
  const std::string more = with_payload(12'100);
  ASSERT_GT(more.size(), kMaxTokenSize);
  EXPECT_THAT(Verified(more), IsRefused(TokenFault::kTooLong));
}

TEST_F(CompactJwsTest, TheHeaderIsAnObjectOfWhatItMustBe) {
  EXPECT_OK(Verified(With("x5t", "abc")));
  EXPECT_OK(Verified(With("nonce", json::object())));
  for (const char* header : {"", "x", "[]", "1", "null", "\"a\"", "{", "{}x", "{'alg':'RS256'}",
                             "\xef\xbb\xbf{}", "{\"a\":\"\xff\"}", "{\"a\":[[[[[[[[1]]]]]]]]}"}) {
    const std::string token = WithHeader(header);
    EXPECT_THAT(Verified(token),
                IsRefused(*header == '\0' ? TokenFault::kNotCompact : TokenFault::kHeaderMalformed))
        << header;
  }
  for (const json& other : {json(1), json(nullptr), json(""), json({"RS256"})}) {
    EXPECT_THAT(Verified(With("alg", other)), IsRefused(TokenFault::kHeaderMalformed)) << other;
    EXPECT_THAT(Verified(With("kid", other)), IsRefused(TokenFault::kHeaderMalformed)) << other;
    EXPECT_THAT(Verified(With("typ", other)), IsRefused(TokenFault::kHeaderMalformed)) << other;
  }
  EXPECT_THAT(Verified(With("kid", std::string(257, 'k'))),
              IsRefused(TokenFault::kHeaderMalformed));
  EXPECT_OK(Verified(Without("typ")));
  EXPECT_THAT(Verified(Without("kid")), IsRefused(TokenFault::kKeyIdMissing));
  EXPECT_THAT(Verified(Without("alg")), IsRefused(TokenFault::kAlgorithmMissing));
}

TEST_F(CompactJwsTest, NothingStandsTwiceInTheHeader) {
  EXPECT_OK(Verified(WithHeader(R"({"alg":"RS256","kid":"rsa-1"})")));
  for (const char* header : {R"({"alg":"RS256","alg":"RS256","kid":"rsa-1"})",
                             R"({"alg":"none","alg":"RS256","kid":"rsa-1"})",
                             R"({"alg":"RS256","kid":"rsa-1","kid":"rsa-2"})",
                             R"({"alg":"RS256","kid":"rsa-1","\u006bid":"rsa-2"})",
                             R"({"alg":"RS256","kid":"rsa-1","x":{"y":1,"y":2}})"}) {
    EXPECT_THAT(Verified(WithHeader(header)), IsRefused(TokenFault::kDuplicateMember)) << header;
  }
}

TEST_F(CompactJwsTest, TheHeaderBringsNoKeyAndChangesNothing) {
  const TestKey attacker("rsa-1", TokenAlgorithm::kRs256);
  json header = TokenIssuer::Header(attacker);
  header["jwk"] = attacker.Jwk();
  EXPECT_THAT(Verified(SignedToken(attacker, header.dump(), kPayload)),
              IsRefused(TokenFault::kEmbeddedKey));
  EXPECT_THAT(Verified(With("jwk", nullptr)), IsRefused(TokenFault::kEmbeddedKey));
  EXPECT_THAT(Verified(With("x5c", {"MIID"})), IsRefused(TokenFault::kEmbeddedKey));
  EXPECT_THAT(Verified(With("jku", "https://attacker.example/keys")),
              IsRefused(TokenFault::kKeyByReference));
  EXPECT_THAT(Verified(With("x5u", "https://attacker.example/c.pem")),
              IsRefused(TokenFault::kKeyByReference));
  EXPECT_THAT(Verified(With("crit", {"exp"})), IsRefused(TokenFault::kCriticalHeader));
  EXPECT_THAT(Verified(With("crit", json::array())), IsRefused(TokenFault::kCriticalHeader));
  EXPECT_THAT(Verified(With("b64", false)), IsRefused(TokenFault::kUnencodedPayload));
  EXPECT_THAT(Verified(With("b64", true)), IsRefused(TokenFault::kUnencodedPayload));
}

TEST_F(CompactJwsTest, NobodysSignatureIsNone) {
  for (const char* none : {"none", "None", "NONE", "nOnE"}) {
    json header = TokenIssuer::Header(issuer_.rs256());
    header["alg"] = none;
    EXPECT_THAT(Verified(absl::StrCat(SigningInput(header.dump(), kPayload), ".")),
                IsRefused(TokenFault::kNotCompact));
    EXPECT_THAT(Verified(TokenWith(header.dump(), kPayload, "x")),
                IsRefused(TokenFault::kAlgorithmNone))
        << none;
    EXPECT_THAT(Verified(WithHeader(header.dump())), IsRefused(TokenFault::kAlgorithmNone));
  }
}

// The public key is no secret, whatever a library takes it for.
TEST_F(CompactJwsTest, ThePublicKeyIsNoSecret) {
  const std::string pem = issuer_.rs256().PublicPem();
  for (const char* name : {"HS256", "HS384", "HS512", "hs256", "HS1"}) {
    json header = TokenIssuer::Header(issuer_.rs256());
    header["alg"] = name;
    const std::string input = SigningInput(header.dump(), kPayload);
    unsigned char mac[32];
    unsigned size = 0;
    HMAC(EVP_sha256(), pem.data(), static_cast<int>(pem.size()),
         reinterpret_cast<const unsigned char*>(input.data()), input.size(), mac, &size);
    const std::string token =
        absl::StrCat(input, ".", EncodeBase64Url({reinterpret_cast<const char*>(mac), size}));
    EXPECT_THAT(Verified(token), IsRefused(TokenFault::kAlgorithmSymmetric)) << name;
  }
  for (const char* name : {"RS384", "RS512", "PS384", "ES384", "ES256K", "EdDSA", "rs256", "RSA1_5",
                           "RS256 ", "A128KW", "dir"}) {
    EXPECT_THAT(Verified(With("alg", name)), IsRefused(TokenFault::kAlgorithmNotAllowed)) << name;
  }
}

TEST_F(CompactJwsTest, AKeyIsForItsOwnTokens) {
  ASSERT_OK(Verified(Sound(issuer_.rs256())));
  EXPECT_THAT(Verified(With("kid", "rsa-2")), IsRefused(TokenFault::kSignatureInvalid));
  EXPECT_THAT(Verified(With("kid", "ec-1")), IsRefused(TokenFault::kKeyTypeMismatch));
  EXPECT_THAT(Verified(With("alg", "PS256")), IsRefused(TokenFault::kSignatureInvalid));
  EXPECT_THAT(Verified(With("alg", "ES256")), IsRefused(TokenFault::kKeyTypeMismatch));
  for (const char* id : {"nobody", "../rsa-1", "rsa-1\n", "RSA-1", "rsa-1' OR '1'='1", "/dev/null",
                         "https://attacker.example/keys"}) {
    EXPECT_THAT(Verified(With("kid", id)), IsRefused(TokenFault::kKeyUnknown)) << id;
  }
  EXPECT_THAT(Verified(SignedToken(TestKey("rsa-1", TokenAlgorithm::kRs256),
                                   TokenIssuer::Header(issuer_.rs256()).dump(), kPayload)),
              IsRefused(TokenFault::kSignatureInvalid));
}

TEST_F(CompactJwsTest, AKeyIsForItsOwnAlgorithm) {
  json jwk = issuer_.rs256().Jwk();
  jwk["alg"] = "PS256";
  ASSERT_OK_AND_ASSIGN(const auto keys, KeySet::Parse(json{{"keys", {jwk}}}.dump()));
  const auto by = [&](TokenAlgorithm algorithm) {
    json header = TokenIssuer::Header(issuer_.rs256());
    header["alg"] = std::string(TokenAlgorithmName(algorithm));
    const std::string input = SigningInput(header.dump(), kPayload);
    const std::string token =
        absl::StrCat(input, ".", EncodeBase64Url(issuer_.rs256().SignBy(algorithm, input)));
    const auto jws = ParseCompactJws(token, TokenIssuer::Rules().algorithms);
    EXPECT_OK(jws);
    return VerifyCompactJws(*jws, *keys).status();
  };
  EXPECT_OK(by(TokenAlgorithm::kPs256));
  EXPECT_THAT(by(TokenAlgorithm::kRs256), IsRefused(TokenFault::kKeyAlgorithmMismatch));
}

TEST_F(CompactJwsTest, EveryBitIsSigned) {
  for (const TestKey* key : {&issuer_.rs256(), &issuer_.ps256(), &issuer_.es256()}) {
    const std::string header = TokenIssuer::Header(*key).dump();
    const std::string signature = key->Sign(SigningInput(header, kPayload));
    ASSERT_OK(Verified(TokenWith(header, kPayload, signature)));
    EXPECT_THAT(Verified(TokenWith(header, R"({"a":2})", signature)),
                IsRefused(TokenFault::kSignatureInvalid));
    EXPECT_THAT(Verified(TokenWith(header + " ", kPayload, signature)),
                IsRefused(TokenFault::kSignatureInvalid));
    for (std::size_t i = 0; i < signature.size(); i += 7) {
      std::string other = signature;
      other[i] = static_cast<char>(other[i] ^ 1);
      EXPECT_THAT(Verified(TokenWith(header, kPayload, other)),
                  IsRefused(TokenFault::kSignatureInvalid));
    }
    for (const std::string& other :
         {signature.substr(1), signature.substr(0, signature.size() - 1), signature + '\0',
          std::string(1, '\0') + signature, std::string(signature.size(), '\0'),
          std::string(signature.size(), '\xff')}) {
      EXPECT_THAT(Verified(TokenWith(header, kPayload, other)),
                  IsRefused(TokenFault::kSignatureInvalid));
    }
  }
}

}  // namespace
}  // namespace hourglass::issuance
