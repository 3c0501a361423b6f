// An issuer of access tokens, for tests alone: whoever trusts its keys trusts whoever runs it.
#ifndef HOURGLASS_ISSUANCE_TOKENS_TESTING_TOKEN_ISSUER_H_
#define HOURGLASS_ISSUANCE_TOKENS_TESTING_TOKEN_ISSUER_H_

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/string_view.h"
#include "hsm/base/openssl.h"
#include "issuance/base/clock.h"
#include "issuance/tokens/access_token.h"
#include "issuance/tokens/token_algorithm.h"

namespace hourglass::issuance {

// What tokens of TokenIssuer::Claims have.
inline constexpr char kTestDirectory[] = "6babcaad-604b-40ac-a9d7-9fd97c0b779f";
inline constexpr char kTestAudience[] = "api://hourglass.example";
inline constexpr char kTestBroker[] = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
inline constexpr char kTestScope[] = "Certificate.Issue";
inline constexpr char kTestUser[] = "690222be-ff1a-4d56-abd1-7e4f7d38e474";
inline constexpr char kTestDevice[] = "0f8fad5b-d9cb-469f-a165-70867728950e";

// A key pair, and how it is published.
class TestKey {
 public:
  // Of a type that fits the algorithm.
  TestKey(std::string key_id, TokenAlgorithm algorithm, int rsa_bits = 2048);

  const std::string& key_id() const { return key_id_; }
  TokenAlgorithm algorithm() const { return algorithm_; }
  // `kty`, `kid`, `use` and the public numbers; no `alg`.
  nlohmann::json Jwk() const;
  // SubjectPublicKeyInfo and PKCS#8 in PEM.
  std::string PublicPem() const;
  std::string PrivatePem() const;
  // As RFC 7518 has it.
  std::string Sign(absl::string_view message) const { return SignBy(algorithm_, message); }
  std::string SignBy(TokenAlgorithm algorithm, absl::string_view message) const;

 private:
  const std::string key_id_;
  const TokenAlgorithm algorithm_;
  EvpPkeyPtr key_;
};

// `base64url(header).base64url(payload)` of any octets.
std::string SigningInput(absl::string_view header, absl::string_view payload);

// The whole token: signed by `key`, or with any octets as its signature.
std::string SignedToken(const TestKey& key, absl::string_view header, absl::string_view payload);
std::string TokenWith(absl::string_view header, absl::string_view payload,
                      absl::string_view signature);

// A key for each algorithm, and tokens that their tenant accepts. Not for several threads at once.
class TokenIssuer {
 public:
  TokenIssuer();

  const TestKey& rs256() const { return rs256_; }
  const TestKey& ps256() const { return ps256_; }
  const TestKey& es256() const { return es256_; }
  const TestKey& KeyFor(TokenAlgorithm algorithm) const;

  // The key set with the public halves.
  std::string KeySetText() const;

  // `alg` and `kid` of the key, `typ` JWT.
  static nlohmann::json Header(const TestKey& key);
  // Of a version 2 token for an hour from `now` on, with an id of its own.
  nlohmann::json Claims(Timestamp now) const;
  // Of these claims, by the RS256 key.
  std::string Token(const nlohmann::json& claims) const;

  // What accepts them, by all three algorithms.
  static TokenRules Rules();

  // One for all tests of the process: to make RSA keys takes a second.
  static const TokenIssuer& OfTheProcess();

 private:
  TestKey rs256_;
  TestKey ps256_;
  TestKey es256_;
  mutable int made_ = 0;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_TESTING_TOKEN_ISSUER_H_
