// Reads what `bazel query --output=graph` prints, and says which rooms there are and who stands on
// whom: tools/rooms.
#include <iostream>
#include <iterator>
#include <string>

#include "tests/house/rooms.h"

int main() {
  const std::string graph((std::istreambuf_iterator<char>(std::cin)), {});
  std::cout << hourglass::house::Describe(hourglass::house::ArrowsOf(graph));
  return 0;
}
