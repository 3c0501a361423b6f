#include "tests/relying_parties/matrix/results.h"

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::matrix {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kFile[] = "tests/relying_parties/matrix/matrix.json";
constexpr char kHowToRecord[] =
    "If this is right, write matrix.json, docs/relying-parties.md and README.md anew:\n"
    "  HOURGLASS_RECORD=1 bazel run //tests/relying_parties/matrix:matrix_test\n"
    "and the same with the test that measures it, where it is another\n";

void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

// In the order of the rows and columns, whatever was recorded first.
Json Sorted(const Json& results) {
  Json sorted = Json::object();
  for (const PartyName& party : PartyNames()) {
    if (!results.contains(party.id)) continue;
    for (const char* setting : {"alone", "kit", "revocation"}) {
      if (results[party.id].contains(setting)) {
        sorted[party.id][setting] = results[party.id][setting];
      }
    }
  }
  return sorted;
}

void Record(const std::string& folder, const std::string& party, const std::string& setting,
            const Cells& measured) {
  const std::string file = absl::StrCat(folder, "/", kFile);
  Json results = Json::parse(ReadFileOrDie(file));
  Json cells = Json::object();
  for (const CellName& cell : CellNames()) {
    if (measured.contains(cell.id)) cells[cell.id] = measured.at(cell.id);
  }
  for (const auto& [id, words] : measured) cells[id] = words;
  results[party][setting] = cells;
  results = Sorted(results);
  WriteFile(file, results.dump(1) + "\n");
  WriteFile(absl::StrCat(folder, "/docs/relying-parties.md"), Document(results));
  const std::string readme = absl::StrCat(folder, "/README.md");
  const std::string text = WithReadmeTable(ReadFileOrDie(readme), ReadmeTable(results));
  if (!text.empty()) WriteFile(readme, text);
}

}  // namespace

const std::vector<std::string>& RevocationCells() {
  static const std::vector<std::string> kCells = {"other_list", "root_list", "signing_root_list"};
  return kCells;
}

std::string InWords(const Verdict& verdict) {
  if (verdict.is_accepted) return "";
  return verdict.reason.empty() ? "?" : verdict.reason;
}

Json ReadResults() { return Json::parse(ReadFileOrDie(kFile)); }

std::string CompareOrRecord(const std::string& party, const std::string& setting,
                            const Cells& measured) {
  for (const auto& [cell, words] : measured) {
    if (words == "?") return absl::StrCat(cell, ": neither let in nor refused with a reason\n");
  }
  const char* const folder = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (folder != nullptr && std::getenv("HOURGLASS_RECORD") != nullptr) {
    Record(folder, party, setting, measured);
    return "";
  }
  const Json results = ReadResults();
  Json expected = Json::object();
  if (results.contains(party) && results[party].contains(setting)) {
    expected = results[party][setting];
  }
  std::string differences;
  for (const auto& [cell, words] : measured) {
    const std::string before = expected.value(cell, "(nothing)");
    if (before == words) continue;
    absl::StrAppend(&differences, party, " ", setting, " ", cell, ": '", words, "', and not '",
                    before, "'\n");
  }
  if (expected.size() != measured.size()) absl::StrAppend(&differences, "other cells\n");
  return differences.empty() ? "" : absl::StrCat(differences, kHowToRecord);
}

}  // namespace hourglass::matrix
