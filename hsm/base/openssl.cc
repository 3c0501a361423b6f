#include "hsm/base/openssl.h"

#include <openssl/err.h>

#include "absl/strings/str_cat.h"

namespace hourglass {

std::string DrainOpensslErrors() {
  std::string joined;
  while (const unsigned long code =
             ERR_get_error()) {  // NOLINT(google-runtime-int): OpenSSL's own type
    char text[256];
    ERR_error_string_n(code, text, sizeof(text));
    absl::StrAppend(&joined, joined.empty() ? "" : "; ", text);
  }
  return joined.empty() ? "no OpenSSL error" : joined;
}

}  // namespace hourglass
