#include "tools/xml/xml_tree.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace hourglass::profiles {
namespace {

std::string Text(const xmlChar* text) {
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

int LinesIn(absl::string_view text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

// What libxml2's parser tells of the text, piece by piece. After the first fault that ends the
// reading it tells no more.
class TreeBuilder {
 public:
  explicit TreeBuilder(int first_line) : first_line_(first_line) {}

  void Start(const xmlChar* name, const xmlChar* name_space, int attribute_count,
             const xmlChar** attributes) {
    if (++elements_ > kMostXmlElements) {
      return Refuse(XmlFaultKind::kTooManyElements,
                    absl::StrCat("more than ", kMostXmlElements, " elements"));
    }
    if (depth_ >= kDeepestXml) {
      return Refuse(XmlFaultKind::kTooDeep,
                    absl::StrCat("elements stand more than ", kDeepestXml, " deep in each other"));
    }
    auto element = std::make_unique<XmlElement>();
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
    XmlElement* const opened = element.get();
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
    open_ = const_cast<XmlElement*>(open_->parent);
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

  void Refuse(XmlFaultKind kind, absl::string_view why) {
    if (!is_over_) faults_.push_back({kind, Line(), std::string(why)});
    is_over_ = true;
    xmlStopParser(parser_);
  }

  void Note(const xmlError& error) {
    if (is_over_ || error.level < XML_ERR_ERROR) return;
    const bool unbound =
        error.domain == XML_FROM_NAMESPACE && error.code == XML_NS_ERR_UNDEFINED_NAMESPACE;
    const std::string message = absl::StrReplaceAll(
        absl::StripAsciiWhitespace(error.message == nullptr ? "" : error.message), {{"\n", " "}});
    faults_.push_back({unbound ? XmlFaultKind::kUnboundPrefix : XmlFaultKind::kMalformed,
                       error.line + first_line_ - 1, message});
    is_over_ = !unbound;
  }

  void set_parser(xmlParserCtxtPtr parser) { parser_ = parser; }

  XmlReading Take() {
    if (!is_over_ && root_ == nullptr) {
      faults_.push_back({XmlFaultKind::kMalformed, first_line_, "there is no XML element"});
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
  xmlParserCtxtPtr parser_ = nullptr;
  std::unique_ptr<XmlElement> root_;
  XmlElement* open_ = nullptr;
  std::size_t depth_ = 0;
  std::size_t elements_ = 0;
  std::vector<XmlFault> faults_;
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
    Builder(context).Refuse(XmlFaultKind::kDocumentType, "there is a document type (DOCTYPE)");
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

const XmlElement* XmlElement::Child(absl::string_view child) const {
  const auto found = std::find_if(children.begin(), children.end(),
                                  [child](const auto& element) { return element->name == child; });
  return found == children.end() ? nullptr : found->get();
}

const XmlElement* XmlElement::Find(std::initializer_list<absl::string_view> path) const {
  const XmlElement* element = this;
  for (const absl::string_view step : path) {
    element = element->Child(step);
    if (element == nullptr) return nullptr;
  }
  return element;
}

absl::string_view XmlElement::Trimmed() const { return absl::StripAsciiWhitespace(text); }

const XmlAttribute* XmlElement::Attribute(absl::string_view attribute) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [attribute](const auto& one) { return one.name == attribute; });
  return found == attributes.end() ? nullptr : &*found;
}

XmlReading ReadXml(absl::string_view text, int first_line) {
  if (text.size() > kLargestXml) {
    XmlReading reading;
    reading.faults.push_back({XmlFaultKind::kTooLarge, first_line,
                              absl::StrCat("it has more than ", kLargestXml >> 20, " MiB")});
    return reading;
  }
  TreeBuilder builder(first_line);
  xmlSAXHandler handler = Handler();
  const std::unique_ptr<xmlParserCtxt, ParserDeleter> parser(
      xmlCreatePushParserCtxt(&handler, &builder, nullptr, 0, nullptr));
  if (parser == nullptr) return builder.Take();
  builder.set_parser(parser.get());
  // NOENT gives `&` for `&amp;` in attributes; there is no document type that could declare more.
  xmlCtxtUseOptions(parser.get(), XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_NOENT);
  xmlSwitchEncoding(parser.get(), XML_CHAR_ENCODING_UTF8);
  xmlParseChunk(parser.get(), text.data(), static_cast<int>(text.size()), 1);
  return builder.Take();
}

}  // namespace hourglass::profiles
