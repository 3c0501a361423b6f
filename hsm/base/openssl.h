// OpenSSL's handles as owning pointers, and its error queue as text.
#ifndef HOURGLASS_HSM_BASE_OPENSSL_H_
#define HOURGLASS_HSM_BASE_OPENSSL_H_

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace hourglass {

template <auto kFree>
struct OpensslDeleter {
  template <typename T>
  void operator()(T* handle) const {
    kFree(handle);
  }
};

// Owns an OpenSSL handle: OpensslPtr<X509, X509_free>.
template <typename T, auto kFree>
using OpensslPtr = std::unique_ptr<T, OpensslDeleter<kFree>>;

using BignumPtr = OpensslPtr<BIGNUM, BN_clear_free>;
using BioPtr = OpensslPtr<BIO, BIO_free_all>;
using EcdsaSigPtr = OpensslPtr<ECDSA_SIG, ECDSA_SIG_free>;
using EvpMdCtxPtr = OpensslPtr<EVP_MD_CTX, EVP_MD_CTX_free>;
using EvpPkeyCtxPtr = OpensslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using EvpPkeyPtr = OpensslPtr<EVP_PKEY, EVP_PKEY_free>;
using X509Ptr = OpensslPtr<X509, X509_free>;
using X509ReqPtr = OpensslPtr<X509_REQ, X509_REQ_free>;

// Takes every error off this thread's OpenSSL queue and returns them joined by "; ", oldest first;
// "no OpenSSL error" where there was none. Holds no key material.
std::string DrainOpensslErrors();

}  // namespace hourglass

#endif  // HOURGLASS_HSM_BASE_OPENSSL_H_
