#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/roots.pb.h"
#include "hourglass/v1/trust_bundles.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/certificate.h"
#include "tools/client/files.h"
#include "tools/client/table.h"
#include "tools/client/usage.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/root_options.h"
#include "tools/hourglass/windows_trust.h"
#include "tools/profiles/thumbprint.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct Exported {
  std::vector<std::string> certificates;  // DER
  std::uint64_t bundle_version = 0;       // 0 where it is one root and no bundle
};

absl::StatusOr<Exported> FetchWhatIsExported(const RootOptions& options, const Session& session) {
  if (!options.all) {
    ASSIGN_OR_RETURN(const v1::Root root, FetchRoot(options, session));
    return Exported{{root.certificate()}};
  }
  v1::GetTrustBundleRequest request;
  request.set_tenant_id(options.tenant);
  ASSIGN_OR_RETURN(
      const v1::TrustBundle bundle,
      client::Call(session.connection, &v1::TrustBundleService::Stub::GetTrustBundle, request));
  return Exported{{bundle.roots().begin(), bundle.roots().end()}, bundle.version()};
}

bool IsFile(const std::string& out) { return !out.empty() && out != client::kStandardStream; }

// What comes next on Windows; the path that the file was given here means nothing there.
std::string ForWindows(const RootOptions& options, const std::string& vpn_thumbprint) {
  std::string text = "On Windows, as an Enterprise Admin, with the file beside you:\n";
  for (const std::string& command : PublishingCommands(options.out)) {
    absl::StrAppend(&text, "  ", client::Printable(command), "\n");
  }
  absl::StrAppend(&text,
                  "In VPNv2 profiles that name the issuers of client certificates (CAHashList; "
                  "TrustedRootCA is the RADIUS server's own root):\n  <IssuerHash>",
                  vpn_thumbprint, "</IssuerHash>\n");
  return text;
}

std::string HeadLine(const RootOptions& options, const Exported& exported) {
  const std::string of_bundle =
      exported.bundle_version == 0
          ? ""
          : absl::StrCat(", trust bundle version ", exported.bundle_version);
  return absl::StrCat("Wrote ", exported.certificates.size(),
                      exported.certificates.size() == 1 ? " root to " : " roots to ",
                      client::Printable(options.out), of_bundle, ":\n");
}

// What comes behind the list of what was written.
std::string AfterWriting(const RootOptions& options, const Json& roots) {
  if (!options.all) {
    return ForWindows(options, roots[0]["vpnv2_thumbprint"].get<std::string>());
  }
  return absl::StrCat("Windows takes one certificate a file: hourglass roots export --tenant ",
                      options.tenant, " ROOT --format der --out ROOT.cer\n");
}

absl::StatusOr<Answer> Export(const RootOptions& options, const Session& session) {
  const bool der = options.format == "der";
  if (der && !session.json && !IsFile(options.out) && isatty(STDOUT_FILENO)) {
    return Error(ErrorReason::kFieldInvalid, "--format",
                 "DER is not for a terminal: give --out FILE, or send it into a pipe");
  }
  ASSIGN_OR_RETURN(const Exported exported, FetchWhatIsExported(options, session));
  Answer answer{"", {{"tenant_id", options.tenant}}};
  if (options.all) answer.json["bundle_version"] = exported.bundle_version;
  Json roots = Json::array();
  std::string content;
  for (const std::string& certificate : exported.certificates) {
    ASSIGN_OR_RETURN(const client::CertificateFacts facts, client::ReadCertificate(certificate));
    const std::string pem = client::PemOfCertificate(certificate);
    absl::StrAppend(&content, der ? certificate : pem);
    roots.push_back({{"subject", facts.subject},
                     {"not_after", client::TimeForJson(facts.not_after)},
                     {"sha1_thumbprint", facts.sha1_thumbprint},
                     {"sha256_thumbprint", facts.sha256_thumbprint},
                     {"vpnv2_thumbprint", profiles::SpacedThumbprint(facts.sha1_thumbprint)},
                     {"certificate_pem", pem}});
    absl::StrAppend(&answer.text, client::Printable(facts.subject), "\n",
                    client::FormatFacts(
                        {{"SHA-1", facts.sha1_thumbprint}, {"SHA-256", facts.sha256_thumbprint}}));
  }
  answer.json["roots"] = roots;
  if (!IsFile(options.out)) {
    answer.text = content;
    return answer;
  }
  RETURN_IF_ERROR(client::ReplaceFile(options.out, content, 0644));
  answer.json["file"] = options.out;
  if (!options.all) answer.json["certutil"] = PublishingCommands(options.out);
  answer.text =
      absl::StrCat(HeadLine(options, exported), answer.text, AfterWriting(options, roots));
  return answer;
}

}  // namespace

void AddRootExport(CLI::App& noun, CommandLine& line, const std::shared_ptr<RootOptions>& options) {
  CLI::App* command =
      AddCommand(noun, line, "export", "Write certificates for relying parties", options, &Export);
  AddTenantOption(*command, options->tenant);
  command->add_option("root,--root", options->root, "The root's id, such as r1")->type_name("ROOT");
  command->add_flag("--all", options->all, "Every root that relying parties must trust now");
  client::OneOf(*command->add_option("--format", options->format, "Default: pem"), {"pem", "der"});
  command
      ->add_option("--out", options->out,
                   "The file to replace (default: -, standard output); then also said is what to "
                   "do with it on Windows")
      ->type_name("FILE");
  command->parse_complete_callback([options] {
    if (options->all != options->root.empty()) {
      throw CLI::ValidationError("root", "give either a ROOT or --all");
    }
    if (options->all && options->format == "der") {
      throw CLI::ValidationError("--all", "goes with --format pem only: DER holds one certificate");
    }
  });
}

}  // namespace hourglass::cli
