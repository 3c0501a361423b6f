// XML that anything reads: ASCII alone, elements on lines of their own or all on one.
#ifndef HOURGLASS_TOOLS_PROFILES_XML_WRITER_H_
#define HOURGLASS_TOOLS_PROFILES_XML_WRITER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::profiles {

enum class XmlLayout {
  kIndented,  // two blanks a level; text stands between its tags on their line
  kOneLine,   // nothing between elements, no line end
};

// `text` as content of an element or an attribute's value: what XML means something by is escaped,
// all beyond ASCII is a number (`&#233;`). `text` must be UTF-8 without control characters.
std::string EscapedText(absl::string_view text);

// Writes one document, from outside to inside. Names are not checked. Not for several threads.
class XmlWriter {
 public:
  explicit XmlWriter(XmlLayout layout) : layout_(layout) {}

  // Begins an element. `name_space` is declared where it is not that of the element around it.
  void Open(absl::string_view name, absl::string_view name_space = "",
            absl::string_view attributes = "");
  // Ends the element that was begun last.
  void Close();
  // An element with text alone.
  void Leaf(absl::string_view name, absl::string_view text, absl::string_view name_space = "");
  // The same in the namespace of the element around it.
  void Inner(absl::string_view name, absl::string_view text);
  void OpenInner(absl::string_view name, absl::string_view attributes = "");

  // What was written; all must be closed.
  const std::string& text() const { return text_; }

 private:
  struct Opened {
    std::string name;
    std::string name_space;
  };

  std::string Tag(absl::string_view name, absl::string_view name_space,
                  absl::string_view attributes) const;
  std::string NamespaceAround() const;
  void BeginLine();
  void EndLine();

  const XmlLayout layout_;
  std::vector<Opened> open_;
  std::string text_;
};

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_XML_WRITER_H_
