// What the verbs of `profiles` share.
#ifndef HOURGLASS_TOOLS_HOURGLASS_PROFILES_H_
#define HOURGLASS_TOOLS_HOURGLASS_PROFILES_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/hourglass/command.h"
#include "tools/profiles/known_certificate.h"
#include "tools/profiles/profile_check.h"

namespace hourglass::cli {

// Where the tenant's roots are known from: the service, or files.
struct TenantRootOptions {
  std::string tenant;
  std::vector<std::string> files;
};

struct TenantRoots {
  std::vector<profiles::KnownCertificate> all;   // that the tenant ever had
  std::vector<profiles::KnownCertificate> live;  // those of the trust bundle
  bool has_primary = true;
};

// `--tenant` and `--tenant-root`, of which one excludes the other.
void AddTenantRootOptions(CLI::App& command, TenantRootOptions& options);

// The roots of the files, all of them live; none where there are no files. Errors: FIELD_INVALID
// with field `--tenant-root`.
absl::StatusOr<TenantRoots> RootsOfFiles(const TenantRootOptions& options);
// The roots of the tenant. Errors: those of client::Call.
absl::StatusOr<TenantRoots> RootsOfService(const TenantRootOptions& options,
                                           const Session& session);

// The certificates of several files. Errors: FIELD_INVALID with `field` and the file's name.
absl::StatusOr<std::vector<profiles::KnownCertificate>> ReadCertificateFiles(
    const std::vector<std::string>& files, absl::string_view field);

// What checks compare with.
profiles::Surroundings SurroundingsOf(const TenantRoots& roots);

// Lets `command` run with what `run` gets: the tenant's roots, from wherever they are known. It
// asks the service only where `--tenant` was given.
void RunWithRoots(CLI::App& command, CommandLine& line, const TenantRootOptions& options,
                  std::function<absl::StatusOr<Answer>(const TenantRoots&)> run);

// Adds the subcommand `profiles` with its verbs to `app`. `line` must outlive `app`.
void AddProfiles(CLI::App& app, CommandLine& line);
// The verb that writes profiles, and the one that checks them.
void AddProfileWriting(CLI::App& noun, CommandLine& line);
void AddProfileCheck(CLI::App& noun, CommandLine& line);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_PROFILES_H_
