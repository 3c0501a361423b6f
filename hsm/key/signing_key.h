// A private key that signs and never leaves where it lives.
#ifndef HOURGLASS_HSM_KEY_SIGNING_KEY_H_
#define HOURGLASS_HSM_KEY_SIGNING_KEY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

// Private keys: what they are, where they are kept, and signing with them.
namespace hourglass::hsm {

// The keys that a root may have. Each signs with one algorithm only:
// EC P-256 ecdsa-with-SHA256, EC P-384 ecdsa-with-SHA384 (RFC 5758 section 3.2), RSA
// sha256WithRSAEncryption (RFC 4055 section 5).
enum class KeyType { kEcP256, kEcP384, kRsa2048, kRsa3072, kRsa4096 };

// One private key. Implementations are safe to call from several threads at once.
class SigningKey {
 public:
  virtual ~SigningKey() = default;
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;

  // Decides the algorithm of every signature. Constant for the object's life.
  virtual KeyType type() const = 0;

  // SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), DER. Constant for the object's life.
  virtual const std::string& public_key() const = 0;

  // Hashes `message` in this process, as type()'s algorithm says, and signs the hash. Returns the
  // octets that an X.509 signatureValue holds: a DER ECDSA-Sig-Value (RFC 5480 appendix A) or an
  // RSASSA-PKCS1-v1_5 signature. Does not verify what a token answered; the caller must, before it
  // lets the signature out (see signs_in_process). Errors: KEY_UNAVAILABLE, KEY_NOT_FOUND,
  // PIN_REFUSED, KEY_MISMATCH for an answer that cannot be this key's by its length, for a key out
  // of service and for a software key whose octets in memory have changed, INTERNAL_ERROR; where
  // the token was changed since the key was opened, also KEY_EXISTS, KEY_UNFIT or KEY_UNSUPPORTED.
  virtual absl::StatusOr<std::string> Sign(absl::string_view message) = 0;

  // Signs several messages, of any number, and returns as many results, in their order: each what
  // Sign would have returned, and each may fail by itself. Never slower than one Sign after the
  // other, which is what it does here; with a key that is far away, much faster. Waits no longer
  // than for one where the key is in another process.
  virtual std::vector<absl::StatusOr<std::string>> SignAll(
      absl::Span<const absl::string_view> messages);

  // Whether OpenSSL computes the signatures in this process, from a private key in its memory: true
  // of software keys, and of keys that a TPM seals, which are software keys once opened. False of
  // every other, and of a key that cannot tell: what answers then is another's computation, and
  // each signature must be verified before it leaves (promise 4). Constant for the object's life.
  virtual bool signs_in_process() const { return false; }

  // Takes the key out of service: from now on Sign and SignAll of this object, and of every other
  // object that the same KeyStore made of this key, fail with KEY_MISMATCH, until the process
  // starts anew. For whoever finds that a signature does not verify. Idempotent.
  virtual void TakeOutOfService() = 0;

 protected:
  SigningKey() = default;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_SIGNING_KEY_H_
