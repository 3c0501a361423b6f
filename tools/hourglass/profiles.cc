#include "tools/hourglass/profiles.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/files.h"

namespace hourglass::cli {
namespace {

bool IsLive(v1::RootState state) {
  return state == v1::STAGED || state == v1::PRIMARY || state == v1::RETIRING;
}

std::vector<std::string> ThumbprintsOf(const std::vector<profiles::KnownCertificate>& roots) {
  std::vector<std::string> thumbprints;
  for (const profiles::KnownCertificate& root : roots) {
    thumbprints.push_back(root.sha1_thumbprint);
  }
  return thumbprints;
}

}  // namespace

void AddTenantRootOptions(CLI::App& command, TenantRootOptions& options) {
  CLI::Option* tenant =
      command
          .add_option("--tenant", options.tenant,
                      "Whose roots are not for clients: the service is asked for them")
          ->type_name("ID");
  command
      .add_option("--tenant-root", options.files,
                  "The same from a file of the tenant's roots, PEM or DER, without the service; "
                  "may be given more than once")
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->excludes(tenant);
}

absl::StatusOr<std::vector<profiles::KnownCertificate>> ReadCertificateFiles(
    const std::vector<std::string>& files, absl::string_view field) {
  std::vector<profiles::KnownCertificate> all;
  for (const std::string& file : files) {
    const absl::StatusOr<std::string> content = client::ReadWholeFile(file);
    if (!content.ok()) {
      return Error(ErrorReason::kFieldInvalid, field, content.status().message());
    }
    absl::StatusOr<std::vector<profiles::KnownCertificate>> read =
        profiles::ReadCertificates(*content, file);
    if (!read.ok()) return Error(ErrorReason::kFieldInvalid, field, read.status().message());
    for (profiles::KnownCertificate& one : *read) all.push_back(std::move(one));
  }
  return all;
}

absl::StatusOr<TenantRoots> RootsOfFiles(const TenantRootOptions& options) {
  TenantRoots roots;
  ASSIGN_OR_RETURN(roots.all, ReadCertificateFiles(options.files, "--tenant-root"));
  roots.live = roots.all;
  return roots;
}

absl::StatusOr<TenantRoots> RootsOfService(const TenantRootOptions& options,
                                           const Session& session) {
  v1::ListRootsRequest request;
  request.set_tenant_id(options.tenant);
  ASSIGN_OR_RETURN(const v1::ListRootsResponse response,
                   client::Call(session.connection, &v1::RootService::Stub::ListRoots, request));
  TenantRoots roots;
  roots.has_primary = false;
  for (const v1::Root& root : response.roots()) {
    ASSIGN_OR_RETURN(std::vector<profiles::KnownCertificate> read,
                     profiles::ReadCertificates(root.certificate(), "certificate"));
    if (IsLive(root.state())) roots.live.push_back(read.front());
    roots.has_primary = roots.has_primary || root.state() == v1::PRIMARY;
    roots.all.push_back(std::move(read.front()));
  }
  return roots;
}

profiles::Surroundings SurroundingsOf(const TenantRoots& roots) {
  profiles::Surroundings known;
  known.tenant_roots = ThumbprintsOf(roots.all);
  known.live_roots = ThumbprintsOf(roots.live);
  return known;
}

void RunWithRoots(CLI::App& command, CommandLine& line, const TenantRootOptions& options,
                  std::function<absl::StatusOr<Answer>(const TenantRoots&)> run) {
  command.fallthrough();
  command.callback([&line, &options, run = std::move(run)] {
    if (options.tenant.empty()) {
      line.local_command = [&options, run]() -> absl::StatusOr<Answer> {
        ASSIGN_OR_RETURN(const TenantRoots roots, RootsOfFiles(options));
        return run(roots);
      };
      return;
    }
    line.needs_service_because =
        "--tenant asks the service for the roots. To do without it, give them as files: "
        "--tenant-root FILE";
    line.command = [&options, run](const Session& session) -> absl::StatusOr<Answer> {
      ASSIGN_OR_RETURN(const TenantRoots roots, RootsOfService(options, session));
      return run(roots);
    };
  });
}

void AddProfiles(CLI::App& app, CommandLine& line) {
  CLI::App* noun =
      app.add_subcommand("profiles", "VPN profiles of Windows clients (VPNv2, Always On VPN)");
  noun->require_subcommand(1);
  noun->fallthrough();
  AddProfileWriting(*noun, line);
  AddProfileCheck(*noun, line);
}

}  // namespace hourglass::cli
