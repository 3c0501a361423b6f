#include "tools/profiles/schema_validation.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlschemas.h>

#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tools/profiles/schema_texts.h"

namespace hourglass::profiles {
namespace {

template <auto kFree>
struct XmlDeleter {
  template <typename T>
  void operator()(T* handle) const {
    kFree(handle);
  }
};
using DocumentPtr = std::unique_ptr<xmlDoc, XmlDeleter<xmlFreeDoc>>;
using SchemaPtr = std::unique_ptr<xmlSchema, XmlDeleter<xmlSchemaFree>>;
using SchemaParserPtr = std::unique_ptr<xmlSchemaParserCtxt, XmlDeleter<xmlSchemaFreeParserCtxt>>;
using ValidatorPtr = std::unique_ptr<xmlSchemaValidCtxt, XmlDeleter<xmlSchemaFreeValidCtxt>>;

constexpr char kMainSchema[] = "hourglass:vpn-profile.xsd";

// All that libxml2 may open: schemas import each other by these names, and a document can name
// schemas, too (xsi:schemaLocation).
xmlParserInputPtr OpenEmbedded(const char* url, const char*, xmlParserCtxtPtr parser) {
  absl::string_view name = url == nullptr ? "" : url;
  if (!absl::ConsumePrefix(&name, "hourglass:")) return nullptr;
  for (const SchemaText& schema : SchemaTexts()) {
    if (schema.file != name) continue;
    xmlParserInputBufferPtr buffer = xmlParserInputBufferCreateMem(
        schema.text.data(), static_cast<int>(schema.text.size()), XML_CHAR_ENCODING_NONE);
    if (buffer == nullptr) return nullptr;
    xmlParserInputPtr input = xmlNewIOInputStream(parser, buffer, XML_CHAR_ENCODING_NONE);
    if (input == nullptr) {
      xmlFreeParserInputBuffer(buffer);
      return nullptr;
    }
    input->filename = reinterpret_cast<const char*>(
        xmlStrdup(reinterpret_cast<const xmlChar*>(url)));  // freed with `input`
    return input;
  }
  return nullptr;
}

void Collect(void* faults, xmlErrorPtr error) {
  static_cast<std::vector<std::string>*>(faults)->push_back(
      absl::StrCat("line ", error->line, ": ",
                   absl::StripAsciiWhitespace(error->message == nullptr ? "" : error->message)));
}

struct Schema {
  SchemaPtr schema;
  std::vector<std::string> faults;
};

Schema LoadSchema() {
  xmlInitParser();
  xmlSetExternalEntityLoader(&OpenEmbedded);
  Schema loaded;
  const SchemaParserPtr parser(xmlSchemaNewParserCtxt(kMainSchema));
  if (parser == nullptr) return loaded;
  xmlSchemaSetParserStructuredErrors(parser.get(), &Collect, &loaded.faults);
  loaded.schema.reset(xmlSchemaParse(parser.get()));
  return loaded;
}

}  // namespace

std::vector<std::string> SchemaFaults(absl::string_view xml) {
  // A schema that is parsed is not changed by validating (libxml2's rule for its threads).
  static const Schema* const kSchema = new Schema(LoadSchema());
  std::vector<std::string> faults;
  if (kSchema->schema == nullptr) {
    faults = kSchema->faults;
    faults.push_back("the schemas cannot be read");
    return faults;
  }
  const DocumentPtr document(xmlReadMemory(
      xml.data(), static_cast<int>(xml.size()), nullptr, "UTF-8",
      XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
  if (document == nullptr) return {"it is no well-formed XML"};
  const ValidatorPtr validator(xmlSchemaNewValidCtxt(kSchema->schema.get()));
  if (validator == nullptr) return {"no memory"};
  xmlSchemaSetValidStructuredErrors(validator.get(), &Collect, &faults);
  if (xmlSchemaValidateDoc(validator.get(), document.get()) != 0 && faults.empty()) {
    faults.push_back("it is not valid");
  }
  return faults;
}

}  // namespace hourglass::profiles
