#include "tools/bench/access/sample_policies.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_format.h"
#include "hsm/base/status_macros.h"
#include "issuance/access/ip_range.h"
#include "issuance/access/named_location.h"
#include "issuance/access/policy.h"

namespace hourglass::bench {
namespace {

using access::ConditionalAccessPolicy;

constexpr char kVpnServer[] = "a0000000-0000-4000-8000-000000000001";
constexpr char kOtherApplication[] = "a0000000-0000-4000-8000-000000000002";
constexpr char kFilter[] =
    R"(device.trustType -eq "ServerAD" -and device.extensionAttribute1 -startsWith "kiosk")";
constexpr int kKinds = 5;
constexpr int kGroupsOfAPolicy = 10;
constexpr int kExcludedGroups = 5;
constexpr int kOffices = 40;
// Groups from this number on are nobody's.
constexpr int kForeignGroups = 1'000'000;
constexpr access::Timestamp kNow{std::chrono::seconds(1'790'000'000)};

// Numbers that are near each other give ids that are not.
std::string GroupId(int number) {
  const auto scattered = static_cast<std::uint32_t>(number) * 2'654'435'761U;
  return absl::StrFormat("%08x-0000-4000-8000-%012x", scattered, number);
}

class PolicyMaker {
 public:
  explicit PolicyMaker(int groups) : groups_(groups) {}

  ConditionalAccessPolicy Make(int number, const char* application) {
    ConditionalAccessPolicy policy;
    policy.id = absl::StrFormat("b0000000-0000-4000-8000-%012d", number);
    policy.display_name = absl::StrFormat("CA%04d", number);
    policy.state = access::PolicyState::kEnabled;
    policy.conditions.applications.include = {application};
    policy.conditions.users.include_users = {"All"};
    policy.grant.emplace();
    Specialize(number % kKinds, policy);
    return policy;
  }

 private:
  void Specialize(int kind, ConditionalAccessPolicy& policy) {
    using access::BuiltInControl;
    std::vector<BuiltInControl>& controls = policy.grant->built_in.values;
    switch (kind) {
      case 0:
        controls = {BuiltInControl::kMfa};
        AskAgainAfterHours(policy);
        return;
      case 1:
        policy.conditions.users.include_users.clear();
        policy.conditions.users.include_groups = SomeGroups();
        controls = {BuiltInControl::kCompliantDevice};
        return;
      case 2:
        ExcludeSome(policy);
        policy.grant->combination = access::GrantOperator::kOr;
        controls = {BuiltInControl::kCompliantDevice, BuiltInControl::kDomainJoinedDevice};
        return;
      case 3:
        policy.conditions.platforms.emplace().include.values = {access::Platform::kWindows,
                                                                access::Platform::kMacOs};
        policy.conditions.locations.emplace().include = {"All"};
        policy.conditions.locations->exclude = {"AllTrusted"};
        controls = {BuiltInControl::kMfa};
        return;
      default:
        policy.conditions.sign_in_risk.values = {access::RiskLevel::kMedium,
                                                 access::RiskLevel::kHigh};
        controls = {BuiltInControl::kBlock};
        return;
    }
  }

  static void AskAgainAfterHours(ConditionalAccessPolicy& policy) {
    access::SignInFrequency& frequency = policy.session.emplace().sign_in_frequency.emplace();
    frequency.value = 12;
    frequency.unit = access::FrequencyUnit::kHours;
  }

  void ExcludeSome(ConditionalAccessPolicy& policy) {
    for (int i = 0; i < kExcludedGroups; ++i) {
      policy.conditions.users.exclude_groups.push_back(GroupId(kForeignGroups + ++foreign_));
    }
    access::DeviceFilter& filter = policy.conditions.devices.emplace().filter.emplace();
    filter.mode = access::FilterMode::kExclude;
    filter.rule = kFilter;
  }

  // The last one is the user's.
  std::vector<std::string> SomeGroups() {
    std::vector<std::string> ids;
    for (int i = 1; i < kGroupsOfAPolicy; ++i) {
      ids.push_back(GroupId(kForeignGroups + ++foreign_));
    }
    own_ = (own_ + 7919) % groups_;
    ids.push_back(GroupId(own_));
    return ids;
  }

  const int groups_;
  int foreign_ = 0;
  int own_ = 0;
};

access::NamedLocation Offices() {
  access::IpLocation offices;
  offices.trusted = true;
  for (int i = 0; i < kOffices; ++i) {
    offices.ranges.push_back(*access::ParseIpRange(absl::StrFormat("10.%d.0.0/16", i)));
  }
  access::NamedLocation location;
  location.id = "c0000000-0000-4000-8000-000000000001";
  location.display_name = "Offices";
  location.place = std::move(offices);
  return location;
}

access::DeviceFacts CompliantLaptop() {
  access::DeviceFacts device;
  device.registered = true;
  device.managed = true;
  device.trust_type = access::TrustType::kAzureAd;
  device.ownership = access::DeviceOwnership::kCompany;
  device.compliance = access::ComplianceState::kCompliant;
  device.platform = access::Platform::kWindows;
  for (auto& attribute : device.attributes) attribute.emplace();
  device.attribute(access::DeviceAttribute::kOperatingSystem) = {{"Windows"}};
  device.attribute(access::DeviceAttribute::kExtensionAttribute1) = {{"desk"}};
  return device;
}

access::Facts FactsOf(int groups) {
  access::Facts facts;
  facts.user.id = "d0000000-0000-4000-8000-000000000001";
  facts.user.type = access::UserType::kMember;
  facts.user.groups = access::IdSet(GroupIds(groups));
  facts.user.roles = access::IdSet();
  facts.sign_in.address = access::ParseIpAddress("198.51.100.7");
  facts.sign_in.client_app = access::ClientApp::kMobileAppsAndDesktopClients;
  facts.sign_in.transfer_method = access::TransferMethod::kNone;
  facts.sign_in.sign_in_risk = access::RiskLevel::kLow;
  facts.sign_in.user_risk = access::RiskLevel::kNone;
  facts.sign_in.authenticated_at = kNow - std::chrono::minutes(30);
  facts.sign_in.mfa = true;
  facts.sign_in.mfa_at = kNow - std::chrono::minutes(30);
  facts.device = CompliantLaptop();
  return facts;
}

void AddNamedGroups(const ConditionalAccessPolicy& policy, std::vector<std::string>& named) {
  const access::UserCondition& users = policy.conditions.users;
  named.insert(named.end(), users.include_groups.begin(), users.include_groups.end());
  named.insert(named.end(), users.exclude_groups.begin(), users.exclude_groups.end());
}

}  // namespace

std::vector<std::string> GroupIds(int count) {
  std::vector<std::string> ids;
  for (int i = 0; i < count; ++i) ids.push_back(GroupId(i));
  return ids;
}

absl::StatusOr<SamplePolicies> MakeSamplePolicies(const SamplePoliciesOptions& options) {
  SamplePolicies sample;
  std::vector<ConditionalAccessPolicy> policies;
  PolicyMaker maker(options.groups);
  const int all = options.mentioning + options.others;
  int mentioning = 0;
  for (int i = 0; i < all; ++i) {
    // As many of the first i + 1 as their share of all.
    const bool mentions = static_cast<std::int64_t>(i + 1) * options.mentioning / all > mentioning;
    // Kinds go by turns among either, so that others change nothing of those that mention it.
    const int kind = mentions ? mentioning : i - mentioning;
    policies.push_back(
        maker.Make(i * kKinds + kind % kKinds, mentions ? kVpnServer : kOtherApplication));
    if (!mentions) continue;
    ++mentioning;
    AddNamedGroups(policies.back(), sample.named_groups);
  }
  access::AccessOptions access_options;
  access_options.vpn_applications = {kVpnServer};
  ASSIGN_OR_RETURN(sample.prepared, access::PreparedPolicies::Make(std::move(policies), {Offices()},
                                                                   std::move(access_options)));
  sample.facts = FactsOf(options.groups);
  sample.now = kNow;
  return sample;
}

}  // namespace hourglass::bench
