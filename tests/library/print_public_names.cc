// Prints what tools/library/public_names must hold: tools/public-names.
#include <iostream>

#include "tests/library/public_names.h"
#include "tests/support/temporary_directory.h"

int main() {
  using namespace hourglass;
  std::cout << library::PublicNames(
      library::PublicHeadersOf(ReadFileOrDie("tools/library/public_headers")));
}
