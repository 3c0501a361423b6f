#include "issuance/calls/method_kind.h"

#include <algorithm>
#include <iterator>

namespace hourglass::issuance {
namespace {

struct Method {
  absl::string_view name;
  MethodKind kind;
};

constexpr Method kMethods[] = {
    {"IssueCertificate", MethodKind::kIssuing},  {"IssueCertificates", MethodKind::kIssuing},
    {"GetTrustBundle", MethodKind::kListing},

    {"Evaluate", MethodKind::kListing},

    {"AcceptClock", MethodKind::kChange},        {"GetClock", MethodKind::kListing},

    {"CreateTenant", MethodKind::kChange},       {"ListTenants", MethodKind::kListing},
    {"GetTenant", MethodKind::kListing},

    {"PromoteRoot", MethodKind::kPromotion},     {"CreateRoot", MethodKind::kChange},
    {"RetireRoot", MethodKind::kChange},         {"DiscardRoot", MethodKind::kChange},
    {"ListRoots", MethodKind::kListing},         {"GetRoot", MethodKind::kListing},
    {"ListIntermediates", MethodKind::kListing},

    {"CreateKey", MethodKind::kChange},          {"DestroyKey", MethodKind::kChange},
    {"ListKeys", MethodKind::kListing},

    {"ReportDevice", MethodKind::kChange},       {"RemoveDevice", MethodKind::kChange},
    {"ListDevices", MethodKind::kListing},       {"GetDevice", MethodKind::kListing},

    {"ListCertificates", MethodKind::kListing},  {"GetCertificate", MethodKind::kListing},
};

}  // namespace

std::optional<MethodKind> KindOfMethod(absl::string_view name) {
  const auto* const found = std::find_if(std::begin(kMethods), std::end(kMethods),
                                         [&](const Method& method) { return method.name == name; });
  if (found == std::end(kMethods)) return std::nullopt;
  return found->kind;
}

}  // namespace hourglass::issuance
