#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tools/client/files.h"
#include "tools/client/wording.h"
#include "tools/doctor/finding.h"
#include "tools/hourglass/profiles.h"

namespace hourglass::cli {
namespace {

struct CheckOptions {
  TenantRootOptions roots;
  std::vector<std::string> files;
  std::vector<std::string> server_chains;
  std::vector<std::string> gateways;
  std::string oma_uri;
};

// What the certificates of servers say.
absl::Status AddServers(const CheckOptions& options, profiles::Surroundings& known) {
  ASSIGN_OR_RETURN(const std::vector<profiles::KnownCertificate> chain,
                   ReadCertificateFiles(options.server_chains, "--server-chain"));
  for (const profiles::KnownCertificate& one : chain) {
    const bool is_root = one.place == profiles::ChainPlace::kRoot;
    (is_root ? known.server_roots : known.server_others).push_back(one.sha1_thumbprint);
    if (one.place != profiles::ChainPlace::kLeaf) continue;
    known.server_names.insert(known.server_names.end(), one.names.begin(), one.names.end());
  }
  ASSIGN_OR_RETURN(const std::vector<profiles::KnownCertificate> gateways,
                   ReadCertificateFiles(options.gateways, "--gateway-certificate"));
  for (const profiles::KnownCertificate& one : gateways) {
    if (one.place == profiles::ChainPlace::kLeaf)
      known.gateways.push_back({one.names, one.purposes});
  }
  return absl::OkStatus();
}

absl::StatusOr<Answer> Check(const CheckOptions& options, const TenantRoots& roots) {
  profiles::Surroundings known = SurroundingsOf(roots);
  RETURN_IF_ERROR(AddServers(options, known));
  std::vector<profiles::ProfileFile> files;
  for (const std::string& file : options.files) {
    ASSIGN_OR_RETURN(std::string content, client::ReadWholeFile(file));
    files.push_back({file, std::move(content), options.oma_uri});
  }
  ASSIGN_OR_RETURN(const std::vector<doctor::Finding> findings,
                   profiles::CheckProfiles(files, known));
  Answer answer{doctor::FindingsInWords(findings), doctor::ReportAsJson(findings)};
  answer.json["files"] = options.files;
  if (doctor::HasMistake(findings)) answer.exit_code = client::kExitFailed;
  return answer;
}

}  // namespace

void AddProfileCheck(CLI::App& noun, CommandLine& line) {
  const auto options = std::make_shared<CheckOptions>();
  CLI::App* command = noun.add_subcommand(
      "check", "Find mistakes in profiles: ProfileXML, EAP XML, SyncML or a script with one");
  command
      ->add_option("files", options->files,
                   "Profiles; of a device's and a user's tunnel together it is also looked at "
                   "whether they go together")
      ->required()
      ->type_name("FILE");
  AddTenantRootOptions(*command, options->roots);
  command
      ->add_option("--server-chain", options->server_chains,
                   "The RADIUS server's certificate with its chain up to the root, PEM or DER; may "
                   "be given more than once")
      ->allow_extra_args(false)
      ->type_name("FILE");
  command
      ->add_option("--gateway-certificate", options->gateways,
                   "A gateway's certificate, PEM or DER; may be given more than once")
      ->allow_extra_args(false)
      ->type_name("FILE");
  command->add_option("--oma-uri", options->oma_uri, "The setting that the profile is deployed as")
      ->type_name("URI");
  RunWithRoots(*command, line, options->roots,
               [options](const TenantRoots& roots) { return Check(*options, roots); });
}

}  // namespace hourglass::cli
