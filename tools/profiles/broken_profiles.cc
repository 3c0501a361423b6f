#include "tools/profiles/broken_profiles.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hourglass::profiles {
namespace {

[[noreturn]] void Stop(absl::string_view what) {
  std::fprintf(stderr, "broken.txt: %s\n", std::string(what).c_str());
  std::abort();
}

std::string FileContent(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) Stop(absl::StrCat("cannot read ", path));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// `\n` and `\u{…}` of a text in the corpus.
std::string Meant(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\n", "\n"},
                                    {"\\u{200B}", "\xe2\x80\x8b"},
                                    {"\\u{FEFF}", "\xef\xbb\xbf"},
                                    {"\\u{A0}", "\xc2\xa0"},
                                    {"\\u{5C}", "\\"}});
}

int LineOf(absl::string_view text, absl::string_view passage) {
  int line = 0;
  if (absl::SimpleAtoi(passage, &line)) return line;
  const std::size_t at = text.find(passage);
  if (at == absl::string_view::npos) Stop(absl::StrCat("nowhere in the result: ", passage));
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + at, '\n'));
}

class CorpusReader {
 public:
  explicit CorpusReader(std::string folder) : folder_(std::move(folder)) {}

  std::vector<BrokenProfile> Read() {
    for (const absl::string_view line :
         absl::StrSplit(FileContent(folder_ + "/broken.txt"), '\n')) {
      if (line.empty() || line.front() == '#') continue;
      const std::size_t end = line.find(' ');
      const absl::string_view word = line.substr(0, end);
      Take(word, end == absl::string_view::npos ? absl::string_view() : line.substr(end + 1));
    }
    Finish();
    return std::move(cases_);
  }

 private:
  void Take(absl::string_view word, absl::string_view rest) {
    if (word == "case") {
      Finish();
      cases_.emplace_back().name = std::string(rest);
      return;
    }
    BrokenProfile& now = cases_.back();
    if (word == "base") {
      now.profile = {std::string(rest), FileContent(absl::StrCat(folder_, "/", rest)), ""};
      file_ = &now.profile;
    } else if (word == "beside") {
      now.beside.push_back({std::string(rest), FileContent(absl::StrCat(folder_, "/", rest)), ""});
      file_ = &now.beside.back();
    } else if (word == "uri") {
      now.profile.oma_uri = std::string(rest);
    } else if (word == "known") {
      TakeKnown(now.surroundings, absl::StrSplit(rest, ' '));
    } else if (word == "-") {
      replaced_ = Meant(rest);
    } else if (word == "+") {
      Replace(Meant(rest));
    } else if (word == "expect") {
      expected_.emplace_back(rest);
    } else {
      Stop(absl::StrCat("not understood: ", word));
    }
  }

  static void TakeKnown(Surroundings& known, const std::vector<std::string>& words) {
    if (words[0] == "gateway" && words.size() > 2) {
      known.gateways.push_back({{words[1]}, {words.begin() + 2, words.end()}});
      return;
    }
    if (words.size() != 2) Stop("known WHAT THUMBPRINT");
    if (words[0] == "server-name") known.server_names.push_back(words[1]);
    if (words[0] == "tenant" || words[0] == "live") known.tenant_roots.push_back(words[1]);
    if (words[0] == "live") known.live_roots.push_back(words[1]);
    if (words[0] == "server-root") known.server_roots.push_back(words[1]);
    if (words[0] == "server-other") known.server_others.push_back(words[1]);
  }

  void Replace(const std::string& by) {
    std::string& content = file_->content;
    const std::size_t at = content.find(replaced_);
    if (at == std::string::npos) Stop(absl::StrCat(cases_.back().name, ": no ", replaced_));
    content.replace(at, replaced_.size(), by);
  }

  void Finish() {
    if (cases_.empty()) return;
    BrokenProfile& now = cases_.back();
    if (expected_.empty()) Stop(absl::StrCat(now.name, " expects nothing in words"));
    for (const std::string& expected : expected_) {
      if (expected == "nothing") continue;
      const std::size_t at = expected.find(" at ");
      if (at == std::string::npos) Stop(absl::StrCat(now.name, ": ", expected));
      now.expected.emplace_back(
          LineOf(now.profile.content, absl::string_view(expected).substr(at + 4)),
          expected.substr(0, at));
    }
    std::sort(now.expected.begin(), now.expected.end());
    expected_.clear();
  }

  const std::string folder_;
  std::vector<BrokenProfile> cases_;
  ProfileFile* file_ = nullptr;
  std::string replaced_;
  std::vector<std::string> expected_;
};

}  // namespace

std::vector<BrokenProfile> BrokenProfiles(const std::string& folder) {
  return CorpusReader(folder).Read();
}

}  // namespace hourglass::profiles
