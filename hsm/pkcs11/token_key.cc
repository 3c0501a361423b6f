#include "hsm/pkcs11/token_key.h"

#include <openssl/ecdsa.h>
#include <openssl/rand.h>

#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key_type.h"
#include "hsm/out_of_service.h"
#include "hsm/pkcs11/return_code.h"
#include "hsm/signature.h"

namespace hourglass::hsm {
namespace {

using Access = SessionPool::Access;

// DigestInfo of SHA-256 up to the hash (RFC 8017 section 9.2, note 1).
constexpr absl::string_view kSha256DigestInfo(
    "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", 19);

// From r || s, each half of `raw`, to an Ecdsa-Sig-Value, DER.
absl::StatusOr<std::string> EncodeEcdsaSignature(absl::string_view raw) {
  const auto* octets = reinterpret_cast<const unsigned char*>(raw.data());
  const int half = static_cast<int>(raw.size() / 2);
  BignumPtr r(BN_bin2bn(octets, half, nullptr));
  BignumPtr s(BN_bin2bn(octets + half, half, nullptr));
  const EcdsaSigPtr signature(ECDSA_SIG_new());
  if (r == nullptr || s == nullptr || signature == nullptr ||
      ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) {
    return Error(ErrorReason::kInternalError, "signature", DrainOpensslErrors());
  }
  // The signature owns both now.
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) return Error(ErrorReason::kInternalError, "signature", DrainOpensslErrors());
  std::string encoded(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return encoded;
}

class TokenKey final : public SigningKey {
 public:
  TokenKey(std::shared_ptr<SessionPool> pool, KeySelector selector, KeyType type,
           std::string public_key)
      : pool_(std::move(pool)),
        selector_(std::move(selector)),
        type_(type),
        public_key_(std::move(public_key)) {}

  KeyType type() const override { return type_; }
  const std::string& public_key() const override { return public_key_; }

  absl::StatusOr<std::string> Sign(absl::string_view message) override {
    RETURN_IF_ERROR(out_of_service_.Check(pool_->field()));
    ASSIGN_OR_RETURN(const std::string digest, Digest(type_, message));
    // Tokens sign hashes of any length without complaint.
    if (digest.size() != (type_ == KeyType::kEcP384 ? 48 : 32)) {
      return Error(ErrorReason::kInternalError, "digest", "of the wrong length");
    }
    const std::string input = IsEc(type_) ? digest : absl::StrCat(kSha256DigestInfo, digest);
    ASSIGN_OR_RETURN(std::string raw, pool_->Use(Access::kRead, [&](Session& session) {
      return SignOnce(session, input);
    }));
    if (!IsEc(type_)) return raw;
    return EncodeEcdsaSignature(raw);
  }

  void TakeOutOfService() override { out_of_service_.Set(); }

 private:
  // One number the size of the modulus, or two the size of the curve's order.
  size_t SignatureSize() const {
    const size_t octets = static_cast<size_t>(KeyBits(type_)) / 8;
    return IsEc(type_) ? 2 * octets : octets;
  }

  absl::StatusOr<std::string> SignOnce(Session& session, absl::string_view input) {
    ASSIGN_OR_RETURN(const CK_OBJECT_HANDLE handle, Handle(session));
    CK_MECHANISM mechanism = {IsEc(type_) ? CKM_ECDSA : CKM_RSA_PKCS, nullptr, 0};
    CK_RV code = session.api.C_SignInit(session.handle, &mechanism, handle);
    if (code != CKR_OK) return Failure(handle, session, "C_SignInit", code);
    std::string signature(SignatureSize(), '\0');
    CK_ULONG size = signature.size();
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(input.data()));
    code = session.api.C_Sign(session.handle, data, input.size(),
                              reinterpret_cast<unsigned char*>(signature.data()), &size);
    if (code != CKR_OK) return Failure(handle, session, "C_Sign", code);
    if (size != signature.size()) {
      return Error(ErrorReason::kKeyMismatch, session.field,
                   absl::StrCat(selector_.label, " made a signature of ", size, " octets"));
    }
    return signature;
  }

  absl::StatusOr<CK_OBJECT_HANDLE> Handle(Session& session) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (handle_ != CK_INVALID_HANDLE && login_ == session.login) return handle_;
    }
    // Several threads may search at once; they find the same.
    ASSIGN_OR_RETURN(const CK_OBJECT_HANDLE handle, FindPrivateKey(session, selector_));
    const std::lock_guard<std::mutex> lock(mutex_);
    handle_ = handle;
    login_ = session.login;
    return handle;
  }

  absl::Status Failure(CK_OBJECT_HANDLE handle, const Session& session, absl::string_view function,
                       CK_RV code) {
    if (RemedyOf(code) == Remedy::kFindAgain) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (handle_ == handle) handle_ = CK_INVALID_HANDLE;
    }
    return Pkcs11Error(session.field, function, code);
  }

  const std::shared_ptr<SessionPool> pool_;
  const KeySelector selector_;
  const KeyType type_;
  const std::string public_key_;
  std::mutex mutex_;
  // Both guarded by mutex_.
  CK_OBJECT_HANDLE handle_ = CK_INVALID_HANDLE;
  uint64_t login_ = 0;
  OutOfService out_of_service_;
};

// The full selector and the public key of a fit key.
struct Inspected {
  KeySelector selector;
  std::string public_key;
};

absl::StatusOr<Inspected> Inspect(Session& session, const KeySelector& selector) {
  ASSIGN_OR_RETURN(const CK_OBJECT_HANDLE handle, FindPrivateKey(session, selector));
  RETURN_IF_ERROR(CheckFitness(session, handle));
  Inspected key{selector, ""};
  ASSIGN_OR_RETURN(key.selector, ReadSelector(session, handle));
  ASSIGN_OR_RETURN(key.public_key, ReadPublicKey(session, key.selector));
  return key;
}

absl::Status RefuseExisting(Session& session, const KeySelector& name) {
  for (const CK_OBJECT_CLASS kind : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
    ASSIGN_OR_RETURN(const auto found, FindObjects(session, kind, name));
    if (!found.empty()) {
      return Error(ErrorReason::kKeyExists, session.field,
                   absl::StrCat("holds a key ", name.label, " already"));
    }
  }
  return absl::OkStatus();
}

// The public half goes first: what is left after a failure in between can still be named and
// destroyed.
absl::Status DestroyPair(Session& session, CK_OBJECT_HANDLE private_key,
                         const KeySelector& selector) {
  ASSIGN_OR_RETURN(const auto public_keys, FindObjects(session, CKO_PUBLIC_KEY, selector));
  for (const CK_OBJECT_HANDLE public_key : public_keys) {
    RETURN_IF_ERROR(DestroyObject(session, public_key));
  }
  return DestroyObject(session, private_key);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SigningKey>> OpenTokenKey(std::shared_ptr<SessionPool> pool,
                                                         const KeySelector& selector) {
  ASSIGN_OR_RETURN(Inspected key, pool->Use(Access::kRead, [&](Session& session) {
    return Inspect(session, selector);
  }));
  ASSIGN_OR_RETURN(const VerifyingKey verifier, VerifyingKey::FromPublicKey(key.public_key));
  auto signing_key = std::make_unique<TokenKey>(std::move(pool), std::move(key.selector),
                                                verifier.type(), std::move(key.public_key));
  constexpr absl::string_view kProbe = "hourglass key check";
  ASSIGN_OR_RETURN(const std::string signature, signing_key->Sign(kProbe));
  RETURN_IF_ERROR(verifier.Verify(kProbe, signature));
  return signing_key;
}

absl::StatusOr<std::unique_ptr<SigningKey>> GenerateTokenKey(std::shared_ptr<SessionPool> pool,
                                                             const KeySelector& selector,
                                                             KeyType type) {
  KeySelector complete = selector;
  if (complete.id.empty()) {
    complete.id.resize(16);
    if (RAND_bytes(reinterpret_cast<unsigned char*>(complete.id.data()), 16) != 1) {
      return Error(ErrorReason::kInternalError, pool->field(), DrainOpensslErrors());
    }
  }
  // Whatever its id: a second key of the name would make the first one's URI, which need not give
  // an id, name two.
  const KeySelector name{selector.label, ""};
  // One at a time, or two could find each other's key and both give up.
  static std::mutex generating;
  std::unique_lock<std::mutex> lock(generating);
  RETURN_IF_ERROR(pool->Use(Access::kWrite, [&](Session& session) -> absl::Status {
    RETURN_IF_ERROR(RefuseExisting(session, name));
    RETURN_IF_ERROR(GenerateKeyPair(session, type, complete));
    // Another process may have made one of the same name meanwhile; then neither may stay by
    // chance.
    ASSIGN_OR_RETURN(const auto all, FindObjects(session, CKO_PRIVATE_KEY, name));
    if (all.size() == 1) return absl::OkStatus();
    ASSIGN_OR_RETURN(const CK_OBJECT_HANDLE ours, FindPrivateKey(session, complete));
    RETURN_IF_ERROR(DestroyPair(session, ours, complete));
    return Error(ErrorReason::kKeyExists, session.field,
                 absl::StrCat("was given another key ", selector.label, " meanwhile"));
  }));
  lock.unlock();
  return OpenTokenKey(std::move(pool), complete);
}

absl::Status DestroyTokenKey(SessionPool& pool, const KeySelector& selector) {
  return pool.Use(Access::kWrite, [&](Session& session) -> absl::Status {
    ASSIGN_OR_RETURN(const CK_OBJECT_HANDLE private_key, FindPrivateKey(session, selector));
    ASSIGN_OR_RETURN(const KeySelector complete, ReadSelector(session, private_key));
    return DestroyPair(session, private_key, complete);
  });
}

}  // namespace hourglass::hsm
