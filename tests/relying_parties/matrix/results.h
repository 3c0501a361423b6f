// What the relying parties were seen to do: matrix.json, and the documents that are made of it.
//
// A test compares what it measures with the file. Started as
//   HOURGLASS_RECORD=1 bazel run //tests/relying_parties/matrix:matrix_test
// it writes the file and both documents anew instead; tests that measure other relying parties do
// the same.
#ifndef HOURGLASS_TESTS_RELYING_PARTIES_MATRIX_RESULTS_H_
#define HOURGLASS_TESTS_RELYING_PARTIES_MATRIX_RESULTS_H_

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/relying_parties/matrix/relying_party.h"

namespace hourglass::matrix {

// A row of the matrix.
struct PartyName {
  const char* id;     // `nginx`, in matrix.json
  const char* title;  // `nginx 1.22`
  const char* asked;  // which program was asked, and how
  // What the setting `kit` of matrix.json is; empty where there is none.
  const char* kit;
  // What is left to say of it: what it cannot enforce, and what to do.
  const char* remark;
  // What has it check revocation, and what keeps it from that for these roots alone.
  const char* revocation;
};

// In the order of the rows: the twelve, and behind them those of the table of revocation alone.
const std::vector<PartyName>& PartyNames();
inline constexpr std::size_t kRelyingParties = 12;

// `kit`: as the kit sets it up, or an application that adds what its library leaves to it. `alone`:
// without that. `revocation`: other cells, see RevocationCells().
using Cells = std::map<std::string, std::string>;  // "" where it came in, else the reason

// Who is looked for in lists: `other_list`, a list of another authority alone; `root_list`, an
// empty list that the root signed; `signing_root_list`, one of a root that has cRLSign.
const std::vector<std::string>& RevocationCells();

// "" for "came in", and "?" where the program neither let in nor gave a reason.
std::string InWords(const Verdict& verdict);

// Compares with matrix.json, or records. Gives what differs, and how to write it anew; empty where
// nothing does. A `?` is always wrong.
std::string CompareOrRecord(const std::string& party, const std::string& setting,
                            const Cells& measured);

// The two documents of these results.
std::string Document(const nlohmann::ordered_json& results);
// What stands in README.md between `<!-- relying parties -->` and `<!-- end -->`.
std::string ReadmeTable(const nlohmann::ordered_json& results);

// `text` with `table` in that place; empty where there is none.
std::string WithReadmeTable(const std::string& text, const std::string& table);

// The file, from the runfiles.
nlohmann::ordered_json ReadResults();

}  // namespace hourglass::matrix

#endif  // HOURGLASS_TESTS_RELYING_PARTIES_MATRIX_RESULTS_H_
