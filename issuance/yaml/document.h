// Configuration files: a strict reader of YAML that collects every mistake with its file, line and
// field.
#ifndef HOURGLASS_ISSUANCE_YAML_DOCUMENT_H_
#define HOURGLASS_ISSUANCE_YAML_DOCUMENT_H_

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hourglass::yaml {

class Mapping;

// More is refused.
inline constexpr std::size_t kMaxDocumentSize = 256 * 1024;  // octets
inline constexpr int kMaxDepth = 16;
inline constexpr int kMaxNodes = 20000;
inline constexpr std::size_t kMaxNameSize = 128;  // octets of a field's name

// One value of a document. Only Document and Mapping look inside.
struct Node {
  enum class Kind { kNull, kScalar, kSequence, kMapping };

  Kind kind = Kind::kNull;
  std::string name;     // in a mapping: the field's name
  std::string path;     // from the root: `callers[0].name`
  int line = 1;         // from 1; of the name where there is one
  std::string text;     // of a scalar
  bool quoted = false;  // a scalar in quotes is never a number or a truth value
  std::vector<Node> children;
  std::set<std::string> asked_for;  // names that were asked of this mapping
};

// One file's text and the mistakes found in it so far. Use: make one, read fields from Root(), then
// take Finish(). Not safe to call from several threads.
class Document {
 public:
  // Takes UTF-8 text of one YAML document without anchors, aliases, tags, control characters (also
  // escaped ones) or fields that appear twice; whatever else it is becomes a mistake. `file_name`
  // is only for messages and for Mapping::Path.
  Document(absl::string_view text, absl::string_view file_name);
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  // The outermost mapping; absent where the text has none, which is a mistake already. Lives as
  // long as this object.
  Mapping Root();

  // Call when everything has been read: adds a mistake for every field that was not asked for. OK
  // without mistakes; otherwise CONFIGURATION_INVALID, whose message has one mistake a line, by
  // line: `FILE:LINE: FIELD: what is wrong`, or `FILE:LINE: what is wrong` where the text is no
  // YAML. Never quotes a value, which may be a secret.
  absl::Status Finish();

  // `path` where it is absolute, or else from the folder of the file, and absolute then too: what
  // is named stays the same wherever this process goes.
  std::string Resolve(absl::string_view path) const;

  // Once, however often it is added: a field may be asked for twice.
  void AddMistake(int line, absl::string_view field, absl::string_view message);

 private:
  struct Mistake {
    int line;
    std::string text;
  };

  void Parse(absl::string_view text);
  void RefuseUnknownFields(const Node& node);

  const std::string file_name_;
  Node root_;
  bool parsed_ = false;
  std::vector<Mistake> mistakes_;
  std::set<std::string> told_;
};

}  // namespace hourglass::yaml

#endif  // HOURGLASS_ISSUANCE_YAML_DOCUMENT_H_
