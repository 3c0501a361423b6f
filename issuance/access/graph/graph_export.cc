#include "issuance/access/graph/graph_export.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/access/graph/graph_json.h"
#include "issuance/access/graph/members.h"
#include "issuance/access/graph/readers.h"

namespace hourglass::access {
namespace {

enum class Kind { kUnknown, kPolicy, kLocation, kCompliancePolicy };

// By its type, or by what it has: exports leave types out where the whole list is of one.
Kind KindOf(const Json& object) {
  const auto type = object.find("@odata.type");
  if (type != object.end() && type->is_string()) {
    const auto& name = type->get_ref<const std::string&>();
    if (absl::EndsWithIgnoreCase(name, ".conditionalAccessPolicy")) return Kind::kPolicy;
    if (absl::EndsWithIgnoreCase(name, "NamedLocation")) return Kind::kLocation;
    if (absl::EndsWithIgnoreCase(name, "CompliancePolicy")) return Kind::kCompliancePolicy;
    return Kind::kUnknown;
  }
  if (object.contains("conditions")) return Kind::kPolicy;
  if (object.contains("ipRanges") || object.contains("countriesAndRegions")) {
    return Kind::kLocation;
  }
  return Kind::kUnknown;
}

class Importer {
 public:
  void Object(const Json& json, const std::string& path) {
    Members members(&json, path, &mistakes_);
    if (!json.is_object()) return;
    const std::size_t told = read_.notices.size();
    switch (KindOf(json)) {
      case Kind::kPolicy:
        read_.policies.push_back(ReadPolicy(std::move(members), &read_.notices));
        break;
      case Kind::kLocation:
        read_.locations.push_back(ReadLocation(std::move(members), &read_.notices));
        break;
      case Kind::kCompliancePolicy:
        read_.compliance_policies.push_back(
            ReadCompliancePolicy(std::move(members), &read_.notices));
        break;
      case Kind::kUnknown:
        members.Mistake("",
                        "is no conditionalAccessPolicy, namedLocation or compliance policy; "
                        "compliance policies need their @odata.type");
        break;
    }
    const auto id = json.find("id");
    if (id == json.end() || !id->is_string()) return;
    for (std::size_t i = told; i < read_.notices.size(); ++i) {
      read_.notices[i].object_id = id->get_ref<const std::string&>();
    }
  }

  void List(const Json& list, const std::string& path) {
    if (!list.is_array()) return mistakes_.Add(path, "must be a list");
    for (std::size_t i = 0; i < list.size(); ++i) Object(list[i], absl::StrCat(path, "[", i, "]"));
  }

  void Answer(const Json& answer) {
    if (answer.contains("@odata.nextLink") && !answer["@odata.nextLink"].is_null()) {
      mistakes_.Add("@odata.nextLink", "says that this is not all; get the other pages, too");
    }
    List(answer["value"], "value");
  }

  absl::StatusOr<GraphExport> Take() {
    RETURN_IF_ERROR(mistakes_.Finish());
    return std::move(read_);
  }

 private:
  Mistakes mistakes_;
  GraphExport read_;
};

}  // namespace

absl::StatusOr<GraphExport> ParseGraphExport(absl::string_view octets) {
  ASSIGN_OR_RETURN(const Json json, ReadGraphJson(octets));
  Importer importer;
  if (json.is_array()) {
    importer.List(json, "");
  } else if (json.is_object() && json.contains("value")) {
    importer.Answer(json);
  } else {
    importer.Object(json, "");
  }
  return importer.Take();
}

std::string WriteGraphExport(const GraphExport& objects) {
  Json list = Json::array();
  for (const auto& policy : objects.policies) list.push_back(PolicyJson(policy));
  for (const auto& location : objects.locations) list.push_back(LocationJson(location));
  for (const auto& policy : objects.compliance_policies) {
    list.push_back(CompliancePolicyJson(policy));
  }
  Json answer = Json::object();
  answer["value"] = std::move(list);
  return absl::StrCat(answer.dump(2, ' ', false, Json::error_handler_t::replace), "\n");
}

}  // namespace hourglass::access
