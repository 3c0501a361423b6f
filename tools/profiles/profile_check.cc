#include "tools/profiles/profile_check.h"

#include <iterator>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "tools/profiles/profile_text.h"
#include "tools/profiles/structure_check.h"

namespace hourglass::profiles {
namespace {

// What of a profile is compared with others'.
struct TunnelFacts {
  bool is_device = false;
  bool registers_dns = false;
  std::string trusted_network;
  const xml::Element* profile = nullptr;
  std::size_t file = 0;
};

struct Checked {
  std::vector<std::unique_ptr<Report>> reports;  // one a file
  std::vector<ProfileDocuments> documents;
  std::vector<TunnelFacts> tunnels;
};

absl::Status CheckOne(const ProfileFile& file, const Surroundings& surroundings, Checked& all) {
  Report& report = *all.reports.emplace_back(std::make_unique<Report>(file.name));
  absl::StatusOr<ProfileDocuments> read = ReadProfiles(file.content, report);
  if (!read.ok()) {
    return Error(ErrorReason::kFieldInvalid, "",
                 absl::StrCat(file.name, ": ", read.status().message()));
  }
  if (!file.oma_uri.empty()) CheckOmaUri(file.oma_uri, 0, report);
  for (const xml::Element* root : read->roots) {
    CheckStructure(*root, report);
    const ProfileView view = ViewOf(*root);
    CheckCompliance(view, surroundings, report);
    CheckEap(view, surroundings, report);
    CheckTunnel(view, surroundings, report);
    CheckTraffic(view, report);
    if (view.profile == nullptr) continue;
    if (view.IsDeviceTunnel() && absl::StartsWith(file.oma_uri, "./User/")) {
      report.Add(kDeviceTunnelMethod, *view.profile, "a device tunnel that is deployed to ./User");
    }
    all.tunnels.push_back({view.IsDeviceTunnel(), view.Of("RegisterDNS") == "true",
                           std::string(view.Of("TrustedNetworkDetection")), view.profile,
                           all.reports.size() - 1});
  }
  all.documents.push_back(*std::move(read));
  return absl::OkStatus();
}

// Of a device's tunnel and a user's.
void CompareTunnels(Checked& all) {
  for (const TunnelFacts& device : all.tunnels) {
    for (const TunnelFacts& user : all.tunnels) {
      if (!device.is_device || user.is_device) continue;
      Report& report = *all.reports[user.file];
      const std::string& other = all.reports[device.file]->file();
      if (device.registers_dns && user.registers_dns) {
        report.Add(kTunnelsBothRegister, *user.profile->Child("RegisterDNS"),
                   absl::StrCat("RegisterDNS is true here and in ", other));
      }
      if (device.trusted_network != user.trusted_network) {
        const xml::Element* at = user.profile->Child("TrustedNetworkDetection");
        report.Add(
            kTunnelsDisagree, at == nullptr ? *user.profile : *at,
            absl::StrCat("TrustedNetworkDetection is \"", user.trusted_network.substr(0, 60),
                         "\" here and \"", device.trusted_network.substr(0, 60), "\" in ", other));
      }
    }
  }
}

}  // namespace

absl::StatusOr<std::vector<doctor::Finding>> CheckProfiles(absl::Span<const ProfileFile> files,
                                                           const Surroundings& surroundings) {
  Checked all;
  for (const ProfileFile& file : files) {
    if (absl::Status status = CheckOne(file, surroundings, all); !status.ok()) return status;
  }
  CompareTunnels(all);
  std::vector<doctor::Finding> findings;
  for (const auto& report : all.reports) {
    std::vector<doctor::Finding> of_file = report->Take();
    findings.insert(findings.end(), std::make_move_iterator(of_file.begin()),
                    std::make_move_iterator(of_file.end()));
  }
  return findings;
}

}  // namespace hourglass::profiles
