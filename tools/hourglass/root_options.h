// What the verbs of `roots` share.
#ifndef HOURGLASS_TOOLS_HOURGLASS_ROOT_OPTIONS_H_
#define HOURGLASS_TOOLS_HOURGLASS_ROOT_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "hourglass/v1/roots.pb.h"
#include "tools/hourglass/command.h"

namespace hourglass::cli {

struct RootOptions {
  std::string tenant;
  std::string root;
  std::string duration;
  std::string key_type;
  std::string key_uri;
  std::string request_id;
  bool primary = false;
  bool destroy_key = false;
  bool issuing_sub_keys = false;
  bool all = false;
  std::string format = "pem";
  std::string out;
  std::string override_reason;
  bool without_relying_parties = false;
  std::string reason;
};

// `--tenant ID` and `ROOT`, both required.
void AddRootId(CLI::App& command, RootOptions& options);

// Errors: those of client::Call.
absl::StatusOr<v1::ListRootsResponse> FetchRoots(const RootOptions& options,
                                                 const Session& session);
absl::StatusOr<v1::Root> FetchRoot(const RootOptions& options, const Session& session);

// `what`, all that is known of the root, and, where something was done, what comes next. Errors:
// as RootAsJson.
absl::StatusOr<Answer> AnswerAbout(absl::string_view what, const v1::Root& root, absl::Time now);

// The verb that writes certificates for relying parties.
void AddRootExport(CLI::App& noun, CommandLine& line, const std::shared_ptr<RootOptions>& options);
// The verbs that move a root from state to state.
void AddRootMoves(CLI::App& noun, CommandLine& line, const std::shared_ptr<RootOptions>& options);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_ROOT_OPTIONS_H_
