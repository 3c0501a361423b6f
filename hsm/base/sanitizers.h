// Which sanitizer this is compiled with: g++ and clang say so differently.
#ifndef HOURGLASS_HSM_BASE_SANITIZERS_H_
#define HOURGLASS_HSM_BASE_SANITIZERS_H_

#if defined(__has_feature)
#define HOURGLASS_HAS_FEATURE(feature) __has_feature(feature)
#else
#define HOURGLASS_HAS_FEATURE(feature) 0
#endif

// 1 or 0, for what must not even be compiled.
#if defined(__SANITIZE_ADDRESS__) || HOURGLASS_HAS_FEATURE(address_sanitizer)
#define HOURGLASS_ADDRESS_SANITIZER 1
#else
#define HOURGLASS_ADDRESS_SANITIZER 0
#endif

#if defined(__SANITIZE_THREAD__) || HOURGLASS_HAS_FEATURE(thread_sanitizer)
#define HOURGLASS_THREAD_SANITIZER 1
#else
#define HOURGLASS_THREAD_SANITIZER 0
#endif

#undef HOURGLASS_HAS_FEATURE

namespace hourglass::hsm {

constexpr bool kThreadSanitizer = HOURGLASS_THREAD_SANITIZER;

// Sanitizers look into the process with ptrace, start processes of their own, read their options
// from the environment, and take signals of crashes themselves.
constexpr bool kSanitizer = HOURGLASS_ADDRESS_SANITIZER || HOURGLASS_THREAD_SANITIZER;

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_BASE_SANITIZERS_H_
