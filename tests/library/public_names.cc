#include "tests/library/public_names.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/library/declarations.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::library {

std::vector<PublicHeader> PublicHeadersOf(absl::string_view list) {
  std::vector<PublicHeader> headers;
  for (const absl::string_view line : absl::StrSplit(list, '\n', absl::SkipEmpty())) {
    if (absl::StartsWith(line, "#")) continue;
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words.size() == 2) headers.push_back({words[0], words[1]});
  }
  return headers;
}

bool IsGenerated(const PublicHeader& header) { return absl::EndsWith(header.included_as, ".pb.h"); }

std::string PublicNames(const std::vector<PublicHeader>& headers) {
  std::string names;
  for (const PublicHeader& header : headers) {
    if (IsGenerated(header)) continue;
    absl::StrAppend(&names, names.empty() ? "" : "\n", "# ", header.library, ": ",
                    header.included_as, "\n");
    for (const std::string& declaration : DeclarationsOf(ReadFileOrDie(header.included_as))) {
      absl::StrAppend(&names, declaration, "\n");
    }
  }
  return names;
}

}  // namespace hourglass::library
