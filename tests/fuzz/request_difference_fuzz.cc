// Our reader accepts exactly what OpenSSL's accepts, but for what is refused on purpose.
//
// Octets that a fuzzer changes almost never carry a valid signature, and almost never are DER. So
// the input tells changes of a sound request's tree; what comes of the signed part is signed anew
// with the request's key, and the changes go on with the rest. The keys are made when the program
// starts: what an input means does not depend on their octets.
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "ca/encoding/der.h"
#include "hsm/base/openssl.h"
#include "tests/fuzz/der_tree.h"
#include "tests/fuzz/request_readings.h"

namespace hourglass {
namespace {

namespace der = ca::der;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s: %s\n", what, DrainOpensslErrors().c_str());
  std::abort();
}

struct Base {
  EvpPkeyPtr key;
  std::vector<DerNode> info;  // CertificationRequestInfo
};

void AddAttributes(X509_REQ* request) {
  const std::string password = "secret";
  Require(X509_REQ_add1_attr_by_NID(request, NID_pkcs9_challengePassword, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(password.data()),
                                    static_cast<int>(password.size())) == 1,
          "attribute");
  OpensslPtr<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:a.example"));
  STACK_OF(X509_EXTENSION)* extensions = sk_X509_EXTENSION_new_null();
  sk_X509_EXTENSION_push(extensions, extension.get());
  Require(X509_REQ_add_extensions(request, extensions) == 1, "extensions");
  sk_X509_EXTENSION_free(extensions);
}

// A subject of two rows, one of two attributes.
void AddSubject(X509_NAME* name) {
  const auto add = [name](const char* type, const char* value, int set) {
    Require(
        X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(value), -1, -1, set) == 1,
        "subject");
  };
  add("C", "DE", 0);
  add("CN", "J\xc3\xb6rg", 0);
  add("O", "Contoso", -1);
}

Base MakeBase(EVP_PKEY* made, bool bare) {
  Base base{EvpPkeyPtr(made), {}};
  Require(made != nullptr, "key");
  const X509ReqPtr request(X509_REQ_new());
  if (!bare) {
    AddSubject(X509_REQ_get_subject_name(request.get()));
    AddAttributes(request.get());
  }
  Require(X509_REQ_set_pubkey(request.get(), made) == 1, "key");
  unsigned char* octets = nullptr;
  const int size = i2d_re_X509_REQ_tbs(request.get(), &octets);
  Require(size > 0, "request");
  base.info =
      ParseDer(absl::string_view(reinterpret_cast<char*>(octets), static_cast<std::size_t>(size)));
  OPENSSL_free(octets);
  return base;
}

const std::vector<Base>& Bases() {
  static const std::vector<Base>* const bases = [] {
    auto* made = new std::vector<Base>;
    made->push_back(MakeBase(EVP_EC_gen("P-256"), true));
    made->push_back(MakeBase(EVP_EC_gen("P-256"), false));
    made->push_back(MakeBase(EVP_EC_gen("P-384"), false));
    made->push_back(MakeBase(EVP_RSA_gen(2048), false));
    made->push_back(MakeBase(EVP_RSA_gen(1024), true));
    return made;
  }();
  return *bases;
}

struct Signing {
  const char* digest;
  const char* ecdsa;  // AlgorithmIdentifiers, hexadecimal
  const char* rsa;
  int salt = -1;  // PSS where not negative, always with SHA-256 for MGF1
};

constexpr Signing kSignings[] = {
    {"SHA256", "300a06082a8648ce3d040302", "300d06092a864886f70d01010b0500"},
    {"SHA384", "300a06082a8648ce3d040303", "300d06092a864886f70d01010c0500"},
    {"SHA512", "300a06082a8648ce3d040304", "300d06092a864886f70d01010d0500"},
    {"SHA1", "300906072a8648ce3d0401", "300d06092a864886f70d0101050500"},
    {"SHA256", "300c06082a8648ce3d0403020500", "300b06092a864886f70d01010b"},
    // RSASSA-PSS with a salt of 32 octets; of 20, left out and written.
    {"SHA256", "300a06082a8648ce3d040302",
     "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d01010"
     "8300d06096086480165030402010500a203020120",
     32},
    {"SHA256", "300a06082a8648ce3d040302",
     "303c06092a864886f70d01010a302fa00f300d06096086480165030402010500a11c301a06092a864886f70d01010"
     "8300d06096086480165030402010500",
     20},
    {"SHA256", "300a06082a8648ce3d040302",
     "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d01010"
     "8300d06096086480165030402010500a203020114",
     20},
};

std::string Sign(EVP_PKEY* key, const Signing& signing, absl::string_view message) {
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  unsigned char out[512];
  std::size_t size = sizeof(out);
  const bool pss = signing.salt >= 0 && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
  Require(EVP_DigestSignInit_ex(context.get(), &parameters, signing.digest, nullptr, nullptr, key,
                                nullptr) == 1 &&
              (!pss || (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
                        EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, signing.salt) == 1)) &&
              EVP_DigestSign(context.get(), out, &size,
                             reinterpret_cast<const unsigned char*>(message.data()),
                             message.size()) == 1,
          "sign");
  return std::string(out, out + size);
}

// `nodes` as the input's next four octets each say, `count` times or until there are no more.
void ApplyChanges(std::size_t count, absl::string_view* input, std::vector<DerNode>* nodes) {
  for (; count > 0 && input->size() >= 4; --count, input->remove_prefix(4)) {
    const auto octet = [input](std::size_t i) { return static_cast<std::uint8_t>((*input)[i]); };
    Apply({octet(0), octet(1), octet(2), octet(3)}, nodes);
  }
}

// The first octet chooses the request, the second how it is signed, the third how many of the
// changes come before the signature.
void Run(absl::string_view input) {
  if (input.size() < 3) return;
  const auto octet = [&input](std::size_t i) { return static_cast<std::uint8_t>(input[i]); };
  const Base& base = Bases()[octet(0) % Bases().size()];
  const Signing& signing = kSignings[octet(1) % std::size(kSignings)];
  const std::size_t before = octet(2) % 8;
  input.remove_prefix(3);
  std::vector<DerNode> info = base.info;
  ApplyChanges(before, &input, &info);
  const std::string signed_part = Encode(info);
  const bool is_rsa = EVP_PKEY_get_base_id(base.key.get()) == EVP_PKEY_RSA;
  const std::string signature = Sign(base.key.get(), signing, signed_part);
  std::vector<DerNode> rest =
      ParseDer(absl::HexStringToBytes(is_rsa ? signing.rsa : signing.ecdsa) +
               der::Encode(der::kBitString, {std::string(1, '\0'), signature}));
  ApplyChanges(8, &input, &rest);
  std::string request = der::Encode(der::kSequence, {signed_part, Encode(rest)});
  CompareReadings(request);
  // What is left of the input stands behind the request, or cuts it off.
  if (input.empty()) return;
  CompareReadings(request + std::string(input));
  CompareReadings(absl::string_view(request).substr(0, request.size() - 1));
}

}  // namespace
}  // namespace hourglass

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hourglass::Run(absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
