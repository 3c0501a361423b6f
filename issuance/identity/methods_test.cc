#include "issuance/identity/methods.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "hourglass/v1/blocks.pb.h"
#include "hourglass/v1/clock.pb.h"
#include "hourglass/v1/compliance.pb.h"
#include "hourglass/v1/decisions.pb.h"
#include "hourglass/v1/device_keys.pb.h"
#include "hourglass/v1/devices.pb.h"
#include "hourglass/v1/directory.pb.h"
#include "hourglass/v1/issuance.pb.h"
#include "hourglass/v1/journal.pb.h"
#include "hourglass/v1/keys.pb.h"
#include "hourglass/v1/policies.pb.h"
#include "hourglass/v1/roots.pb.h"
#include "hourglass/v1/rotation.pb.h"
#include "hourglass/v1/service_status.pb.h"
#include "hourglass/v1/tenants.pb.h"
#include "hourglass/v1/trust_bundles.pb.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAreArray;

constexpr Role kAllRoles[] = {Role::kBroker, Role::kAdministrator, Role::kAuditor,
                              Role::kDeviceReporter, Role::kRelyingParty};

std::vector<const google::protobuf::MethodDescriptor*> MethodsOfTheContract() {
  std::vector<const google::protobuf::MethodDescriptor*> methods;
  for (const google::protobuf::FileDescriptor* file :
       {v1::Block::descriptor()->file(), v1::Refusal::descriptor()->file(),
        v1::DeviceKey::descriptor()->file(), v1::DirectoryUser::descriptor()->file(),
        v1::Clock::descriptor()->file(), v1::Verdict::descriptor()->file(),
        v1::Device::descriptor()->file(), v1::IssueCertificateRequest::descriptor()->file(),
        v1::TrustBundle::descriptor()->file(), v1::JournalEntry::descriptor()->file(),
        v1::Key::descriptor()->file(), v1::Policy::descriptor()->file(),
        v1::Root::descriptor()->file(), v1::Rotation::descriptor()->file(),
        v1::ServiceStatus::descriptor()->file(), v1::Tenant::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int i = 0; i < file->service(s)->method_count(); ++i) {
        methods.push_back(file->service(s)->method(i));
      }
    }
  }
  return methods;
}

Caller CallerWith(std::vector<Role> roles, std::vector<std::string> tenants) {
  Caller caller;
  caller.name = "somebody";
  caller.roles = std::move(roles);
  caller.tenants = std::move(tenants);
  return caller;
}

TEST(MethodsTest, AreTheContracts) {
  std::set<std::string> names;
  for (const google::protobuf::MethodDescriptor* described : MethodsOfTheContract()) {
    const std::string& name = described->name();
    ASSERT_TRUE(names.insert(name).second) << name << " is in two services";
    const Method& method = MethodNamed(name);
    EXPECT_EQ(method.name, name);
    if (absl::StartsWith(name, "List") || absl::StartsWith(name, "Get")) {
      EXPECT_EQ(method.kind, MethodKind::kListing) << name;
    }
    // A bound to a tenant is judged by the tenant that the request names.
    const bool names_tenant = described->input_type()->FindFieldByName("tenant_id") != nullptr;
    if (method.scope == MethodScope::kTenant) {
      EXPECT_TRUE(names_tenant) << name;
    }
    if (method.scope == MethodScope::kOwnTenants) {
      EXPECT_FALSE(names_tenant) << name;
    }
  }
  std::set<std::string> in_table;
  for (const Method& method : Methods()) {
    EXPECT_TRUE(in_table.insert(std::string(method.name)).second) << method.name << " twice";
  }
  EXPECT_EQ(in_table, names);
  EXPECT_GE(names.size(), 43U);
}

TEST(MethodsTest, PromotionsAndIssuingAreOfTheirOwnKinds) {
  for (const Method& method : Methods()) {
    EXPECT_EQ(method.kind == MethodKind::kPromotion,
              method.name == "PromoteRoot" || method.name == "RollBackRoot")
        << method.name;
    EXPECT_EQ(method.kind == MethodKind::kIssuing, absl::StartsWith(method.name, "Issue"))
        << method.name;
  }
  EXPECT_EQ(MethodNamed("CreateRoot").kind, MethodKind::kChange);
}

// What follows a bundle can do nothing else, whoever has taken it.
TEST(MethodsTest, RelyingPartiesFollowTheBundleAndDecisionsAndNothingElse) {
  std::set<std::string> theirs;
  for (const Method& method : Methods()) {
    if (method.roles.Has(Role::kRelyingParty)) theirs.emplace(method.name);
  }
  EXPECT_THAT(theirs, ElementsAreArray({"AcknowledgeTrustBundle", "GetTrustBundle",
                                        "WatchDecisions", "WatchTrustBundle"}));
}

TEST(MethodsDeathTest, NoneIsServedThatIsInNoTable) {
  EXPECT_DEATH(static_cast<void>(MethodNamed("Promote")), "");
}

// The table that docs/security.md shows to people: who may, by method.
std::map<std::string, std::vector<std::string>> TableOfTheDocument() {
  std::map<std::string, std::vector<std::string>> rows;
  for (const absl::string_view line : absl::StrSplit(ReadFileOrDie("docs/security.md"), '\n')) {
    const std::vector<std::string> columns = absl::StrSplit(line, '|');
    if (columns.size() != 9 || !absl::StartsWith(columns[1], " `")) continue;
    for (const absl::string_view name :
         absl::StrSplit(absl::StripAsciiWhitespace(columns[1]), ", ")) {
      std::vector<std::string>& row = rows[std::string(name.substr(1, name.size() - 2))];
      for (std::size_t i = 2; i + 1 < columns.size(); ++i) {
        row.emplace_back(absl::StripAsciiWhitespace(columns[i]));
      }
    }
  }
  return rows;
}

std::string ScopeInWords(MethodScope scope) {
  switch (scope) {
    case MethodScope::kTenant:
      return "the tenant in the request";
    case MethodScope::kEveryTenant:
      return "every tenant";
    case MethodScope::kOwnTenants:
      return "shows its own";
  }
  return "";
}

TEST(MethodsTest, AreAsTheDocumentSays) {
  const auto document = TableOfTheDocument();
  EXPECT_EQ(document.size(), Methods().size());
  for (const Method& method : Methods()) {
    const auto row = document.find(std::string(method.name));
    ASSERT_NE(row, document.end()) << method.name;
    std::vector<std::string> expected;
    for (const Role role : kAllRoles) expected.emplace_back(method.roles.Has(role) ? "yes" : "");
    expected.push_back(ScopeInWords(method.scope));
    EXPECT_THAT(row->second, ElementsAreArray(expected)) << method.name;
  }
}

TEST(MethodsTest, EachRoleMayCallWhatItHas) {
  for (const Method& method : Methods()) {
    for (const Role role : kAllRoles) {
      Caller caller = CallerWith({role}, {"contoso"});
      caller.all_tenants = method.scope == MethodScope::kEveryTenant;
      if (method.roles.Has(role)) {
        EXPECT_OK(Permit(caller, method, "contoso")) << method.name << " " << RoleName(role);
      } else {
        EXPECT_THAT(Permit(caller, method, "contoso"), FailsWith(ErrorReason::kRoleNotPermitted))
            << method.name << " " << RoleName(role);
      }
    }
    Caller nobody = CallerWith({}, {});
    nobody.all_tenants = true;
    EXPECT_THAT(Permit(nobody, method, "contoso"), FailsWith(ErrorReason::kRoleNotPermitted));
  }
}

TEST(MethodsTest, WhatIsOfEveryTenantTakesACallerBoundToAll) {
  for (const Method& method : Methods()) {
    if (method.scope != MethodScope::kEveryTenant) continue;
    Caller caller = CallerWith({Role::kAdministrator}, {"contoso"});
    // Whatever tenant the request names.
    for (const char* tenant : {"contoso", ""}) {
      EXPECT_THAT(Permit(caller, method, tenant), FailsWith(ErrorReason::kTenantNotPermitted, ""))
          << method.name;
    }
    caller.all_tenants = true;
    EXPECT_OK(Permit(caller, method, "")) << method.name;
  }
}

TEST(MethodsTest, SayWhichRoleTheyTake) {
  const absl::Status refused =
      Permit(CallerWith({Role::kBroker}, {"contoso"}), MethodNamed("GetDevice"), "contoso");
  EXPECT_EQ(refused.message(),
            "GetDevice takes the role device_reporter or administrator or auditor, and caller "
            "somebody has it not");
  const absl::Status watching = Permit(CallerWith({Role::kAdministrator}, {"contoso"}),
                                       MethodNamed("WatchTrustBundle"), "contoso");
  EXPECT_EQ(watching.message(),
            "WatchTrustBundle takes the role relying_party, and caller somebody has it not");
}

TEST(MethodsTest, WantARoleAndATenant) {
  const Method& method = MethodNamed("IssueCertificate");
  Caller caller = CallerWith({Role::kBroker}, {"contoso"});
  EXPECT_OK(Permit(caller, method, "contoso"));
  for (const char* tenant : {"fabrikam", "*", "contos", "contoso2"}) {
    EXPECT_THAT(Permit(caller, method, tenant),
                FailsWith(ErrorReason::kTenantNotPermitted, "tenant_id"));
  }
  EXPECT_THAT(Permit(caller, method, ""), FailsWith(ErrorReason::kFieldMissing, "tenant_id"));
  // The role comes first: what the request names is told to nobody who may not ask.
  EXPECT_THAT(Permit(CallerWith({Role::kAuditor}, {"contoso"}), method, ""),
              FailsWith(ErrorReason::kRoleNotPermitted));
  caller.tenants.clear();
  EXPECT_THAT(Permit(caller, method, "contoso"),
              FailsWith(ErrorReason::kTenantNotPermitted, "tenant_id"));
  caller.all_tenants = true;
  EXPECT_OK(Permit(caller, method, "fabrikam"));
}

TEST(MethodsTest, WantATenantIdThatIsOne) {
  Caller caller = CallerWith({Role::kBroker}, {});
  caller.all_tenants = true;
  EXPECT_OK(CheckBound(caller, "contoso"));
  EXPECT_THAT(CheckBound(caller, ""), FailsWith(ErrorReason::kFieldMissing, "tenant_id"));
  for (const absl::string_view tenant : {"*", "Contoso", "../contoso", "a b", "contoso\n"}) {
    EXPECT_THAT(CheckBound(caller, tenant), FailsWith(ErrorReason::kFieldInvalid, "tenant_id"));
  }
  EXPECT_THAT(CheckBound(caller, absl::string_view("contoso\0", 8)),
              FailsWith(ErrorReason::kFieldInvalid, "tenant_id"));
}

}  // namespace
}  // namespace hourglass::issuance
