#include "issuance/tokens/testing/token_issuer.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <chrono>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "issuance/tokens/base64url.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kP256Size = 32;

void Require(bool holds) {
  if (!holds) std::abort();
}

std::string Number(EVP_PKEY* key, const char* name, std::size_t size = 0) {
  BIGNUM* number = nullptr;
  Require(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  const BignumPtr owner(number);
  if (size == 0) size = static_cast<std::size_t>(BN_num_bytes(number));
  std::string octets(size, '\0');
  Require(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(octets.data()),
                       static_cast<int>(size)) >= 0);
  return octets;
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);  // NOLINT(google-runtime-int): OpenSSL's
  return {data, static_cast<std::size_t>(size)};
}

// The two numbers of a DER signature beside each other.
std::string WithoutDer(const std::string& der) {
  const auto* begin = reinterpret_cast<const unsigned char*>(der.data());
  const EcdsaSigPtr numbers(
      d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size())));  // NOLINT
  Require(numbers != nullptr);
  std::string octets(2 * kP256Size, '\0');
  auto* out = reinterpret_cast<unsigned char*>(octets.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(numbers.get()), out, kP256Size);
  BN_bn2binpad(ECDSA_SIG_get0_s(numbers.get()), out + kP256Size, kP256Size);
  return octets;
}

std::int64_t Seconds(Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

TestKey::TestKey(std::string key_id, TokenAlgorithm algorithm, int rsa_bits)
    : key_id_(std::move(key_id)), algorithm_(algorithm) {
  key_.reset(algorithm == TokenAlgorithm::kEs256 ? EVP_EC_gen("P-256")
                                                 : EVP_RSA_gen(static_cast<unsigned>(rsa_bits)));
  Require(key_ != nullptr);
}

nlohmann::json TestKey::Jwk() const {
  nlohmann::json jwk = {{"kid", key_id_}, {"use", "sig"}};
  if (algorithm_ == TokenAlgorithm::kEs256) {
    jwk["kty"] = "EC";
    jwk["crv"] = "P-256";
    jwk["x"] = EncodeBase64Url(Number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, kP256Size));
    jwk["y"] = EncodeBase64Url(Number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, kP256Size));
  } else {
    jwk["kty"] = "RSA";
    jwk["n"] = EncodeBase64Url(Number(key_.get(), OSSL_PKEY_PARAM_RSA_N));
    jwk["e"] = EncodeBase64Url(Number(key_.get(), OSSL_PKEY_PARAM_RSA_E));
  }
  return jwk;
}

std::string TestKey::PublicPem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_PUBKEY(bio.get(), key_.get()) == 1);
  return TextOf(bio.get());
}

std::string TestKey::PrivatePem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                        nullptr) == 1);
  return TextOf(bio.get());
}

std::string TestKey::SignBy(TokenAlgorithm algorithm, absl::string_view message) const {
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  Require(EVP_DigestSignInit(context.get(), &options, EVP_sha256(), nullptr, key_.get()) == 1);
  if (algorithm == TokenAlgorithm::kPs256) {
    Require(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1);
    Require(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 32) == 1);
  }
  const auto* octets = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  Require(EVP_DigestSign(context.get(), nullptr, &size, octets, message.size()) == 1);
  std::string signature(size, '\0');
  Require(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                         octets, message.size()) == 1);
  signature.resize(size);
  return algorithm == TokenAlgorithm::kEs256 ? WithoutDer(signature) : signature;
}

std::string SigningInput(absl::string_view header, absl::string_view payload) {
  return absl::StrCat(EncodeBase64Url(header), ".", EncodeBase64Url(payload));
}

std::string SignedToken(const TestKey& key, absl::string_view header, absl::string_view payload) {
  return TokenWith(header, payload, key.Sign(SigningInput(header, payload)));
}

std::string TokenWith(absl::string_view header, absl::string_view payload,
                      absl::string_view signature) {
  return absl::StrCat(SigningInput(header, payload), ".", EncodeBase64Url(signature));
}

TokenIssuer::TokenIssuer()
    : rs256_("rsa-1", TokenAlgorithm::kRs256),
      ps256_("rsa-2", TokenAlgorithm::kPs256),
      es256_("ec-1", TokenAlgorithm::kEs256) {}

const TestKey& TokenIssuer::KeyFor(TokenAlgorithm algorithm) const {
  return algorithm == TokenAlgorithm::kRs256   ? rs256_
         : algorithm == TokenAlgorithm::kPs256 ? ps256_
                                               : es256_;
}

std::string TokenIssuer::KeySetText() const {
  return nlohmann::json{{"keys", {rs256_.Jwk(), ps256_.Jwk(), es256_.Jwk()}}}.dump();
}

nlohmann::json TokenIssuer::Header(const TestKey& key) {
  return {{"typ", "JWT"},
          {"alg", std::string(TokenAlgorithmName(key.algorithm()))},
          {"kid", key.key_id()}};
}

nlohmann::json TokenIssuer::Claims(Timestamp now) const {
  return {{"iss", absl::StrCat("https://login.microsoftonline.com/", kTestDirectory, "/v2.0")},
          {"aud", kTestAudience},
          {"tid", kTestDirectory},
          {"ver", "2.0"},
          {"iat", Seconds(now)},
          {"nbf", Seconds(now)},
          {"exp", Seconds(now) + 3600},
          {"azp", kTestBroker},
          {"azpacr", "0"},
          {"scp", absl::StrCat("openid ", kTestScope)},
          {"oid", kTestUser},
          {"sub", "n3kT5sUHkXJ0Zc1M2bIYg7aQ4lVdPwEo9rBfCiDjKxA"},
          {"upn", "ada@contoso.example"},
          {"deviceid", kTestDevice},
          {"uti", absl::StrCat("uti-", ++made_)}};
}

std::string TokenIssuer::Token(const nlohmann::json& claims) const {
  return SignedToken(rs256_, Header(rs256_).dump(), claims.dump());
}

const TokenIssuer& TokenIssuer::OfTheProcess() {
  static const TokenIssuer* const issuer = new TokenIssuer;
  return *issuer;
}

TokenRules TokenIssuer::Rules() {
  TokenRules rules;
  rules.directory_id = kTestDirectory;
  rules.issuers = {absl::StrCat("https://login.microsoftonline.com/", kTestDirectory, "/v2.0"),
                   absl::StrCat("https://sts.windows.net/", kTestDirectory, "/")};
  rules.audiences = {kTestAudience};
  rules.client_ids = {kTestBroker};
  rules.scopes = {kTestScope};
  rules.algorithms = {TokenAlgorithm::kRs256, TokenAlgorithm::kPs256, TokenAlgorithm::kEs256};
  return rules;
}

}  // namespace hourglass::issuance
