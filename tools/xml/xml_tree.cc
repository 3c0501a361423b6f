#include "tools/xml/xml_tree.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/file_forms.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::xml {
namespace {

std::string Text(const xmlChar* text) {
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

absl::Status Invalid(absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, "", message);
}

int LinesIn(absl::string_view text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

std::string TooLarge(const Limits& limits) {
  return absl::StrCat("it has more than ", limits.mebibytes, " MiB");
}

bool IsTooLarge(absl::string_view octets, const Limits& limits) {
  return octets.size() > limits.mebibytes << 20;
}

struct Mistake {
  int code;
  absl::string_view words;
  bool is_of_open_element = false;
};

constexpr Mistake kMistakes[] = {
    {XML_ERR_TAG_NAME_MISMATCH, "an element is closed that is not the one which is open", true},
    {XML_ERR_TAG_NOT_FINISHED, "the file ends before an element is closed", true},
    {XML_ERR_LTSLASH_REQUIRED, "the file ends before an element is closed", true},
    {XML_ERR_GT_REQUIRED, "a tag has no end, as in a file that was cut off"},
    {XML_ERR_DOCUMENT_END, "the file ends too early, or something follows its element"},
    {XML_ERR_DOCUMENT_EMPTY, "there is no XML element"},
    {XML_ERR_UNDECLARED_ENTITY, "an entity is used that XML does not have itself"},
    {XML_WAR_UNDECLARED_ENTITY, "an entity is used that XML does not have itself"},
    {XML_ERR_ENTITYREF_SEMICOL_MISSING, "a name is missing, or `&` or `<` is not escaped"},
    {XML_ERR_NAME_REQUIRED, "a name is missing, or `&` or `<` is not escaped"},
    {XML_ERR_LT_IN_ATTRIBUTE, "a `<` stands in an attribute"},
    {XML_ERR_ATTRIBUTE_NOT_STARTED, "the value of an attribute is not in quotes"},
    {XML_ERR_ATTRIBUTE_NOT_FINISHED, "the value of an attribute has no end"},
    {XML_ERR_ATTRIBUTE_WITHOUT_VALUE, "an attribute has no value"},
    {XML_ERR_ATTRIBUTE_REDEFINED, "an attribute stands twice in a tag"},
    {XML_NS_ERR_ATTRIBUTE_REDEFINED, "an attribute stands twice in a tag"},
    {XML_ERR_SPACE_REQUIRED, "a blank is missing between attributes"},
    {XML_ERR_INVALID_CHAR, "a character is in it that XML does not allow"},
    {XML_ERR_INVALID_CHARREF, "a character is in it that XML does not allow"},
    {XML_ERR_COMMENT_NOT_FINISHED, "a comment has no end"},
    {XML_ERR_HYPHEN_IN_COMMENT, "`--` stands in a comment"},
    {XML_ERR_CDATA_NOT_FINISHED, "a CDATA section has no end"},
    {XML_ERR_MISPLACED_CDATA_END, "`]]>` stands in text"},
    {XML_ERR_RESERVED_XML_NAME, "an XML declaration stands elsewhere than at the beginning"},
    {XML_NS_ERR_UNDEFINED_NAMESPACE, "a prefix has no namespace"},
};

// libxml2's own words could hold a piece of the file, and so of a secret.
std::string InWords(int code, const Element* open) {
  const auto* const found =
      std::find_if(std::begin(kMistakes), std::end(kMistakes),
                   [code](const Mistake& mistake) { return mistake.code == code; });
  if (found == std::end(kMistakes)) return absl::StrCat("error ", code, " of libxml2");
  if (!found->is_of_open_element || open == nullptr) return std::string(found->words);
  return absl::StrCat(found->words, " (of line ", open->line, ")");
}

// What libxml2's parser tells of the text, piece by piece. After the first fault that ends the
// reading it tells no more.
class TreeBuilder {
 public:
  TreeBuilder(int first_line, const Limits& limits) : first_line_(first_line), limits_(limits) {}

  void Start(const xmlChar* name, const xmlChar* name_space, int attribute_count,
             const xmlChar** attributes) {
    if (++elements_ > limits_.elements) {
      return Refuse(FaultKind::kTooManyElements,
                    absl::StrCat("it has more than ", limits_.elements, " elements"));
    }
    if (depth_ >= limits_.depth) {
      return Refuse(FaultKind::kTooDeep, absl::StrCat("its elements stand more than ",
                                                      limits_.depth, " deep in each other"));
    }
    auto element = std::make_unique<Element>();
    element->name = Text(name);
    element->name_space = Text(name_space);
    element->line = Line();
    element->parent = open_;
    // Five pointers each: local name, prefix, namespace, begin and end of the value.
    for (int i = 0; i < attribute_count; ++i) {
      const xmlChar** const attribute = attributes + 5 * static_cast<std::ptrdiff_t>(i);
      const auto* const value = reinterpret_cast<const char*>(attribute[3]);
      element->attributes.push_back(
          {Text(attribute[0]), Text(attribute[2]),
           std::string(value, reinterpret_cast<const char*>(attribute[4]))});
    }
    Element* const opened = element.get();
    if (open_ == nullptr) {
      root_ = std::move(element);
    } else {
      open_->children.push_back(std::move(element));
    }
    open_ = opened;
    ++depth_;
  }

  void End() {
    if (open_ == nullptr) return;
    open_ = const_cast<Element*>(open_->parent);
    --depth_;
  }

  // libxml2 has counted the lines of text when it tells of it, those of a CDATA section not yet.
  void Characters(const xmlChar* data, int size, bool is_counted) {
    if (open_ == nullptr) return;
    const absl::string_view text(reinterpret_cast<const char*>(data),
                                 static_cast<std::size_t>(size));
    open_->text.append(text.data(), text.size());
    if (open_->text_line != 0) return;
    const absl::string_view visible = absl::StripLeadingAsciiWhitespace(text);
    if (visible.empty()) return;
    const absl::string_view blank = text.substr(0, text.size() - visible.size());
    open_->text_line = is_counted ? Line() - LinesIn(visible) : Line() + LinesIn(blank);
  }

  void Refuse(FaultKind kind, absl::string_view why) {
    if (!is_over_) faults_.push_back({kind, Line(), std::string(why)});
    is_over_ = true;
    xmlStopParser(parser_);
  }

  // The first mistake is the one that counts: those after it are its children.
  void Note(const xmlError& error) {
    if (is_over_ || error.level < XML_ERR_ERROR) return;
    const bool unbound =
        error.domain == XML_FROM_NAMESPACE && error.code == XML_NS_ERR_UNDEFINED_NAMESPACE;
    faults_.push_back({unbound ? FaultKind::kUnboundPrefix : FaultKind::kMalformed,
                       error.line + first_line_ - 1, InWords(error.code, open_)});
    is_over_ = !unbound;
  }

  void set_parser(xmlParserCtxtPtr parser) { parser_ = parser; }

  Reading Take() {
    if (!is_over_ && root_ == nullptr) {
      faults_.push_back({FaultKind::kMalformed, first_line_, "there is no XML element"});
      is_over_ = true;
    }
    if (is_over_) root_ = nullptr;
    return {std::move(root_), std::move(faults_)};
  }

 private:
  int Line() const {
    return parser_->input == nullptr ? first_line_ : parser_->input->line + first_line_ - 1;
  }

  const int first_line_;
  const Limits limits_;
  xmlParserCtxtPtr parser_ = nullptr;
  std::unique_ptr<Element> root_;
  Element* open_ = nullptr;
  std::size_t depth_ = 0;
  std::size_t elements_ = 0;
  std::vector<Fault> faults_;
  bool is_over_ = false;
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
    Builder(context).Characters(text, size, /*is_counted=*/true);
  };
  handler.characters = characters;
  handler.ignorableWhitespace = characters;
  handler.cdataBlock = [](void* context, const xmlChar* text, int size) {
    Builder(context).Characters(text, size, /*is_counted=*/false);
  };
  handler.internalSubset = [](void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
    Builder(context).Refuse(FaultKind::kDocumentType, "it has a document type (DOCTYPE)");
  };
  handler.serror = [](void* context, xmlErrorPtr error) { Builder(context).Note(*error); };
  return handler;
}

struct ParserDeleter {
  void operator()(xmlParserCtxtPtr parser) const {
    if (parser->myDoc != nullptr) xmlFreeDoc(parser->myDoc);
    xmlFreeParserCtxt(parser);
  }
};

}  // namespace

const Element* Element::Child(absl::string_view child) const {
  const auto found = std::find_if(children.begin(), children.end(),
                                  [child](const auto& element) { return element->name == child; });
  return found == children.end() ? nullptr : found->get();
}

const Element* Element::Find(std::initializer_list<absl::string_view> path) const {
  const Element* element = this;
  for (const absl::string_view step : path) {
    element = element->Child(step);
    if (element == nullptr) return nullptr;
  }
  return element;
}

absl::string_view Element::Trimmed() const { return absl::StripAsciiWhitespace(text); }

const Attribute* Element::FindAttribute(absl::string_view attribute) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [attribute](const auto& one) { return one.name == attribute; });
  return found == attributes.end() ? nullptr : &*found;
}

absl::string_view Element::AttributeOr(absl::string_view attribute,
                                       absl::string_view otherwise) const {
  const Attribute* const found = FindAttribute(attribute);
  return found == nullptr ? otherwise : absl::string_view(found->value);
}

Reading Read(absl::string_view text, int first_line, const Limits& limits) {
  // A declaration must stand at the very beginning.
  const absl::string_view content = absl::StripLeadingAsciiWhitespace(text);
  first_line += LinesIn(text.substr(0, text.size() - content.size()));
  TreeBuilder builder(first_line, limits);
  if (IsTooLarge(content, limits)) {
    return {nullptr, {{FaultKind::kTooLarge, first_line, TooLarge(limits)}}};
  }
  xmlSAXHandler handler = Handler();
  const std::unique_ptr<xmlParserCtxt, ParserDeleter> parser(
      xmlCreatePushParserCtxt(&handler, &builder, nullptr, 0, nullptr));
  if (parser == nullptr) {
    return {nullptr, {{FaultKind::kMalformed, first_line, "it cannot be read: no memory"}}};
  }
  builder.set_parser(parser.get());
  // NOENT gives `&` for `&amp;` in attributes; there is no document type that could declare more.
  xmlCtxtUseOptions(parser.get(), XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_NOENT);
  xmlSwitchEncoding(parser.get(), XML_CHAR_ENCODING_UTF8);
  xmlParseChunk(parser.get(), content.data(), static_cast<int>(content.size()), 1);
  return builder.Take();
}

absl::StatusOr<std::string> DecodeFile(absl::string_view octets, const Limits& limits) {
  if (IsTooLarge(octets, limits)) return Invalid(TooLarge(limits));
  std::string text = ca::AsText(octets);
  if (!ca::DecodeUtf8(text).has_value() || absl::StrContains(text, '\0')) {
    return Invalid("it is neither UTF-8 nor UTF-16: save it again as it was made");
  }
  return text;
}

absl::StatusOr<std::unique_ptr<Element>> ReadFile(absl::string_view octets, const Limits& limits) {
  ASSIGN_OR_RETURN(const std::string text, DecodeFile(octets, limits));
  const absl::string_view content = absl::StripLeadingAsciiWhitespace(text);
  if (content.empty()) return Invalid("it is empty");
  if (!absl::StartsWith(content, "<") || absl::StartsWith(content, "<#")) {
    return Invalid(
        "it does not begin with `<`: something else stands around the XML, such as a script's "
        "comment or the `-` of a browser's tree view; use the file as the program wrote it");
  }
  Reading reading = Read(text, 1, limits);
  if (reading.faults.empty()) return std::move(reading.root);
  const Fault& first = reading.faults.front();
  const bool is_malformed =
      first.kind == FaultKind::kMalformed || first.kind == FaultKind::kUnboundPrefix;
  return Invalid(absl::StrCat(
      "line ", first.line, ": ", is_malformed ? "it is no well-formed XML: " : "", first.message,
      first.kind == FaultKind::kDocumentType ? ", which no file of this kind has" : ""));
}

}  // namespace hourglass::xml
