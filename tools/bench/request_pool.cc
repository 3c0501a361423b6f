#include "tools/bench/request_pool.h"

#include <openssl/rsa.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"

namespace hourglass::bench {
namespace {

absl::Status OpensslFailed(absl::string_view what) {
  return Error(ErrorReason::kInternalError, what, DrainOpensslErrors());
}

EvpPkeyPtr MakeKey(hsm::KeyType type) {
  if (!hsm::IsEc(type)) return EvpPkeyPtr(EVP_RSA_gen(static_cast<unsigned>(hsm::KeyBits(type))));
  return EvpPkeyPtr(EVP_EC_gen(type == hsm::KeyType::kEcP256 ? "P-256" : "P-384"));
}

// Null where OpenSSL fails.
EvpPkeyCtxPtr MakeVerification(hsm::KeyType type, EVP_PKEY* key) {
  EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  const bool ready =
      context != nullptr && EVP_PKEY_verify_init(context.get()) == 1 &&
      EVP_PKEY_CTX_set_signature_md(context.get(), hsm::DigestOf(type)) == 1 &&
      (hsm::IsEc(type) || EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1);
  return ready ? std::move(context) : nullptr;
}

X509ReqPtr MakeX509Request(hsm::KeyType type, EVP_PKEY* key, int number) {
  X509ReqPtr request(X509_REQ_new());
  const std::string name = absl::StrCat("device-", number);
  const bool made = request != nullptr &&
                    X509_NAME_add_entry_by_txt(
                        X509_REQ_get_subject_name(request.get()), "CN", MBSTRING_ASC,
                        reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0) == 1 &&
                    X509_REQ_set_pubkey(request.get(), key) == 1 &&
                    X509_REQ_sign(request.get(), key, hsm::DigestOf(type)) > 0;
  return made ? std::move(request) : nullptr;
}

// Empty where OpenSSL fails.
std::string Der(int (*encode)(X509_REQ*, unsigned char**), X509_REQ* request) {
  unsigned char* der = nullptr;
  const int size = encode(request, &der);
  if (size <= 0) return "";
  std::string octets(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return octets;
}

absl::StatusOr<PooledRequest> MakeRequest(hsm::KeyType type, EVP_PKEY* key, int number) {
  const X509ReqPtr request = MakeX509Request(type, key, number);
  if (request == nullptr) return OpensslFailed("request");
  PooledRequest pooled;
  pooled.der =
      Der([](X509_REQ* r, unsigned char** out) { return i2d_X509_REQ(r, out); }, request.get());
  ASSIGN_OR_RETURN(pooled.digest, hsm::Digest(type, Der(i2d_re_X509_REQ_tbs, request.get())));
  const ASN1_BIT_STRING* signature = nullptr;
  X509_REQ_get0_signature(request.get(), &signature, nullptr);
  pooled.signature.assign(signature->data, signature->data + signature->length);
  return pooled;
}

}  // namespace

absl::StatusOr<RequestPool> RequestPool::Create(hsm::KeyType type, int size) {
  const int requests_per_key = hsm::IsEc(type) ? 1 : 4;
  RequestPool pool;
  EvpPkeyPtr key;
  for (int i = 0; i < size; ++i) {
    if (i % requests_per_key == 0) {
      key = MakeKey(type);
      if (key == nullptr) return OpensslFailed("key");
      pool.verifications_.push_back(MakeVerification(type, key.get()));
      if (pool.verifications_.back() == nullptr) return OpensslFailed("verification");
    }
    ASSIGN_OR_RETURN(PooledRequest request, MakeRequest(type, key.get(), i));
    request.verification = pool.verifications_.back().get();
    pool.requests_.push_back(std::move(request));
  }
  return pool;
}

}  // namespace hourglass::bench
