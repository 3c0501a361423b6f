// Whatever is given as XML, it is refused with a fault, or read as a tree within the limits whose
// lines go forward and stand in the text; and a file that is read whole has no fault.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"
#include "tools/xml/xml_tree.h"

namespace hourglass::xml {
namespace {

constexpr int kFirstLine = 7;
constexpr Limits kLimits = {.mebibytes = 1, .depth = 8, .elements = 64};

void Require(bool holds) {
  if (!holds) std::abort();
}

bool IsText(absl::string_view text) { return ca::DecodeUtf8(text).has_value(); }

class TreeCheck {
 public:
  explicit TreeCheck(int last_line) : last_line_(last_line) {}

  void Check(const Element& element, std::size_t depth) {
    Require(depth <= kLimits.depth && ++elements_ <= kLimits.elements);
    Require(!element.name.empty() && IsText(element.name) && IsText(element.text));
    Require(element.line >= line_ && element.line <= last_line_);
    line_ = element.line;
    Require((element.text_line == 0) == element.Trimmed().empty());
    Require(element.text_line == 0 || element.text_line >= element.line);
    Require(element.text_line <= last_line_);
    for (const Attribute& attribute : element.attributes) Require(IsText(attribute.value));
    for (const auto& child : element.children) {
      Require(child->parent == &element);
      Check(*child, depth + 1);
    }
  }

 private:
  const int last_line_;
  int line_ = kFirstLine;
  std::size_t elements_ = 0;
};

void Check(absl::string_view octets) {
  const auto text = DecodeFile(octets, kLimits);
  const auto whole = ReadFile(octets, kLimits);
  if (!text.ok()) {
    Require(ReasonOf(text.status()) == ErrorReason::kFieldInvalid && !whole.ok());
    return;
  }
  const Reading reading = Read(*text, kFirstLine, kLimits);
  const int last_line = kFirstLine + static_cast<int>(std::count(text->begin(), text->end(), '\n'));
  for (const Fault& fault : reading.faults) {
    Require(fault.line >= kFirstLine && fault.line <= last_line && !fault.message.empty());
    Require((reading.root == nullptr) || fault.kind == FaultKind::kUnboundPrefix);
    // Words of ours, whatever the file has.
    Require(std::all_of(fault.message.begin(), fault.message.end(),
                        [](char c) { return c >= ' ' && c <= '~'; }));
  }
  Require(reading.root != nullptr || !reading.faults.empty());
  if (reading.root != nullptr) TreeCheck(last_line).Check(*reading.root, 1);
  Require(!whole.ok() || reading.faults.empty());
}

}  // namespace
}  // namespace hourglass::xml

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hourglass::xml::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
