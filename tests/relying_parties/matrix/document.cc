#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/relying_parties/matrix/results.h"

namespace hourglass::matrix {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kNotRun[] = "not run";
constexpr char kBegin[] = "<!-- relying parties -->\n";
constexpr char kEnd[] = "<!-- end -->\n";

std::string Code(const std::string& text) {
  return absl::StrCat("`", absl::StrReplaceAll(text, {{"`", "'"}, {"|", "\\|"}}), "`");
}

// What is not as it should be stands out.
std::string InOrOut(const Json& cells, const CellName& cell) {
  if (!cells.contains(cell.id)) return kNotRun;
  const bool is_in = cells[cell.id].get<std::string>().empty();
  const std::string word = is_in ? "in" : "out";
  return is_in == cell.is_good ? word : absl::StrCat("**", word, "**");
}

const Json* Find(const Json& results, const std::string& party, const char* setting) {
  if (!results.contains(party) || !results[party].contains(setting)) return nullptr;
  return &results[party][setting];
}

std::string MatrixRow(const std::string& title, const Json& cells) {
  std::string row = absl::StrCat("| ", title, " |");
  for (const CellName& cell : CellNames()) absl::StrAppend(&row, " ", InOrOut(cells, cell), " |");
  return row + "\n";
}

std::string Matrix(const Json& results) {
  std::string header = "| |";
  std::string line = "|---|";
  for (const CellName& cell : CellNames()) {
    absl::StrAppend(&header, " ", cell.title, " |");
    line += "---|";
  }
  std::string table = absl::StrCat(header, "\n", line, "\n");
  for (std::size_t i = 0; i < kRelyingParties; ++i) {
    const PartyName& party = PartyNames()[i];
    const Json* const alone = Find(results, party.id, "alone");
    const Json* const kit = Find(results, party.id, "kit");
    if (alone != nullptr) table += MatrixRow(party.title, *alone);
    if (kit != nullptr) {
      table += MatrixRow(alone == nullptr ? party.title : absl::StrCat(party.title, ", completed"),
                         *kit);
    }
    if (alone == nullptr && kit == nullptr) table += MatrixRow(party.title, Json::object());
  }
  return table;
}

// The columns in which the setting lets in who should stay out.
std::string Gaps(const Json& cells) {
  std::string gaps;
  for (const CellName& cell : CellNames()) {
    if (cell.is_good || !cells.contains(cell.id) || !cells[cell.id].get<std::string>().empty())
      continue;
    absl::StrAppend(&gaps, gaps.empty() ? "" : ", ", cell.title);
  }
  return gaps;
}

std::string Reasons(const Json& cells) {
  std::string table = "| shown | what it says |\n|---|---|\n";
  for (const CellName& cell : CellNames()) {
    if (!cells.contains(cell.id)) continue;
    const std::string reason = cells[cell.id];
    absl::StrAppend(&table, "| ", cell.title, " | ", reason.empty() ? "(in)" : Code(reason),
                    " |\n");
  }
  return table;
}

std::string Section(const Json& results, const PartyName& party) {
  std::string text = absl::StrCat("\n### ", party.title, "\n\nAsked: ", party.asked, ".");
  const Json* const alone = Find(results, party.id, "alone");
  const Json* const kit = Find(results, party.id, "kit");
  if (*party.kit != '\0') absl::StrAppend(&text, " Completed by ", party.kit, ".");
  absl::StrAppend(&text, " ", party.remark, "\n\n");
  const Json* const last = kit != nullptr ? kit : alone;
  if (last == nullptr) return absl::StrCat(text, "Not run by the matrix yet.\n");
  if (alone != nullptr && kit != nullptr && !Gaps(*alone).empty()) {
    absl::StrAppend(&text, "By itself it lets in: ", Gaps(*alone), ".\n\n");
  }
  absl::StrAppend(&text, Gaps(*last).empty()
                             ? "It refuses all of these that it should.\n\n"
                             : absl::StrCat("**It lets in: ", Gaps(*last), ".**\n\n"));
  return absl::StrCat(text, Reasons(*last));
}

std::string RevocationCell(const Json& cells, const std::string& cell) {
  if (!cells.contains(cell)) return kNotRun;
  const std::string reason = cells[cell];
  return reason.empty() ? "in" : absl::StrCat("out: ", Code(reason));
}

std::string Revocation(const Json& results) {
  std::string table =
      "| | as it is by default | checked, with no list of the root | checked, with an empty list "
      "of "
      "the root | checked, with an empty list of a root that has cRLSign | what has it check, and "
      "the switch |\n|---|---|---|---|---|---|\n";
  for (const PartyName& party : PartyNames()) {
    const Json* const cells = Find(results, party.id, "revocation");
    const Json* by_default = Find(results, party.id, "alone");
    if (by_default == nullptr) by_default = Find(results, party.id, "kit");
    const Json none = Json::object();
    const Json& lists = cells == nullptr ? none : *cells;
    const std::string first = lists.contains("default") ? RevocationCell(lists, "default")
                              : by_default == nullptr   ? std::string(kNotRun)
                                                        : RevocationCell(*by_default, "good_ec");
    absl::StrAppend(&table, "| ", party.title, " | ", first, " |");
    for (const std::string& cell : RevocationCells()) {
      absl::StrAppend(&table, " ", RevocationCell(lists, cell), " |");
    }
    absl::StrAppend(&table, " ", party.revocation, " |\n");
  }
  return table;
}

}  // namespace

std::string Document(const Json& results) {
  std::string text =
      "# Relying parties: who lets in what\n\n"
      "Written by `//tests/relying_parties/matrix:matrix_test` from what the programs of Debian 12 "
      "did; change it there. A test compares it with the next run.\n\n"
      "Each program trusts the live roots of one tenant and is shown the same certificates. "
      "Good ones are from Hourglass; those that it never issues are from the OpenSSL command line, "
      "with the key of the tenant's root. **Bold** is what should not be. \"Completed\" is with "
      "what the program leaves to others: the kit of `hourglass gateways kit`, or an application's "
      "one call more.\n\n";
  absl::StrAppend(&text, Matrix(results), "\n| column | the certificate |\n|---|---|\n");
  for (const CellName& cell : CellNames()) {
    absl::StrAppend(&text, "| ", cell.title, " | ", cell.words, " |\n");
  }
  absl::StrAppend(&text,
                  "\n## One by one\n\nThe reasons are in the program's own words, so that "
                  "they can be looked for.\n");
  for (std::size_t i = 0; i < kRelyingParties; ++i) {
    text += Section(results, PartyNames()[i]);
  }
  absl::StrAppend(
      &text,
      "\n## Revocation\n\n"
      "The certificates live for an hour, say so by noRevAvail (RFC 9608), and name no revocation "
      "list. None of these programs knows noRevAvail: told to check revocation, most refuse every "
      "one, "
      "good as it is. The kits leave that off for these roots alone. An empty list would not help: "
      "the roots of Hourglass have no cRLSign, so that most refuse it, too, and none is offered "
      "([decision 45](decisions/0045-revocation-is-switched-off-for-these-roots.md)).\n\n",
      Revocation(results));
  return text;
}

std::string ReadmeTable(const Json& results) {
  std::string table =
      "| relying party | lets in what it should not, by itself | completed by its kit or an "
      "application |\n|---|---|---|\n";
  for (std::size_t i = 0; i < kRelyingParties; ++i) {
    const PartyName& party = PartyNames()[i];
    absl::StrAppend(&table, "| ", party.title, " |");
    for (const char* setting : {"alone", "kit"}) {
      const Json* const cells = Find(results, party.id, setting);
      const std::string gaps = cells == nullptr ? "" : Gaps(*cells);
      absl::StrAppend(&table, " ", cells == nullptr ? "–" : gaps.empty() ? "nothing" : gaps, " |");
    }
    table += "\n";
  }
  return table;
}

std::string WithReadmeTable(const std::string& text, const std::string& table) {
  const std::size_t begin = text.find(kBegin);
  const std::size_t end = text.find(kEnd, begin);
  if (begin == std::string::npos || end == std::string::npos) return "";
  const std::size_t start = begin + sizeof(kBegin) - 1;
  return absl::StrCat(text.substr(0, start), "\n", table, "\n", text.substr(end));
}

}  // namespace hourglass::matrix
