// The public headers of the library, and what they declare.
#ifndef HOURGLASS_TESTS_LIBRARY_PUBLIC_NAMES_H_
#define HOURGLASS_TESTS_LIBRARY_PUBLIC_NAMES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::library {

// One line of tools/library/public_headers.
struct PublicHeader {
  std::string library;      // `hourglass_test_ca`
  std::string included_as;  // `ca/testing/test_ca.h`
};

std::vector<PublicHeader> PublicHeadersOf(absl::string_view list);

// Whether it is generated from a .proto file, which is a contract of its own.
bool IsGenerated(const PublicHeader& header);

// What tools/library/public_names holds: for each header that is not generated, read below the
// working directory, its name and the declarations in it, one a line. Ends the process where one
// cannot be read.
std::string PublicNames(const std::vector<PublicHeader>& headers);

}  // namespace hourglass::library

#endif  // HOURGLASS_TESTS_LIBRARY_PUBLIC_NAMES_H_
