#include "tools/gatewayd/vici_message.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::gatewayd {
namespace {

enum Element : char {
  kSectionStart = 1,
  kSectionEnd = 2,
  kKeyValue = 3,
  kListStart = 4,
  kListItem = 5,
  kListEnd = 6,
};

absl::Status Malformed(absl::string_view what) {
  return Error(ErrorReason::kFieldInvalid, "", what);
}

std::string BigEndian(std::size_t number, std::size_t octets) {
  std::string text;
  for (std::size_t i = octets; i-- > 0;) text.push_back(static_cast<char>(number >> 8 * i));
  return text;
}

std::string Counted(absl::string_view text, std::size_t octets) {
  const absl::string_view cut = text.substr(0, (std::size_t{1} << 8 * octets) - 1);
  return absl::StrCat(BigEndian(cut.size(), octets), cut);
}

std::string Name(absl::string_view name) { return Counted(name, 1); }
std::string Value(absl::string_view value) { return Counted(value, 2); }

// Takes elements off the front of a text.
class Reader {
 public:
  explicit Reader(absl::string_view left) : left_(left) {}

  bool done() const { return left_.empty(); }

  std::optional<char> Octet() {
    if (left_.empty()) return std::nullopt;
    const char octet = left_.front();
    left_.remove_prefix(1);
    return octet;
  }
  std::optional<std::string> Text(std::size_t length_octets) {
    if (left_.size() < length_octets) return std::nullopt;
    std::size_t size = 0;
    for (const char octet : left_.substr(0, length_octets)) {
      size = size << 8 | static_cast<unsigned char>(octet);
    }
    if (left_.size() - length_octets < size) return std::nullopt;
    std::string text(left_.substr(length_octets, size));
    left_.remove_prefix(length_octets + size);
    return text;
  }

  absl::StatusOr<std::vector<std::string>> List() {
    std::vector<std::string> items;
    for (;;) {
      const std::optional<char> element = Octet();
      if (element == kListEnd) return items;
      if (element != kListItem) return Malformed("a list has something else than items");
      std::optional<std::string> item = Text(2);
      if (!item.has_value()) return Malformed("an item is cut off");
      items.push_back(*std::move(item));
    }
  }

  absl::StatusOr<ViciSection> Section(int depth) {
    if (depth > kMaxViciDepth) return Malformed("too many sections within sections");
    ViciSection section;
    while (!done() || depth > 0) {
      const std::optional<char> element = Octet();
      if (element == kSectionEnd && depth > 0) return section;
      if (element != kSectionStart && element != kKeyValue && element != kListStart) {
        return Malformed("an element is out of place");
      }
      std::optional<std::string> name = Text(1);
      if (!name.has_value()) return Malformed("a name is cut off");
      RETURN_IF_ERROR(Member(*element, *std::move(name), depth, section));
    }
    return section;
  }

 private:
  absl::Status Member(char element, std::string name, int depth, ViciSection& section) {
    if (element == kSectionStart) {
      ASSIGN_OR_RETURN(ViciSection inner, Section(depth + 1));
      inner.name = std::move(name);
      section.sections.push_back(std::move(inner));
    } else if (element == kListStart) {
      ASSIGN_OR_RETURN(std::vector<std::string> items, List());
      section.lists.emplace_back(std::move(name), std::move(items));
    } else {
      std::optional<std::string> value = Text(2);
      if (!value.has_value()) return Malformed("a value is cut off");
      section.values.emplace_back(std::move(name), *std::move(value));
    }
    return absl::OkStatus();
  }

  absl::string_view left_;
};

bool HasName(ViciPacketType type) {
  return type == ViciPacketType::kCommandRequest || type == ViciPacketType::kEventRegister ||
         type == ViciPacketType::kEventUnregister || type == ViciPacketType::kEvent;
}

}  // namespace

absl::string_view ViciSection::Value(absl::string_view name) const {
  for (const auto& [key, value] : values) {
    if (key == name) return value;
  }
  return "";
}

std::string EncodeViciMessage(const ViciSection& message) {
  std::string octets;
  for (const auto& [name, value] : message.values) {
    absl::StrAppend(&octets, std::string(1, kKeyValue), Name(name), Value(value));
  }
  for (const auto& [name, items] : message.lists) {
    absl::StrAppend(&octets, std::string(1, kListStart), Name(name));
    for (const std::string& item : items) {
      absl::StrAppend(&octets, std::string(1, kListItem), Value(item));
    }
    octets.push_back(kListEnd);
  }
  for (const ViciSection& section : message.sections) {
    absl::StrAppend(&octets, std::string(1, kSectionStart), Name(section.name),
                    EncodeViciMessage(section));
    octets.push_back(kSectionEnd);
  }
  return octets;
}

absl::StatusOr<ViciSection> ParseViciMessage(absl::string_view octets) {
  return Reader(octets).Section(0);
}

std::string EncodeViciPacket(const ViciPacket& packet) {
  std::string octets(1, static_cast<char>(packet.type));
  if (HasName(packet.type)) octets += Name(packet.name);
  octets += EncodeViciMessage(packet.message);
  return absl::StrCat(BigEndian(octets.size(), kViciLength), octets);
}

absl::StatusOr<ViciPacket> ParseViciPacket(absl::string_view octets) {
  if (octets.size() > kMaxViciPacket) return Malformed("a packet is too large");
  Reader reader(octets);
  const std::optional<char> type = reader.Octet();
  if (!type.has_value() || *type < 0 || *type > static_cast<char>(ViciPacketType::kEvent)) {
    return Malformed("a packet is of no known type");
  }
  ViciPacket packet;
  packet.type = static_cast<ViciPacketType>(*type);
  if (HasName(packet.type)) {
    std::optional<std::string> name = reader.Text(1);
    if (!name.has_value()) return Malformed("a name is cut off");
    packet.name = *std::move(name);
  }
  ASSIGN_OR_RETURN(packet.message, reader.Section(0));
  return packet;
}

}  // namespace hourglass::gatewayd
