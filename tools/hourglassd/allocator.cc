#include <gperftools/malloc_extension.h>

namespace hourglass {
namespace {

// Free memory that threads may keep for their next allocations, all together: a quarter of the
// default. The service's threads hand on what they allocate, so that more is kept than is used; it
// is not faster with more.
constexpr std::size_t kMostInThreadCaches = std::size_t{8} << 20;

[[maybe_unused]] const bool kIsBounded = MallocExtension::instance()->SetNumericProperty(
    "tcmalloc.max_total_thread_cache_bytes", kMostInThreadCaches);

}  // namespace
}  // namespace hourglass
