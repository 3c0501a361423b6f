// Files with mistakes, each with what must be found in it. `testdata/KIND/expected.txt` has a line
// for each file, and below it, indented, one for each finding: severity, id, line and item; for a
// file that cannot be read, why.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ca/text/visible_text.h"
#include "tests/support/temporary_directory.h"
#include "tools/doctor/config_check.h"
#include "tools/doctor/nps_check.h"
#include "tools/doctor/registry_check.h"

namespace hourglass::doctor {
namespace {

constexpr char kFolder[] = "tools/doctor/testdata/";
constexpr char kExpected[] = "expected.txt";

using Doctor = std::function<std::vector<Finding>(absl::string_view, const std::string&)>;

struct Kind {
  std::string folder;
  Doctor doctor;
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.folder; }

// One finding, as expected.txt has it.
std::string Line(const Finding& finding) {
  std::string line = absl::StrCat("  ", SeverityName(finding.severity), " ", finding.id);
  if (finding.place.line > 0) absl::StrAppend(&line, " ", finding.place.line);
  if (!finding.place.item.empty()) absl::StrAppend(&line, " ", finding.place.item);
  if (absl::EndsWith(finding.id, "-unreadable")) absl::StrAppend(&line, ": ", finding.what);
  return ca::VisibleText(line);
}

std::string Report(const std::string& name, const std::vector<Finding>& findings) {
  std::string report = name + "\n";
  for (const Finding& finding : findings) absl::StrAppend(&report, Line(finding), "\n");
  return report;
}

std::set<std::string> FilesIn(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename() != kExpected) names.insert(entry.path().filename());
  }
  return names;
}

class CorpusTest : public testing::TestWithParam<Kind> {
 protected:
  std::string folder() const { return kFolder + GetParam().folder + "/"; }
  std::vector<Finding> FindingsOf(const std::string& name) const {
    return GetParam().doctor(ReadFileOrDie(folder() + name), name);
  }
};

TEST_P(CorpusTest, FindsWhatIsExpected) {
  std::string reports;
  for (const std::string& name : FilesIn(folder())) {
    reports += Report(name, FindingsOf(name));
  }
  // For a change that is meant: HOURGLASS_WRITE_EXPECTED=FOLDER writes what was found.
  if (const char* const out = std::getenv("HOURGLASS_WRITE_EXPECTED"); out != nullptr) {
    std::ofstream(absl::StrCat(out, "/", GetParam().folder, "/", kExpected)) << reports;
  }
  EXPECT_EQ(reports, ReadFileOrDie(folder() + kExpected));
}

// The positive controls: nothing is found in what is right but notes.
TEST_P(CorpusTest, FindsNoMistakeInWhatIsRight) {
  int good = 0;
  for (const std::string& name : FilesIn(folder())) {
    if (!absl::StrContains(name, "good")) continue;
    ++good;
    EXPECT_FALSE(HasMistake(FindingsOf(name))) << Report(name, FindingsOf(name));
  }
  EXPECT_GE(good, 2);
}

TEST_P(CorpusTest, EveryFindingSaysWhatHappensAndWhatIsRight) {
  for (const std::string& name : FilesIn(folder())) {
    for (const Finding& finding : FindingsOf(name)) {
      EXPECT_FALSE(finding.what.empty()) << name << ": " << finding.id;
      EXPECT_FALSE(finding.remedy.empty()) << name << ": " << finding.id;
      if (finding.severity != Severity::kNote) {
        EXPECT_FALSE(finding.effect.empty()) << name << ": " << finding.id;
      }
    }
  }
}

// The files hold these words as secrets.
TEST_P(CorpusTest, NeverSaysASecret) {
  for (const std::string& name : FilesIn(folder())) {
    const std::vector<Finding> findings = FindingsOf(name);
    const std::string all = FindingsInWords(findings) + FindingsAsJson(findings).dump();
    for (const char* secret :
         {"never-printed-secret", "example-secret-that-is", "hunter2", "horse", "battery"}) {
      EXPECT_THAT(all, testing::Not(testing::HasSubstr(secret))) << name;
    }
  }
}

// The ids in the tables of a page: `nps-no-certificate-oid`.
std::set<std::string> DocumentedIds() {
  std::set<std::string> ids;
  for (const absl::string_view line : absl::StrSplit(ReadFileOrDie("docs/doctors.md"), '\n')) {
    if (!absl::StartsWith(line, "| `")) continue;
    const absl::string_view cell = line.substr(0, line.find('|', 1));
    for (const absl::string_view part : absl::StrSplit(cell, '`')) {
      for (const char* prefix : {"nps-", "reg-", "strongswan-", "openvpn-", "config-"}) {
        if (absl::StartsWith(part, prefix)) ids.emplace(part);
      }
    }
  }
  return ids;
}

// Each finding that the page names is found in some file, and the page names each.
TEST(DoctorsPageTest, NamesWhatIsFound) {
  std::set<std::string> found;
  for (const char* kind : {"nps", "registry", "swanctl", "openvpn"}) {
    const std::string expected = ReadFileOrDie(absl::StrCat(kFolder, kind, "/", kExpected));
    for (const absl::string_view line : absl::StrSplit(expected, '\n')) {
      const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
      if (!absl::StartsWith(line, "  ") || words.size() < 2) continue;
      absl::string_view id = words[1];
      absl::ConsumeSuffix(&id, ":");
      found.emplace(id);
    }
  }
  EXPECT_EQ(DocumentedIds(), found);
}

INSTANTIATE_TEST_SUITE_P(
    Doctors, CorpusTest,
    testing::Values(
        Kind{"nps", CheckNpsFile}, Kind{"registry", CheckRegistryFile},
        Kind{"swanctl", [](absl::string_view octets,
                           const std::string& file) { return CheckConfigFile(octets, file); }},
        Kind{"openvpn", [](absl::string_view octets,
                           const std::string& file) { return CheckConfigFile(octets, file); }}),
    [](const testing::TestParamInfo<Kind>& info) { return info.param.folder; });

}  // namespace
}  // namespace hourglass::doctor
