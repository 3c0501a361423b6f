// How often this program allocates.
#ifndef HOURGLASS_TOOLS_BENCH_ALLOCATION_COUNT_H_
#define HOURGLASS_TOOLS_BENCH_ALLOCATION_COUNT_H_

#include <cstdint>

namespace hourglass::bench {

// Allocations of the calling thread since it began, by whatever in this program makes them: calls
// of malloc, calloc and realloc, which the program that links this replaces by ones that count and
// are the C library's otherwise. 0 for ever under AddressSanitizer, which replaces them itself.
std::uint64_t AllocationsOfThisThread();

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_ALLOCATION_COUNT_H_
