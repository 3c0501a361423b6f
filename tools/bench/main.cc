// hourglass-bench: what a certificate costs, each figure beside what nobody could go below.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/bench/access/access_benchmark.h"
#include "tools/bench/keys/raw_signer.h"
#include "tools/bench/library_benchmark.h"
#include "tools/bench/replicas/replica_benchmark.h"
#include "tools/bench/report/chart.h"
#include "tools/bench/report/options.h"
#include "tools/bench/report/overview.h"
#include "tools/bench/report/report.h"
#include "tools/bench/report/setting.h"
#include "tools/bench/scratch_directory.h"
#include "tools/bench/service/listing_benchmark.h"
#include "tools/bench/service/scale_benchmark.h"
#include "tools/bench/service/service_benchmark.h"
#include "tools/bench/service/token_benchmark.h"
#include "tools/bench/storm.h"
#include "tools/client/files.h"
#include "tools/version/version.h"

namespace hourglass::bench {
namespace {

struct Part {
  std::string name;
  absl::Status (*measure)(const Options&, Report&);
};

// In the order in which they run.
const std::vector<Part> kParts = {
    {"library", MeasureLibrary},   {"access", MeasureAccess},     {"service", MeasureService},
    {"tokens", MeasureTokens},     {"listings", MeasureListings}, {"scale", MeasureScale},
    {"replicas", MeasureReplicas}, {"storm", MeasureStorm},
};

struct Wishes {
  std::vector<std::string> parts;
  bool quick = false;
  bool json = false;
  bool markdown = false;
  std::string plot_directory;
  std::string output_file;
  std::string scratch_parent;
  std::string hourglassd;
  std::string keyholder;
};

// Beside this program as Bazel puts them, wherever it was started from.
std::string Beside(const std::string& program) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / program;
}

absl::Status CheckProgram(const std::string& path, const std::string& option) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return absl::OkStatus();
  return Error(ErrorReason::kConfigurationInvalid, option,
               absl::StrCat("there is no program ", path,
                            ": build it with `bazel build -c opt //tools/bench`, or name it"));
}

// What a file could not be written for, of the option that named it.
absl::Status OfOption(const absl::Status& status, const std::string& option) {
  if (status.ok()) return status;
  return Error(ErrorReason::kConfigurationInvalid, option, status.message());
}

constexpr mode_t kMode = 0644;

// A run takes long: what cannot be written is said before it. The files that there are stay as they
// are until there is something to put in their place.
absl::Status CheckOutputs(const Wishes& wishes) {
  if (!wishes.plot_directory.empty()) {
    std::error_code error;
    std::filesystem::create_directories(wishes.plot_directory, error);
    const std::string probe = wishes.plot_directory + "/.writable";
    RETURN_IF_ERROR(OfOption(client::StagedFile::Write(probe, "", kMode).status(), "--plot"));
  }
  if (wishes.output_file.empty()) return absl::OkStatus();
  return OfOption(client::StagedFile::Write(wishes.output_file, "", kMode).status(), "--output");
}

// The charts and the report, all or none.
absl::Status Replace(const Wishes& wishes, const Report& report, const std::string& text) {
  std::vector<client::StagedFile> files;
  const auto stage = [&](const std::string& path, absl::string_view content, const char* option) {
    absl::StatusOr<client::StagedFile> staged = client::StagedFile::Write(path, content, kMode);
    if (!staged.ok()) return OfOption(staged.status(), option);
    files.push_back(*std::move(staged));
    return absl::OkStatus();
  };
  if (!wishes.plot_directory.empty()) {
    for (const Chart& chart : report.charts()) {
      const std::string path = absl::StrCat(wishes.plot_directory, "/", chart.name, ".svg");
      RETURN_IF_ERROR(stage(path, Svg(chart), "--plot"));
    }
  }
  if (!wishes.output_file.empty()) RETURN_IF_ERROR(stage(wishes.output_file, text, "--output"));
  return OfOption(client::CommitTogether(files), "--output");
}

absl::Status Show(const Wishes& wishes, const Report& report) {
  const std::string text = wishes.json       ? report.Json()
                           : wishes.markdown ? report.Markdown()
                                             : report.Table();
  RETURN_IF_ERROR(Replace(wishes, report, text));
  if (wishes.output_file.empty()) std::fputs(text.c_str(), stdout);
  return absl::OkStatus();
}

bool Chosen(const Wishes& wishes, const Part& part) {
  const auto has = [&wishes](const std::string& name) {
    return std::find(wishes.parts.begin(), wishes.parts.end(), name) != wishes.parts.end();
  };
  return wishes.parts.empty() || has("all") || has(part.name);
}

absl::Status Run(const Wishes& wishes, Report& report) {
  Options options{wishes.quick, "", wishes.hourglassd, wishes.keyholder};
  RETURN_IF_ERROR(CheckProgram(options.hourglassd, "--hourglassd"));
  RETURN_IF_ERROR(CheckProgram(options.keyholder, "--keyholder"));
  RETURN_IF_ERROR(CheckOutputs(wishes));
  ASSIGN_OR_RETURN(const auto scratch, ScratchDirectory::Create(wishes.scratch_parent));
  for (const Part& part : kParts) {
    if (!Chosen(wishes, part)) continue;
    ASSIGN_OR_RETURN(options.scratch_directory, scratch->Make(part.name));
    Progress(part.name);
    const absl::Status measured = part.measure(options, report);
    if (!measured.ok()) report.Fail(part.name, measured);
    std::error_code error;
    std::filesystem::remove_all(options.scratch_directory, error);
  }
  return absl::OkStatus();
}

int Main(const Wishes& wishes) {
  Report report(ObserveSetting(wishes.quick));
  for (const std::string& warning : report.setting().Warnings()) Progress("warning: " + warning);
  absl::Status status = Run(wishes, report);
  AddOverview(report);
  if (status.ok()) status = Show(wishes, report);
  if (!status.ok()) Progress(std::string(status.message()));
  for (const std::string& failure : report.failures()) Progress("FAILED: " + failure);
  return status.ok() && report.failures().empty() ? 0 : 1;
}

void AddOptions(CLI::App& app, Wishes& wishes) {
  std::vector<std::string> names = {"all"};
  for (const Part& part : kParts) names.push_back(part.name);
  app.add_option("PART", wishes.parts, "What to measure, by default all of it")
      ->check(CLI::IsMember(names));
  app.add_flag("--quick", wishes.quick, "Only show that it works: its figures are not judged");
  const auto json = app.add_flag("--json", wishes.json, "Print JSON instead of a table");
  app.add_flag("--markdown", wishes.markdown, "Print tables for a page of Markdown")
      ->excludes(json);
  app.add_option("--plot", wishes.plot_directory, "Write the charts there, as SVG");
  app.add_option("--output", wishes.output_file, "Write there instead of to standard output");
  app.add_option("--scratch", wishes.scratch_parent,
                 "Keep journals and keys in a new directory there: the disk that is measured")
      ->capture_default_str();
  app.add_option("--hourglassd", wishes.hourglassd, "The service's program")->capture_default_str();
  app.add_option("--keyholder", wishes.keyholder, "The program that holds tokens")
      ->capture_default_str();
}

}  // namespace

}  // namespace hourglass::bench

int main(int argc, char** argv) try {
  hourglass::ServeAsRawSigner(argc, argv);
  hourglass::bench::ServeAsAuditor(argc, argv);
  CLI::App app("What a certificate costs, each figure beside its floor, with the targets",
               "hourglass-bench");
  hourglass::bench::Wishes wishes;
  wishes.scratch_parent = std::filesystem::temp_directory_path();
  wishes.hourglassd = hourglass::bench::Beside("hourglassd/hourglassd");
  wishes.keyholder = hourglass::bench::Beside("keyholder/hourglass-keyholder");
  hourglass::bench::AddOptions(app, wishes);
  app.set_version_flag("--version", hourglass::VersionLine("hourglass-bench"));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return hourglass::bench::Main(wishes);
} catch (const std::exception& error) {
  std::fprintf(stderr, "hourglass-bench: %s\n", error.what());
  return 1;
}
