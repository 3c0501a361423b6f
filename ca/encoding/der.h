// DER (X.690 sections 8 to 11), as little of it as certificates need: a strict reader and a small
// writer.
#ifndef HOURGLASS_CA_ENCODING_DER_H_
#define HOURGLASS_CA_ENCODING_DER_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::ca::der {

// Identifier octets. Tag numbers above 30 are not used by certificates and are refused.
using Tag = std::uint8_t;
inline constexpr Tag kBoolean = 0x01;
inline constexpr Tag kInteger = 0x02;
inline constexpr Tag kBitString = 0x03;
inline constexpr Tag kOctetString = 0x04;
inline constexpr Tag kNull = 0x05;
inline constexpr Tag kOid = 0x06;
inline constexpr Tag kUtf8String = 0x0c;
inline constexpr Tag kNumericString = 0x12;
inline constexpr Tag kPrintableString = 0x13;
inline constexpr Tag kTeletexString = 0x14;
inline constexpr Tag kIa5String = 0x16;
inline constexpr Tag kUtcTime = 0x17;
inline constexpr Tag kGeneralizedTime = 0x18;
inline constexpr Tag kUniversalString = 0x1c;
inline constexpr Tag kBmpString = 0x1e;
inline constexpr Tag kSequence = 0x30;
inline constexpr Tag kSet = 0x31;
// Context-specific tags, `[number]`.
constexpr Tag Primitive(int number) { return static_cast<Tag>(0x80 | number); }
constexpr Tag Constructed(int number) { return static_cast<Tag>(0xa0 | number); }

struct Element {
  Tag tag;
  absl::string_view content;
  absl::string_view whole;  // identifier, length and content
};

// Walks over octets that somebody else keeps alive; what it returns points into them. After a
// failed read it stands where it stood.
class Reader {
 public:
  explicit Reader(absl::string_view input) : rest_(input) {}

  bool empty() const { return rest_.empty(); }
  absl::string_view rest() const { return rest_; }
  bool NextIs(Tag tag) const { return !rest_.empty() && static_cast<Tag>(rest_[0]) == tag; }

  // The next element: definite length in the fewest octets, all of it there.
  std::optional<Element> ReadAny();

  // The content (whole) of the next element, which must have this tag.
  std::optional<absl::string_view> Read(Tag tag);
  std::optional<absl::string_view> ReadWhole(Tag tag);

  // The content of a BIT STRING without unused bits, as keys and signatures are.
  std::optional<absl::string_view> ReadOctetAlignedBits();

 private:
  absl::string_view rest_;
};

// The content of the only element in `input`.
std::optional<absl::string_view> ReadOnly(absl::string_view input, Tag tag);

// Whether `input` is a row of elements (none is a row too) whose universal types have the content
// that DER wants, down to a depth of 32: one-octet BOOLEAN 00 or ff, INTEGER and OBJECT IDENTIFIER
// in the fewest octets, BIT STRING with zero padding, empty NULL, UTF8String, BMPString and
// UniversalString of Unicode characters, SEQUENCE and SET constructed and all others not.
bool IsWellFormed(absl::string_view input);

// Whether the content of an INTEGER (ENUMERATED) is there and minimal (X.690 section 8.3.2).
bool IsMinimalInteger(absl::string_view content);

// Octets of identifier and length in front of `content_size` octets of content.
std::size_t HeaderSize(std::size_t content_size);

// Appends identifier and length.
void AppendHeader(Tag tag, std::size_t content_size, std::string* out);
// Appends a whole element.
void Append(Tag tag, absl::string_view content, std::string* out);

// A whole element around the concatenation of `parts`.
std::string Encode(Tag tag, std::initializer_list<absl::string_view> parts);

}  // namespace hourglass::ca::der

#endif  // HOURGLASS_CA_ENCODING_DER_H_
