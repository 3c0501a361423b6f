// What our layer costs a key: signatures a second through KeyStore with worker processes, divided
// by what the module or the TPM gives to a program that does nothing else; a sealed key divided by
// a software key; and what is added to the latency of one signature. Ratios carry over to other
// machines, rates do not.
//   key_benchmark [--quick] [--json] [--rounds N] [--only softhsm|tpm] [--keyholder PROGRAM]
// Makes its own SoftHSM tokens and TPMs (swtpm). --quick only shows that it runs, and judges
// nothing. Else the exit code is 1 where a target is missed.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "nlohmann/json.hpp"
#include "tools/bench/keys/key_comparison.h"
#include "tools/bench/keys/key_places.h"
#include "tools/bench/keys/raw_signer.h"

namespace hourglass {
namespace {

struct Options {
  bool quick = false;
  bool json = false;
  int rounds = 9;
  std::string only;  // empty: all
  std::string keyholder;
};

bool Parse(int argc, char** argv, Options& options) {
  options.keyholder = std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() /
                      "keyholder/hourglass-keyholder";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--quick") {
      options.quick = true;
    } else if (word == "--json") {
      options.json = true;
    } else if (word == "--rounds" && i + 1 < argc) {
      if (!absl::SimpleAtoi(argv[++i], &options.rounds) || options.rounds < 1) return false;
    } else if (word == "--only" && i + 1 < argc) {
      options.only = argv[++i];
      if (options.only != "softhsm" && options.only != "tpm") return false;
    } else if (word == "--keyholder" && i + 1 < argc) {
      options.keyholder = argv[++i];
    } else {
      return false;
    }
  }
  return true;
}

void PrintJson(const std::vector<Figure>& figures, bool judged) {
  nlohmann::json list = nlohmann::json::array();
  for (const Figure& figure : figures) {
    nlohmann::json entry = {{"what", figure.what},         {"value", figure.value},
                            {"unit", figure.unit},         {"target", figure.target},
                            {"compared", figure.compared}, {"ours", figure.ours},
                            {"threads", figure.threads}};
    if (judged) entry["met"] = figure.Met();
    list.push_back(entry);
  }
  std::printf("%s\n", list.dump(2).c_str());
}

void PrintTable(const std::vector<Figure>& figures, bool judged) {
  std::printf("| what | compared with | ours | threads | result | target | met |\n");
  std::printf("|---|---|---|---|---|---|---|\n");
  for (const Figure& figure : figures) {
    const bool ratio = figure.unit == "ratio";
    std::printf(ratio ? "| %s | %.0f/s | %.0f/s | %d | %.2f | >= %.2f | %s |\n"
                      : "| %s | %.0f us | %.0f us | %d | %.0f us more | < %.0f us | %s |\n",
                figure.what.c_str(), figure.compared, figure.ours, figure.threads, figure.value,
                figure.target,
                !judged        ? "not judged"
                : figure.Met() ? "yes"
                               : "no");
  }
}

int Run(const Options& options) {
  const Effort effort = options.quick ? Effort{1, std::chrono::milliseconds(20)}
                                      : Effort{options.rounds, std::chrono::milliseconds(300)};
  std::vector<Figure> figures;
  if (options.only != "tpm") figures = CompareSofthsm(options.keyholder, effort);
  if (options.only != "softhsm") {
    for (const Figure& figure : CompareTpm(options.keyholder, effort)) figures.push_back(figure);
  }
  const bool judged = !options.quick;
  if (options.json) {
    PrintJson(figures, judged);
  } else {
    PrintTable(figures, judged);
  }
  for (const Figure& figure : figures) {
    if (judged && !figure.Met()) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace hourglass

int main(int argc, char** argv) {
  hourglass::ServeAsRawSigner(argc, argv);
  hourglass::Options options;
  if (!hourglass::Parse(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: key_benchmark [--quick] [--json] [--rounds N] [--only softhsm|tpm] "
                 "[--keyholder PROGRAM]\n");
    return 2;
  }
  return hourglass::Run(options);
}
