#include "tools/bench/access/sample_tokens.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/tokens/base64url.h"
#include "issuance/tokens/testing/token_issuer.h"

namespace hourglass::bench {
namespace {

constexpr issuance::Timestamp kNow{std::chrono::seconds(1'790'000'000)};

absl::Status Broken() {
  return Error(ErrorReason::kInternalError, "", absl::StrCat("tokens: ", DrainOpensslErrors()));
}

const unsigned char* Octets(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Of the number-th user, with the optional claims of docs/tokens.md and what Entra ID adds.
nlohmann::json ClaimsOf(const issuance::TokenIssuer& issuer, int number, int groups) {
  nlohmann::json claims = issuer.Claims(kNow);
  claims["oid"] = absl::StrFormat("d0000000-0000-4000-8000-%012d", number);
  claims["deviceid"] = absl::StrFormat("e0000000-0000-4000-8000-%012d", number);
  claims["upn"] = absl::StrFormat("user-%d@contoso.example", number);
  claims["preferred_username"] = claims["upn"];
  claims["name"] = absl::StrFormat("User %d", number);
  claims["onprem_sid"] = absl::StrFormat("S-1-5-21-1004336348-1177238915-682003330-%d", number);
  claims["auth_time"] = claims["iat"];
  claims["acrs"] = {"c1", "c2"};
  claims["ipaddr"] = "198.51.100.7";
  claims["sid"] = absl::StrFormat("f0000000-0000-4000-8000-%012d", number);
  claims["rh"] = "1.AXkAaA7Ka5tgrECp15-X_XALn0gqWwTbiFtKukYPJ0A1zwAAAAB5AA.";
  claims["aio"] = std::string(96, 'A');
  for (int i = 0; i < groups; ++i) {
    claims["groups"].push_back(absl::StrFormat("a0000000-0000-4000-8000-%012d", i));
  }
  return claims;
}

}  // namespace

absl::StatusOr<SampleTokens> SampleTokens::Make(int tokens, int groups) {
  const issuance::TokenIssuer& issuer = issuance::TokenIssuer::OfTheProcess();
  SampleTokens made;
  made.now_ = kNow;
  made.rules_ = issuance::TokenIssuer::Rules();
  ASSIGN_OR_RETURN(made.keys_, issuance::KeySet::Parse(issuer.KeySetText()));
  for (int i = 0; i < tokens; ++i) {
    Token token;
    token.text = issuer.Token(ClaimsOf(issuer, 1000 + i, groups));
    token.signed_size = token.text.rfind('.');
    const auto signature =
        issuance::DecodeBase64Url(absl::string_view(token.text).substr(token.signed_size + 1));
    if (!signature.has_value()) return Broken();
    token.signature = *signature;
    made.tokens_.push_back(std::move(token));
  }
  RETURN_IF_ERROR(made.PrepareVerification(issuer.rs256().PublicPem()));
  return made;
}

absl::Status SampleTokens::PrepareVerification(const std::string& public_key_pem) {
  const BioPtr bio(BIO_new_mem_buf(public_key_pem.data(), static_cast<int>(public_key_pem.size())));
  const EvpPkeyPtr key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return Broken();
  sha256_.reset(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  hashing_.reset(EVP_MD_CTX_new());
  verification_.reset(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  const bool ready = sha256_ != nullptr && hashing_ != nullptr && verification_ != nullptr &&
                     EVP_PKEY_verify_init(verification_.get()) == 1 &&
                     EVP_PKEY_CTX_set_signature_md(verification_.get(), sha256_.get()) == 1;
  return ready ? absl::OkStatus() : Broken();
}

absl::StatusOr<issuance::TokenIdentity> SampleTokens::IdentityOfNext() {
  return issuance::CheckAccessToken(Next().text, *keys_, rules_, "", now_);
}

absl::Status SampleTokens::CheckNext() { return IdentityOfNext().status(); }

absl::Status SampleTokens::VerifyNextBarely() {
  const Token& token = Next();
  std::array<unsigned char, 32> digest;
  const bool verified =
      EVP_DigestInit_ex2(hashing_.get(), sha256_.get(), nullptr) == 1 &&
      EVP_DigestUpdate(hashing_.get(), token.text.data(), token.signed_size) == 1 &&
      EVP_DigestFinal_ex(hashing_.get(), digest.data(), nullptr) == 1 &&
      EVP_PKEY_verify(verification_.get(), Octets(token.signature), token.signature.size(),
                      digest.data(), digest.size()) == 1;
  return verified ? absl::OkStatus() : Broken();
}

}  // namespace hourglass::bench
