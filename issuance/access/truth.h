// Three-valued logic (Kleene): what is not known is neither true nor false.
#ifndef HOURGLASS_ISSUANCE_ACCESS_TRUTH_H_
#define HOURGLASS_ISSUANCE_ACCESS_TRUTH_H_

#include <algorithm>
#include <optional>

// Conditional access and device compliance as Microsoft Entra and Intune have them: pure functions,
// without a clock or anything that waits.
namespace hourglass::access {

// In this order: AND is the least, OR the greatest.
enum class Truth { kNo, kUnknown, kYes };

constexpr Truth And(Truth a, Truth b) { return std::min(a, b); }
constexpr Truth Or(Truth a, Truth b) { return std::max(a, b); }
constexpr Truth Not(Truth a) {
  return a == Truth::kYes ? Truth::kNo : a == Truth::kNo ? Truth::kYes : Truth::kUnknown;
}
constexpr Truth Known(bool value) { return value ? Truth::kYes : Truth::kNo; }
constexpr Truth Known(std::optional<bool> value) {
  return value.has_value() ? Known(*value) : Truth::kUnknown;
}

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_TRUTH_H_
