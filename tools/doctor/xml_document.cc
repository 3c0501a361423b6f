#include "tools/doctor/xml_document.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <initializer_list>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/file_forms.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"

namespace hourglass::doctor {
namespace {

absl::Status Invalid(absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, "", message);
}

std::string Text(const xmlChar* text) {
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

std::string FaultOf(int code) {
  switch (code) {
    case XML_ERR_TAG_NAME_MISMATCH:
      return "an element is closed that is not the one which is open";
    case XML_ERR_GT_REQUIRED:
    case XML_ERR_TAG_NOT_FINISHED:
      return "the file ends before its elements are closed";
    case XML_ERR_DOCUMENT_END:
      return "the file ends too early, or something follows its element";
    case XML_ERR_UNDECLARED_ENTITY:
    case XML_WAR_UNDECLARED_ENTITY:
      return "an entity is used that XML does not have itself";
    case XML_ERR_ENTITYREF_SEMICOL_MISSING:
    case XML_ERR_NAME_REQUIRED:
      return "a name is missing, or `&` or `<` is not escaped";
    case XML_ERR_INVALID_CHAR:
      return "a character is in it that XML does not allow";
    case XML_NS_ERR_UNDEFINED_NAMESPACE:
      return "a prefix has no namespace";
    default:
      return absl::StrCat("error ", code, " of libxml2");
  }
}

// What libxml2's parser tells of the file, piece by piece. Once `fault` is set it is told no more.
class TreeBuilder {
 public:
  void Start(const xmlChar* name, const xmlChar* name_space, int attribute_count,
             const xmlChar** attributes) {
    if (++elements_ > kMostXmlElements) {
      return Refuse(absl::StrCat("it has more than ", kMostXmlElements, " elements"));
    }
    if (open_.size() >= kDeepestXml) {
      return Refuse(absl::StrCat("its elements stand more than ", kDeepestXml, " deep"));
    }
    XmlElement element;
    element.name = Text(name);
    element.name_space = Text(name_space);
    element.line = Line();
    // Five pointers each: local name, prefix, namespace, begin and end of the value.
    for (int i = 0; i < attribute_count; ++i) {
      const xmlChar** const attribute = attributes + 5 * static_cast<std::ptrdiff_t>(i);
      element.attributes.emplace(
          Text(attribute[0]), std::string(reinterpret_cast<const char*>(attribute[3]),
                                          static_cast<std::size_t>(attribute[4] - attribute[3])));
    }
    open_.push_back(std::move(element));
  }

  void End() {
    if (open_.empty()) return;
    XmlElement element = std::move(open_.back());
    open_.pop_back();
    if (open_.empty()) {
      root_ = std::move(element);
    } else {
      open_.back().children.push_back(std::move(element));
    }
  }

  void Characters(const xmlChar* text, int size) {
    if (open_.empty()) return;
    open_.back().text.append(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  }

  void Refuse(absl::string_view why) {
    if (fault_.empty()) fault_ = absl::StrCat("line ", Line(), ": ", why);
    xmlStopParser(parser_);
  }

  // The first mistake is the one that counts: those after it are its children. libxml2's own words
  // could hold a piece of the file, and so of a secret.
  void NoteError(const xmlError& error) {
    if (error.level < XML_ERR_ERROR || !fault_.empty()) return;
    fault_ = absl::StrCat("line ", error.line, ": it is no well-formed XML: ", FaultOf(error.code));
  }

  int Line() const {
    return parser_ == nullptr || parser_->input == nullptr ? 0 : parser_->input->line;
  }

  void set_parser(xmlParserCtxtPtr parser) { parser_ = parser; }
  const std::string& fault() const { return fault_; }
  XmlElement TakeRoot() { return std::move(root_); }
  bool has_root() const { return !root_.name.empty(); }

 private:
  xmlParserCtxtPtr parser_ = nullptr;
  std::vector<XmlElement> open_;
  XmlElement root_;
  std::string fault_;
  int elements_ = 0;
};

TreeBuilder& Builder(void* context) { return *static_cast<TreeBuilder*>(context); }

// Every callback but these is left out: without the one for entities there are none to look up, and
// a document type is the end before any of it is read.
xmlSAXHandler Handler() {
  xmlSAXHandler handler = {};
  handler.initialized = XML_SAX2_MAGIC;
  handler.startElementNs = [](void* context, const xmlChar* name, const xmlChar*,
                              const xmlChar* name_space, int, const xmlChar**, int count, int,
                              const xmlChar** attributes) {
    Builder(context).Start(name, name_space, count, attributes);
  };
  handler.endElementNs = [](void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
    Builder(context).End();
  };
  const auto characters = [](void* context, const xmlChar* text, int size) {
    Builder(context).Characters(text, size);
  };
  handler.characters = characters;
  handler.cdataBlock = characters;
  handler.ignorableWhitespace = characters;
  handler.internalSubset = [](void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
    Builder(context).Refuse("it has a document type (DOCTYPE), which no file of this kind has");
  };
  handler.serror = [](void* context, xmlErrorPtr error) { Builder(context).NoteError(*error); };
  return handler;
}

struct ParserDeleter {
  void operator()(xmlParserCtxtPtr parser) const {
    if (parser->myDoc != nullptr) xmlFreeDoc(parser->myDoc);
    xmlFreeParserCtxt(parser);
  }
};

// What is asked of the text before any parser sees it.
absl::Status CheckText(absl::string_view text) {
  if (!ca::DecodeUtf8(text).has_value()) {
    return Invalid("it is neither UTF-8 nor UTF-16: save the export again as it was made");
  }
  const absl::string_view content = absl::StripAsciiWhitespace(text);
  if (content.empty()) return Invalid("it is empty");
  if (!absl::StartsWith(content, "<") || absl::StartsWith(content, "<#")) {
    return Invalid(
        "it does not begin with `<`: something else stands around the XML, such as a script's "
        "comment or the `-` of a browser's tree view; use the file as the program wrote it");
  }
  return absl::OkStatus();
}

}  // namespace

const XmlElement* XmlElement::Child(absl::string_view child) const {
  for (const XmlElement& element : children) {
    if (element.name == child) return &element;
  }
  return nullptr;
}

const XmlElement* XmlElement::Descendant(std::initializer_list<absl::string_view> path) const {
  const XmlElement* element = this;
  for (const absl::string_view step : path) {
    element = element->Child(step);
    if (element == nullptr) return nullptr;
  }
  return element;
}

absl::string_view XmlElement::TrimmedText() const { return absl::StripAsciiWhitespace(text); }

absl::string_view XmlElement::Attribute(absl::string_view attribute) const {
  const auto found = attributes.find(std::string(attribute));
  return found == attributes.end() ? absl::string_view() : absl::string_view(found->second);
}

absl::StatusOr<XmlElement> ParseXml(absl::string_view octets) {
  if (octets.size() > kLargestXml) {
    return Invalid(absl::StrCat("it has more than ", kLargestXml >> 20, " MiB"));
  }
  const std::string text = ca::AsText(octets);
  if (const absl::Status sound = CheckText(text); !sound.ok()) return sound;
  const absl::string_view content = absl::StripLeadingAsciiWhitespace(text);

  xmlSAXHandler handler = Handler();
  TreeBuilder builder;
  const std::unique_ptr<xmlParserCtxt, ParserDeleter> parser(
      xmlCreatePushParserCtxt(&handler, &builder, nullptr, 0, nullptr));
  if (parser == nullptr) return Invalid("it cannot be read: no memory");
  builder.set_parser(parser.get());
  // NOENT gives `&` for `&amp;` in attributes; there is no document type that could declare more.
  xmlCtxtUseOptions(parser.get(), XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_NOENT);
  xmlSwitchEncoding(parser.get(), XML_CHAR_ENCODING_UTF8);
  xmlParseChunk(parser.get(), content.data(), static_cast<int>(content.size()), 1);
  if (!builder.fault().empty()) return Invalid(builder.fault());
  if (!builder.has_root()) return Invalid("it holds no XML element");
  return builder.TakeRoot();
}

}  // namespace hourglass::doctor
