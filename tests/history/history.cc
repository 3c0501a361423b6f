#include "tests/history/history.h"

namespace hourglass::history {
namespace {

constexpr AdministrativeMethod kMethods[] = {
    AdministrativeMethod::kCreateRoot, AdministrativeMethod::kPromoteRoot,
    AdministrativeMethod::kRollBackRoot, AdministrativeMethod::kRetireRoot,
    AdministrativeMethod::kDiscardRoot};

}  // namespace

absl::string_view MethodName(AdministrativeMethod method) {
  switch (method) {
    case AdministrativeMethod::kCreateRoot:
      return "CreateRoot";
    case AdministrativeMethod::kPromoteRoot:
      return "PromoteRoot";
    case AdministrativeMethod::kRollBackRoot:
      return "RollBackRoot";
    case AdministrativeMethod::kRetireRoot:
      return "RetireRoot";
    case AdministrativeMethod::kDiscardRoot:
      return "DiscardRoot";
  }
  return "unknown";
}

std::optional<AdministrativeMethod> MethodOfName(absl::string_view name) {
  for (const AdministrativeMethod method : kMethods) {
    if (MethodName(method) == name) return method;
  }
  return std::nullopt;
}

}  // namespace hourglass::history
