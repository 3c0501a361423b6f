#include "ca/pem.h"

#include <openssl/pem.h>

#include <algorithm>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/openssl.h"

namespace hourglass::ca {
namespace {

constexpr std::size_t kLineSize = 64;

struct OpensslFree {
  void operator()(void* memory) const { OPENSSL_free(memory); }
};

template <typename T>
using OpensslMemory = std::unique_ptr<T, OpensslFree>;

}  // namespace

std::string EncodePem(absl::string_view label, absl::string_view der) {
  const std::string text = absl::Base64Escape(der);
  std::string pem = absl::StrCat("-----BEGIN ", label, "-----\n");
  for (std::size_t i = 0; i < text.size(); i += kLineSize) {
    absl::StrAppend(&pem, absl::string_view(text).substr(i, kLineSize), "\n");
  }
  absl::StrAppend(&pem, "-----END ", label, "-----\n");
  return pem;
}

std::optional<std::string> DecodePem(absl::string_view text,
                                     std::initializer_list<absl::string_view> labels) {
  const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (bio == nullptr) return std::nullopt;
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;  // NOLINT(google-runtime-int): OpenSSL's own type
  while (PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1) {
    const OpensslMemory<char> own_name(name), own_header(header);
    const OpensslMemory<unsigned char> own_data(data);
    if (*header == '\0' && std::find(labels.begin(), labels.end(), name) != labels.end()) {
      return std::string(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    }
  }
  DrainOpensslErrors();
  return std::nullopt;
}

}  // namespace hourglass::ca
