// The findings of one file, as a doctor goes through it.
#ifndef HOURGLASS_TOOLS_DOCTOR_FINDING_LIST_H_
#define HOURGLASS_TOOLS_DOCTOR_FINDING_LIST_H_

#include <string>
#include <utility>
#include <vector>

#include "tools/doctor/finding.h"

namespace hourglass::doctor {

// Not for several threads.
class FindingList {
 public:
  // `file` is the place's of every finding.
  explicit FindingList(std::string file) { place_.file = std::move(file); }

  // What follows is found there: `line` 0 for none, `item` may be empty.
  void GoTo(int line, std::string item) {
    place_.line = line;
    place_.item = std::move(item);
  }

  // `line` where it is another than that of GoTo.
  void AddError(std::string id, std::string what, std::string effect, std::string remedy,
                int line = 0) {
    Add(Severity::kError, std::move(id), std::move(what), std::move(effect), std::move(remedy),
        line);
  }
  void AddWarning(std::string id, std::string what, std::string effect, std::string remedy,
                  int line = 0) {
    Add(Severity::kWarning, std::move(id), std::move(what), std::move(effect), std::move(remedy),
        line);
  }
  void AddNote(std::string id, std::string what, std::string effect, std::string remedy,
               int line = 0) {
    Add(Severity::kNote, std::move(id), std::move(what), std::move(effect), std::move(remedy),
        line);
  }

  const std::vector<Finding>& findings() const { return findings_; }
  std::vector<Finding> Take() { return std::move(findings_); }

 private:
  void Add(Severity severity, std::string id, std::string what, std::string effect,
           std::string remedy, int line) {
    Place place = place_;
    if (line > 0) place.line = line;
    findings_.push_back({std::move(id), severity, std::move(what), std::move(effect),
                         std::move(remedy), std::move(place)});
  }

  Place place_;
  std::vector<Finding> findings_;
};

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_FINDING_LIST_H_
