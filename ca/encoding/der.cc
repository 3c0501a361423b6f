#include "ca/encoding/der.h"

#include "ca/encoding/utf8.h"

namespace hourglass::ca::der {
namespace {

constexpr int kMaxDepth = 32;
constexpr Tag kConstructedBit = 0x20;
constexpr Tag kClassBits = 0xc0;
constexpr Tag kNumberBits = 0x1f;

constexpr Tag kEnumerated = 0x0a;

std::uint8_t Octet(absl::string_view text, std::size_t index) {
  return static_cast<std::uint8_t>(text[index]);
}

bool IsMinimalOid(absl::string_view content) {
  if (content.empty() || (Octet(content, content.size() - 1) & 0x80) != 0) return false;
  bool begins = true;
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (begins && Octet(content, i) == 0x80) return false;
    begins = (Octet(content, i) & 0x80) == 0;
  }
  return true;
}

bool IsStrictBitString(absl::string_view content) {
  if (content.empty()) return false;
  const unsigned unused = Octet(content, 0);
  if (content.size() == 1) return unused == 0;
  if (unused > 7) return false;
  const unsigned padding = (1u << unused) - 1;
  return (Octet(content, content.size() - 1) & padding) == 0;
}

// Characters of `width` octets, big-endian.
bool IsWideText(absl::string_view content, std::size_t width) {
  if (content.size() % width != 0) return false;
  for (std::size_t i = 0; i < content.size(); i += width) {
    std::uint32_t character = 0;
    for (std::size_t j = 0; j < width; ++j) character = character << 8 | Octet(content, i + j);
    if (!IsUnicodeScalar(character)) return false;
  }
  return true;
}

bool IsWellFormedPrimitive(Tag tag, absl::string_view content) {
  switch (tag) {
    case kBoolean:
      return content.size() == 1 && (Octet(content, 0) == 0 || Octet(content, 0) == 0xff);
    case kInteger:
    case kEnumerated:
      return IsMinimalInteger(content);
    case kBitString:
      return IsStrictBitString(content);
    case kNull:
      return content.empty();
    case kOid:
      return IsMinimalOid(content);
    case kUtf8String:
      return DecodeUtf8(content).has_value();
    case kUniversalString:
      return IsWideText(content, 4);
    case kBmpString:
      return IsWideText(content, 2);
    default:
      return true;
  }
}

bool IsWellFormedToDepth(absl::string_view input, int depth) {
  Reader reader(input);
  while (!reader.empty()) {
    const std::optional<Element> element = reader.ReadAny();
    if (!element.has_value()) return false;
    const bool is_constructed = (element->tag & kConstructedBit) != 0;
    const bool is_universal = (element->tag & kClassBits) == 0;
    if (is_universal) {
      const bool must_be_constructed = element->tag == kSequence || element->tag == kSet;
      const Tag number = element->tag & kNumberBits;
      const bool is_row = number == (kSequence & kNumberBits) || number == (kSet & kNumberBits);
      if (number == 0 || is_constructed != is_row || is_row != must_be_constructed) return false;
      if (!is_constructed && !IsWellFormedPrimitive(element->tag, element->content)) return false;
    }
    if (is_constructed && (depth == 0 || !IsWellFormedToDepth(element->content, depth - 1))) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<Element> Reader::ReadAny() {
  if (rest_.size() < 2 || (Octet(rest_, 0) & kNumberBits) == kNumberBits) return std::nullopt;
  std::size_t header = 2;
  std::size_t size = Octet(rest_, 1);
  if (size >= 0x80) {
    const std::size_t octets = size & 0x7f;
    // 0x80 alone is the indefinite length of BER.
    if (octets == 0 || octets > 4 || rest_.size() < header + octets) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < octets; ++i) size = size << 8 | Octet(rest_, header + i);
    header += octets;
    if (HeaderSize(size) != header) return std::nullopt;
  }
  if (rest_.size() - header < size) return std::nullopt;
  const Element element{Octet(rest_, 0), rest_.substr(header, size),
                        rest_.substr(0, header + size)};
  rest_.remove_prefix(header + size);
  return element;
}

std::optional<absl::string_view> Reader::Read(Tag tag) {
  if (!NextIs(tag)) return std::nullopt;
  const std::optional<Element> element = ReadAny();
  if (!element.has_value()) return std::nullopt;
  return element->content;
}

std::optional<absl::string_view> Reader::ReadWhole(Tag tag) {
  if (!NextIs(tag)) return std::nullopt;
  const std::optional<Element> element = ReadAny();
  if (!element.has_value()) return std::nullopt;
  return element->whole;
}

std::optional<absl::string_view> Reader::ReadOctetAlignedBits() {
  Reader ahead = *this;
  const std::optional<absl::string_view> bits = ahead.Read(kBitString);
  if (!bits.has_value() || bits->empty() || (*bits)[0] != 0) return std::nullopt;
  *this = ahead;
  return bits->substr(1);
}

std::optional<absl::string_view> ReadOnly(absl::string_view input, Tag tag) {
  Reader reader(input);
  const std::optional<absl::string_view> content = reader.Read(tag);
  if (!reader.empty()) return std::nullopt;
  return content;
}

bool IsWellFormed(absl::string_view input) { return IsWellFormedToDepth(input, kMaxDepth); }

bool IsMinimalInteger(absl::string_view content) {
  if (content.size() < 2) return content.size() == 1;
  const std::uint8_t first = Octet(content, 0);
  const bool second_is_negative = (Octet(content, 1) & 0x80) != 0;
  return !(first == 0x00 && !second_is_negative) && !(first == 0xff && second_is_negative);
}

std::size_t HeaderSize(std::size_t content_size) {
  std::size_t header = 2;
  if (content_size >= 0x80) {
    for (; content_size != 0; content_size >>= 8) ++header;
  }
  return header;
}

void AppendHeader(Tag tag, std::size_t content_size, std::string* out) {
  out->push_back(static_cast<char>(tag));
  if (content_size < 0x80) {
    out->push_back(static_cast<char>(content_size));
    return;
  }
  const std::size_t octets = HeaderSize(content_size) - 2;
  out->push_back(static_cast<char>(0x80 | octets));
  for (std::size_t i = octets; i-- > 0;) out->push_back(static_cast<char>(content_size >> (8 * i)));
}

void Append(Tag tag, absl::string_view content, std::string* out) {
  AppendHeader(tag, content.size(), out);
  out->append(content.data(), content.size());
}

std::string Encode(Tag tag, std::initializer_list<absl::string_view> parts) {
  std::size_t size = 0;
  for (const absl::string_view part : parts) size += part.size();
  std::string out;
  out.reserve(HeaderSize(size) + size);
  AppendHeader(tag, size, &out);
  for (const absl::string_view part : parts) out.append(part.data(), part.size());
  return out;
}

}  // namespace hourglass::ca::der
