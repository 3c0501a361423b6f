#include "tools/bench/allocation_count.h"

#include <cstddef>

#include "hsm/base/sanitizers.h"

namespace hourglass::bench {
namespace {

thread_local std::uint64_t allocations = 0;

}  // namespace

std::uint64_t AllocationsOfThisThread() { return allocations; }

}  // namespace hourglass::bench

#if !HOURGLASS_ADDRESS_SANITIZER

// The C library's own, under names that are not replaced (glibc's malloc/malloc.c). What they
// allocate, the C library's free takes back.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier)
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
// NOLINTEND(bugprone-reserved-identifier)

void* malloc(std::size_t size) {
  ++hourglass::bench::allocations;
  return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) {
  ++hourglass::bench::allocations;
  return __libc_calloc(count, size);
}

void* realloc(void* block, std::size_t size) {
  ++hourglass::bench::allocations;
  return __libc_realloc(block, size);
}
}

#endif
