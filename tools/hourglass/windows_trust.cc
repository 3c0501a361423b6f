#include "tools/hourglass/windows_trust.h"

#include "absl/strings/str_cat.h"

namespace hourglass::cli {

std::vector<std::string> PublishingCommands(absl::string_view file) {
  const std::size_t slash = file.rfind('/');
  const absl::string_view name = slash == absl::string_view::npos ? file : file.substr(slash + 1);
  // A name with a quote cannot be copied to Windows in the first place.
  const absl::string_view quote =
      name.find_first_of(" &()^;,=%!'`") == absl::string_view::npos ? "" : "\"";
  std::vector<std::string> commands;
  for (const absl::string_view container : {"RootCA", "NTAuthCA"}) {
    commands.push_back(absl::StrCat("certutil -dspublish -f ", quote, name, quote, " ", container));
  }
  return commands;
}

}  // namespace hourglass::cli
