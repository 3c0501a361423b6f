#include "hsm/pkcs11/pkcs11_custodian.h"

#include <openssl/evp.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/key/signature.h"
#include "hsm/pkcs11/ecdsa_value.h"
#include "hsm/pkcs11/key_handles.h"
#include "hsm/pkcs11/key_pairs.h"
#include "hsm/pkcs11/return_code.h"
#include "hsm/pkcs11/session_pool.h"
#include "hsm/pkcs11/token_listing.h"
#include "hsm/pkcs11/token_objects.h"

namespace hourglass::hsm {
namespace {

using Access = SessionPool::Access;

// DigestInfo of SHA-256 up to the hash (RFC 8017 section 9.2, note 1).
constexpr absl::string_view kSha256DigestInfo(
    "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", 19);

// One number the size of the modulus, or two the size of the curve's order.
size_t SignatureSize(KeyType type) {
  const size_t octets = static_cast<size_t>(KeyBits(type)) / 8;
  return IsEc(type) ? 2 * octets : octets;
}

class Pkcs11Custodian final : public TokenCustodian {
 public:
  Pkcs11Custodian(const TokenUri& token, const Pkcs11CustodianOptions& options)
      : pool_(token, {.sessions = options.sessions,
                      .wait = options.wait,
                      .logs_in_again = options.logs_in_again}) {}

  const std::string& name() const override { return pool_.field(); }

  absl::StatusOr<CustodianFacts> Greet() override { return pool_.Greet(); }

  absl::StatusOr<CustodialKey> Open(const KeySelector& selector) override {
    return pool_.Use(Access::kRead,
                     [&](Session& session) { return ReadKeyPair(session, selector); });
  }

  absl::StatusOr<CustodialKey> Generate(const KeySelector& selector, KeyType type) override {
    // One at a time, or two could find each other's key and both give up.
    const std::lock_guard<std::mutex> lock(generating_);
    return pool_.Use(Access::kWrite,
                     [&](Session& session) { return MakeKeyPair(session, selector, type); });
  }

  absl::Status Destroy(const KeySelector& selector) override {
    return pool_.Use(Access::kWrite,
                     [&](Session& session) { return DestroyKeyPair(session, selector); });
  }

  absl::StatusOr<std::vector<KeyListing>> List() override {
    Listing listing(&pool_);
    for (;;) {
      ASSIGN_OR_RETURN(auto keys, listing.ReadOn(std::chrono::hours(1)));
      if (keys.has_value()) return *std::move(keys);
    }
  }

  std::unique_ptr<KeysInParts> ListInParts() override { return std::make_unique<Listing>(&pool_); }

  absl::StatusOr<std::string> SignDigest(const CustodialKey& key,
                                         absl::string_view digest) override {
    // Tokens sign hashes of any length without complaint.
    if (static_cast<int>(digest.size()) != EVP_MD_get_size(DigestOf(key.type))) {
      return Error(ErrorReason::kInternalError, "digest", "of the wrong length");
    }
    absl::StatusOr<std::string> signature =
        pool_.Use(Access::kRead, [&](Session& session) { return SignAsKey(session, key, digest); });
    if (signature.ok()) signatures_.fetch_add(1, std::memory_order_relaxed);
    return signature;
  }

  CustodianStatus Status() const override {
    CustodianStatus status = pool_.Status();
    status.signatures = signatures_.load(std::memory_order_relaxed);
    return status;
  }

 private:
  // Each part has a session for itself, and gives it back.
  class Listing final : public KeysInParts {
   public:
    explicit Listing(SessionPool* pool) : pool_(*pool) {}

    absl::StatusOr<std::optional<std::vector<KeyListing>>> ReadOn(
        std::chrono::nanoseconds budget) override {
      return pool_.Use(Access::kRead,
                       [&](Session& session) { return listing_.ReadOn(session, budget); });
    }

   private:
    SessionPool& pool_;
    TokenListing listing_;
  };

  // A handle may become another key's where the token was lost and came back, without a word of
  // the module. So the first signature after a search, and after every loss since, is verified here
  // too: what signs with another key then is looked for again, and the key stays in service. What
  // the very key signs wrong is the caller's to notice.
  absl::StatusOr<std::string> SignAsKey(Session& session, const CustodialKey& key,
                                        absl::string_view digest) {
    const uint64_t losses = pool_.losses();
    absl::StatusOr<KeyHandles::Handle> handle = handles_.Of(session, key);
    if (!handle.ok()) return NotFound(session, handle.status());
    ASSIGN_OR_RETURN(std::string signature, SignWith(session, key, handle->object, digest));
    if (handle->proved_after == pool_.losses()) return signature;
    ASSIGN_OR_RETURN(const VerifyingKey verifier, VerifyingKey::FromPublicKey(key.public_key));
    if (verifier.VerifyDigest(digest, signature).ok()) {
      handles_.Proved(key, handle->object, losses);
      return signature;
    }
    handles_.Forget(key, handle->object);
    const absl::StatusOr<KeyHandles::Handle> anew = handles_.Of(session, key);
    if (!anew.ok()) return NotFound(session, anew.status());
    if (anew->object == handle->object) return signature;
    return SignWith(session, key, anew->object, digest);
  }

  absl::StatusOr<std::string> SignWith(Session& session, const CustodialKey& key,
                                       CK_OBJECT_HANDLE handle, absl::string_view digest) {
    const std::string input =
        IsEc(key.type) ? std::string(digest) : absl::StrCat(kSha256DigestInfo, digest);
    CK_MECHANISM mechanism = {IsEc(key.type) ? CKM_ECDSA : CKM_RSA_PKCS, nullptr, 0};
    CK_RV code = session.api.C_SignInit(session.handle, &mechanism, handle);
    if (code != CKR_OK) return Failure(key, handle, session, "C_SignInit", code);
    std::string signature(SignatureSize(key.type), '\0');
    CK_ULONG size = signature.size();
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(input.data()));
    code = session.api.C_Sign(session.handle, data, input.size(),
                              reinterpret_cast<unsigned char*>(signature.data()), &size);
    // Where it does not fit, the module says so and the size.
    if (code == CKR_BUFFER_TOO_SMALL || (code == CKR_OK && size != signature.size())) {
      return Error(ErrorReason::kKeyMismatch, session.field,
                   absl::StrCat(key.selector.label, " made a signature of ", size, " octets"));
    }
    if (code != CKR_OK) return Failure(key, handle, session, "C_Sign", code);
    if (!IsEc(key.type)) return signature;
    std::optional<std::string> encoded = EncodeEcdsaValue(signature);
    if (encoded.has_value()) return *std::move(encoded);
    return Error(ErrorReason::kKeyMismatch, session.field,
                 absl::StrCat(key.selector.label, " made a signature of zero"));
  }

  // A key that was there and is not: where the token shows no other one either, it is the token
  // that this module does not see any more.
  static absl::Status NotFound(Session& session, const absl::Status& failure) {
    if (ReasonOf(failure) != ErrorReason::kKeyNotFound) return failure;
    ASSIGN_OR_RETURN(const bool others, HoldsPrivateKeys(session));
    return others ? failure : NeedingNewCustodian(failure);
  }

  absl::Status Failure(const CustodialKey& key, CK_OBJECT_HANDLE handle, const Session& session,
                       absl::string_view function, CK_RV code) {
    if (RemedyOf(code) == Remedy::kFindAgain) handles_.Forget(key, handle);
    return Pkcs11Error(session.field, function, code);
  }

  SessionPool pool_;
  KeyHandles handles_;
  std::mutex generating_;
  std::atomic<std::uint64_t> signatures_ = 0;
};

}  // namespace

std::unique_ptr<TokenCustodian> CreatePkcs11Custodian(const TokenUri& token,
                                                      const Pkcs11CustodianOptions& options) {
  return std::make_unique<Pkcs11Custodian>(token, options);
}

}  // namespace hourglass::hsm
