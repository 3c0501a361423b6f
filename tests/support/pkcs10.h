// PKCS#10 requests made by the OpenSSL CLI.
#ifndef HOURGLASS_TESTS_SUPPORT_PKCS10_H_
#define HOURGLASS_TESTS_SUPPORT_PKCS10_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass {

// A request, DER, for a new key made with these `openssl req` options (`-newkey`, `-pkeyopt`, …),
// and further options such as `-addext`, or `-subj` for a subject other than `/CN=ignored`. Ends
// the process where the OpenSSL CLI fails.
std::string MakePkcs10(const std::vector<std::string>& key_options,
                       const std::vector<std::string>& more_options = {});

// A request for a new P-256 key.
std::string MakeEcPkcs10();

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_PKCS10_H_
