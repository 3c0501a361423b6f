#include "issuance/yaml/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"
#include "issuance/yaml/mapping.h"
#include "issuance/yaml/nearest_name.h"

namespace hourglass::yaml {
namespace {

constexpr std::size_t kMaxMistakesTold = 50;

// Ends the parse; caught in Document::Parse.
struct Refusal {
  int line;
  std::string field;
  std::string message;
};

// yaml-cpp's tree of nodes lets repeated fields pass and forgets the lines of scalars' names, so
// this builds its own from the parser's events.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(Document* document) : document_(document) {}

  Node TakeRoot() { return std::move(root_); }
  int documents() const { return documents_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) Refuse(mark, "more than one document in the file");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    CheckPlain(mark, "", anchor);
    if (NamesNextField()) Refuse(mark, "a field has no name");
    Attach(NewNode(mark, Node::Kind::kNull));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Refuse(mark, "aliases (*) are not allowed");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckPlain(mark, tag, anchor);
    const auto decoded = ca::DecodeUtf8(value);
    if (!decoded.has_value() || decoded->has_controls) {
      Refuse(mark, "control characters are not allowed");
    }
    if (NamesNextField()) return NameField(mark, value);
    Node node = NewNode(mark, Node::Kind::kScalar);
    node.text = value;
    node.quoted = tag == "!";
    Attach(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Node::Kind::kSequence);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Node::Kind::kMapping);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct FieldName {
    std::string name;
    int line;
    bool repeated;
  };
  struct Level {
    Node node;
    std::optional<FieldName> field;
  };

  static int LineOf(const YAML::Mark& mark) { return std::max(mark.line, 0) + 1; }

  [[noreturn]] void Refuse(const YAML::Mark& mark, absl::string_view message) const {
    throw Refusal{LineOf(mark), NextPath(), std::string(message)};
  }

  void CheckPlain(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) Refuse(mark, "anchors (&) are not allowed");
    // "?" is what the parser says of plain values, "!" of quoted ones.
    if (!tag.empty() && tag != "?" && tag != "!") Refuse(mark, "tags (!) are not allowed");
    if (++nodes_ > kMaxNodes) Refuse(mark, absl::StrCat("more than ", kMaxNodes, " values"));
  }

  bool NamesNextField() const {
    return !levels_.empty() && levels_.back().node.kind == Node::Kind::kMapping &&
           !levels_.back().field.has_value();
  }

  void NameField(const YAML::Mark& mark, const std::string& name) {
    if (name.empty() || name.size() > kMaxNameSize) {
      Refuse(mark, absl::StrCat("a field's name must have 1 to ", kMaxNameSize, " octets"));
    }
    Level& level = levels_.back();
    const auto earlier = std::find_if(level.node.children.begin(), level.node.children.end(),
                                      [&](const Node& child) { return child.name == name; });
    const bool repeated = earlier != level.node.children.end();
    if (repeated) {
      document_->AddMistake(LineOf(mark), earlier->path,
                            absl::StrCat("appears twice, first in line ", earlier->line));
    }
    level.field = FieldName{name, LineOf(mark), repeated};
  }

  // Where the next value goes.
  std::string NextPath() const {
    if (levels_.empty()) return "";
    const Level& level = levels_.back();
    if (level.node.kind == Node::Kind::kSequence) {
      return absl::StrCat(level.node.path, "[", level.node.children.size(), "]");
    }
    if (!level.field.has_value()) return level.node.path;
    return absl::StrCat(level.node.path, level.node.path.empty() ? "" : ".", level.field->name);
  }

  Node NewNode(const YAML::Mark& mark, Node::Kind kind) const {
    Node node;
    node.kind = kind;
    node.path = NextPath();
    node.line = LineOf(mark);
    if (!levels_.empty() && levels_.back().field.has_value()) {
      node.name = levels_.back().field->name;
      node.line = levels_.back().field->line;
    }
    return node;
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            Node::Kind kind) {
    CheckPlain(mark, tag, anchor);
    if (NamesNextField()) Refuse(mark, "a field's name must be plain text");
    if (levels_.size() == kMaxDepth) {
      Refuse(mark, absl::StrCat("more than ", kMaxDepth, " levels deep"));
    }
    levels_.push_back(Level{NewNode(mark, kind), std::nullopt});
  }

  void Close() {
    Node node = std::move(levels_.back().node);
    levels_.pop_back();
    Attach(std::move(node));
  }

  void Attach(Node node) {
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    const bool dropped = level.field.has_value() && level.field->repeated;
    level.field.reset();
    if (!dropped) level.node.children.push_back(std::move(node));
  }

  Document* const document_;
  std::vector<Level> levels_;
  Node root_;
  int documents_ = 0;
  int nodes_ = 0;
};

bool IsTextLine(absl::string_view line) {
  absl::ConsumeSuffix(&line, "\r");
  const bool has_controls = std::any_of(line.begin(), line.end(), [](unsigned char c) {
    return (c < 0x20 && c != '\t') || c == 0x7f;
  });
  return !has_controls && ca::DecodeUtf8(line).has_value();
}

// The number of the first line that no configuration file may hold, or 0.
int FirstForbiddenLine(absl::string_view text) {
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (!IsTextLine(line)) return number;
  }
  return 0;
}

}  // namespace

Document::Document(absl::string_view text, absl::string_view file_name) : file_name_(file_name) {
  if (text.size() > kMaxDocumentSize) {
    AddMistake(1, "", absl::StrCat("larger than ", kMaxDocumentSize, " octets"));
  } else if (const int line = FirstForbiddenLine(text); line != 0) {
    AddMistake(line, "", "not UTF-8 text without control characters");
  } else {
    Parse(text);
  }
}

void Document::Parse(absl::string_view text) {
  try {
    // yaml-cpp 0.7 misses the end of the text in a quoted value that nobody closed if a line break
    // stands before it.
    std::istringstream stream{std::string(absl::StripTrailingAsciiWhitespace(text))};
    YAML::Parser parser(stream);
    TreeBuilder builder(this);
    while (parser.HandleNextDocument(builder)) {
    }
    root_ = builder.TakeRoot();
    parsed_ = true;
  } catch (const Refusal& refusal) {
    AddMistake(refusal.line, refusal.field, refusal.message);
  } catch (const YAML::Exception& error) {
    AddMistake(std::max(error.mark.line, 0) + 1, "", absl::StrCat("not valid YAML: ", error.msg));
  } catch (const std::exception& error) {
    AddMistake(1, "", absl::StrCat("not valid YAML: ", error.what()));
  }
}

Mapping Document::Root() {
  if (!parsed_) return Mapping(this, nullptr);
  if (root_.kind == Node::Kind::kMapping) return Mapping(this, &root_);
  AddMistake(root_.line, "",
             root_.kind == Node::Kind::kNull ? "the file is empty" : "must be a mapping of fields");
  parsed_ = false;
  return Mapping(this, nullptr);
}

void Document::AddMistake(int line, absl::string_view field, absl::string_view message) {
  std::string text =
      absl::StrCat(file_name_, ":", line, ": ", field, field.empty() ? "" : ": ", message);
  if (told_.insert(text).second) mistakes_.push_back({line, std::move(text)});
}

void Document::RefuseUnknownFields(const Node& node) {
  if (node.kind == Node::Kind::kSequence) {
    for (const Node& child : node.children) RefuseUnknownFields(child);
  }
  // A mapping of which nothing was asked was itself refused.
  if (node.kind != Node::Kind::kMapping || node.asked_for.empty()) return;
  for (const Node& child : node.children) {
    if (node.asked_for.count(child.name) != 0) {
      RefuseUnknownFields(child);
      continue;
    }
    const std::string meant =
        NearestName(child.name, {node.asked_for.begin(), node.asked_for.end()});
    AddMistake(
        child.line, child.path,
        meant.empty() ? "unknown field" : absl::StrCat("unknown field, did you mean ", meant, "?"));
  }
}

absl::Status Document::Finish() {
  if (parsed_) RefuseUnknownFields(root_);
  if (mistakes_.empty()) return absl::OkStatus();
  std::stable_sort(mistakes_.begin(), mistakes_.end(),
                   [](const Mistake& a, const Mistake& b) { return a.line < b.line; });
  std::string message;
  const std::size_t told = std::min(mistakes_.size(), kMaxMistakesTold);
  for (std::size_t i = 0; i < told; ++i) {
    absl::StrAppend(&message, i == 0 ? "" : "\n", mistakes_[i].text);
  }
  if (told < mistakes_.size()) {
    absl::StrAppend(&message, "\n", file_name_, ":", mistakes_[told].line, ": and ",
                    mistakes_.size() - told, " more mistakes");
  }
  return Error(ErrorReason::kConfigurationInvalid, "", message);
}

std::string Document::Resolve(absl::string_view path) const {
  if (path.empty() || path[0] == '/') return std::string(path);
  const std::size_t slash = file_name_.rfind('/');
  const std::string from_here = slash == std::string::npos
                                    ? std::string(path)
                                    : absl::StrCat(file_name_.substr(0, slash + 1), path);
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(from_here, error);
  return error ? from_here : absolute.string();
}

}  // namespace hourglass::yaml
