#include "tools/bench/report/options.h"

#include <cstdio>

namespace hourglass::bench {

void Progress(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

}  // namespace hourglass::bench
