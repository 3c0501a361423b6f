// What a header declares to those who include it, so that a change of it is seen.
#ifndef HOURGLASS_TESTS_LIBRARY_DECLARATIONS_H_
#define HOURGLASS_TESTS_LIBRARY_DECLARATIONS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::library {

// The declarations of a header that is written as this repository's are, in their order: each with
// the class or namespace that it is in, on one line with single spaces, without comments, bodies,
// initialisers of constructors and what is private; values of constants and defaults of fields
// stay. `hourglass::ca::TestCa | int primary() const`.
std::vector<std::string> DeclarationsOf(absl::string_view header);

}  // namespace hourglass::library

#endif  // HOURGLASS_TESTS_LIBRARY_DECLARATIONS_H_
