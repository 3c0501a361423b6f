// Access tokens that a tenant accepts, and what a verifier of their signatures needs at least.
#ifndef HOURGLASS_TOOLS_BENCH_ACCESS_SAMPLE_TOKENS_H_
#define HOURGLASS_TOOLS_BENCH_ACCESS_SAMPLE_TOKENS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/base/openssl.h"
#include "issuance/base/clock.h"
#include "issuance/tokens/access_token.h"
#include "issuance/tokens/key_set.h"

namespace hourglass::bench {

// Tokens with the claims of Entra ID's, each of its own, signed by one RSA key of 2048 bits
// (RS256). Not for several threads at once.
class SampleTokens {
 public:
  // So many tokens, each with so many groups. Errors: INTERNAL_ERROR.
  static absl::StatusOr<SampleTokens> Make(int tokens, int groups);

  // The next one, round and round, as the service checks it: form, key, signature, claims. Errors:
  // as issuance::CheckAccessToken.
  absl::Status CheckNext();
  // The same for its hash and its signature alone, in contexts that are ready. Errors:
  // INTERNAL_ERROR.
  absl::Status VerifyNextBarely();

  // Octets of a token.
  std::size_t token_size() const { return tokens_.front().text.size(); }
  // What CheckNext says that its token says. Errors: as CheckNext.
  absl::StatusOr<issuance::TokenIdentity> IdentityOfNext();

 private:
  struct Token {
    std::string text;
    std::size_t signed_size = 0;  // octets of `text` that the signature is over
    std::string signature;
  };

  SampleTokens() = default;

  absl::Status PrepareVerification(const std::string& public_key_pem);
  const Token& Next() { return tokens_[next_++ % tokens_.size()]; }

  issuance::Timestamp now_;
  issuance::TokenRules rules_;
  std::shared_ptr<const issuance::KeySet> keys_;
  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  OpensslPtr<EVP_MD, EVP_MD_free> sha256_;
  EvpMdCtxPtr hashing_;
  EvpPkeyCtxPtr verification_;
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_ACCESS_SAMPLE_TOKENS_H_
