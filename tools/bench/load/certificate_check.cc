#include "tools/bench/load/certificate_check.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <set>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "hourglass/v1/issuance.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"

namespace hourglass::bench {
namespace {

constexpr char kConditionalAccess[] = "1.3.6.1.4.1.311.87";

using X509StorePtr = OpensslPtr<X509_STORE, X509_STORE_free>;
using X509StoreCtxPtr = OpensslPtr<X509_STORE_CTX, X509_STORE_CTX_free>;
using ExtendedKeyUsagePtr = OpensslPtr<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;

absl::Status Wrong(absl::string_view what) {
  return Error(ErrorReason::kInternalError, "", absl::StrCat("wrong certificate: ", what));
}

X509Ptr Parse(absl::string_view der) {
  const auto* octets = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = octets + der.size();
  X509Ptr certificate(d2i_X509(nullptr, &octets, static_cast<long>(der.size())));  // NOLINT
  if (octets != end) certificate.reset();
  return certificate;
}

void FreeStack(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }

// For a TLS client, now, with nothing trusted but the root.
absl::Status CheckChain(X509* certificate, const v1::IssueCertificateResponse& response,
                        absl::string_view root) {
  if (response.chain().empty() || *response.chain().rbegin() != root) {
    return Wrong("the chain does not end in the tenant's primary root");
  }
  const X509Ptr trusted = Parse(root);
  const X509StorePtr store(X509_STORE_new());
  const X509StoreCtxPtr context(X509_STORE_CTX_new());
  const OpensslPtr<STACK_OF(X509), FreeStack> between(sk_X509_new_null());
  for (int i = 0; i + 1 < response.chain_size(); ++i) {
    X509Ptr intermediate = Parse(response.chain(i));
    if (intermediate == nullptr) return Wrong("the chain is not DER");
    if (sk_X509_push(between.get(), intermediate.get()) > 0) (void)intermediate.release();
  }
  if (trusted == nullptr || X509_STORE_add_cert(store.get(), trusted.get()) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), certificate, between.get()) != 1 ||
      X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_CLIENT) != 1) {
    return Wrong(DrainOpensslErrors());
  }
  if (X509_verify_cert(context.get()) == 1) return absl::OkStatus();
  return Wrong(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
}

bool HasKeyPurpose(X509* certificate, const char* oid) {
  const ExtendedKeyUsagePtr purposes(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr)));
  for (int i = 0; purposes != nullptr && i < sk_ASN1_OBJECT_num(purposes.get()); ++i) {
    char text[128];
    OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(purposes.get(), i), /*no_name=*/1);
    if (absl::string_view(text) == oid) return true;
  }
  return false;
}

std::string PublicKeyOf(const X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return "";
  std::string octets(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return octets;
}

std::string CommonNameOf(const X509* certificate) {
  char name[256] = {};
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                             name, sizeof(name));
  return size < 0 ? "" : std::string(name, static_cast<std::size_t>(size));
}

std::string SerialOf(const X509* certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)),
                     static_cast<std::size_t>(ASN1_STRING_length(serial)));
}

// Against the first of `roots` that fits, else as the last one has it.
absl::Status CheckSample(const SampledAnswer& sample, const PreparedRequest& request,
                         const std::vector<const PrimaryRoots*>& roots) {
  absl::Status status;
  for (const PrimaryRoots* of_tenants : roots) {
    const auto root = of_tenants->find(request.tenant_id);
    if (root == of_tenants->end()) return Wrong(absl::StrCat("no root of ", request.tenant_id));
    status = CheckAnswer(sample.response, request, root->second);
    if (status.ok()) break;
  }
  return status;
}

// What a sample may end in.
using RootsOfSample = absl::FunctionRef<std::vector<const PrimaryRoots*>(const SampledAnswer&)>;

absl::Status CheckAll(const LoadResult& result, const PreparedRequests& pool,
                      RootsOfSample roots_of) {
  if (result.certificates > 0 && result.samples.empty()) return Wrong("none was kept to look at");
  std::set<std::string> serials;
  for (const SampledAnswer& sample : result.samples) {
    RETURN_IF_ERROR(CheckSample(sample, pool[sample.request], roots_of(sample)));
    v1::IssueCertificateResponse parsed;
    parsed.ParseFromString(sample.response);
    if (!serials.insert(parsed.serial_number()).second) return Wrong("two have one serial number");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckAnswer(absl::string_view response, const PreparedRequest& request,
                         absl::string_view root) {
  v1::IssueCertificateResponse parsed;
  if (!parsed.ParseFromArray(response.data(), static_cast<int>(response.size()))) {
    return Wrong("the answer is no IssueCertificateResponse");
  }
  const X509Ptr certificate = Parse(parsed.certificate());
  if (certificate == nullptr) return Wrong("it is not DER");
  RETURN_IF_ERROR(CheckChain(certificate.get(), parsed, root));
  if (PublicKeyOf(certificate.get()) != request.public_key) {
    return Wrong("its key is not the request's");
  }
  if (CommonNameOf(certificate.get()) != request.user_upn) {
    return Wrong("its common name is not the user");
  }
  if (SerialOf(certificate.get()) != parsed.serial_number()) {
    return Wrong("its serial number is not the one beside it");
  }
  if (!HasKeyPurpose(certificate.get(), kConditionalAccess)) {
    return Wrong("it lacks the conditional-access OID");
  }
  return absl::OkStatus();
}

absl::Status CheckSamples(const LoadResult& result, const PreparedRequests& pool,
                          const PrimaryRoots& roots) {
  return CheckAll(result, pool, [&roots](const SampledAnswer&) {
    return std::vector<const PrimaryRoots*>{&roots};
  });
}

absl::Status CheckSamples(const LoadResult& result, const PreparedRequests& pool,
                          const PromotedRoots& roots) {
  return CheckAll(result, pool, [&roots](const SampledAnswer& sample) {
    std::vector<const PrimaryRoots*> possible = {&roots.after};
    if (sample.sent < roots.done) possible.push_back(&roots.before);
    return possible;
  });
}

}  // namespace hourglass::bench
