// What the checks of a profile say, gathered.
#ifndef HOURGLASS_TOOLS_PROFILES_REPORT_H_
#define HOURGLASS_TOOLS_PROFILES_REPORT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/doctor/finding.h"
#include "tools/profiles/rules.h"
#include "tools/xml/xml_tree.h"

namespace hourglass::profiles {

// `VPNProfile/NativeProfile/Servers`; of longer ones the middle is left out: `…`.
std::string PathOf(const xml::Element& element);

// Of one file: whoever has as many mends some of them first.
inline constexpr std::size_t kMostFindings = 500;

// Findings of one file; those beyond kMostFindings are dropped. Not for several threads.
class Report {
 public:
  explicit Report(std::string file) : file_(std::move(file)) {}

  // `what` is said of the element.
  void Add(const Rule& rule, const xml::Element& element, absl::string_view what);
  // The same with another remedy than the rule's.
  void Add(const Rule& rule, const xml::Element& element, absl::string_view what,
           absl::string_view remedy);
  // Of a place without an element; `line` 0 where there is none.
  void Add(const Rule& rule, int line, absl::string_view what);

  const std::string& file() const { return file_; }
  bool Has(const Rule& rule) const;
  // Nothing more is taken.
  bool is_full() const { return findings_.size() >= kMostFindings; }
  // Sorted by line, and taken away.
  std::vector<doctor::Finding> Take();

 private:
  std::string file_;
  std::vector<doctor::Finding> findings_;
};

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_REPORT_H_
