#include "tests/fuzz/der_tree.h"

#include <cstddef>
#include <optional>
#include <utility>

namespace hourglass {
namespace {

namespace der = ca::der;

constexpr der::Tag kConstructedBit = 0x20;
// A tree that doubles with each change would fill the memory.
constexpr std::size_t kMostNodes = 400;

bool IsConstructed(const DerNode& node) { return (node.tag & kConstructedBit) != 0; }

struct Place {
  std::vector<DerNode>* row;
  std::size_t index;

  DerNode& node() const { return (*row)[index]; }
};

void Collect(std::vector<DerNode>* row, std::vector<Place>* places) {
  for (std::size_t i = 0; i < row->size(); ++i) {
    places->push_back({row, i});
    Collect(&(*row)[i].children, places);
  }
}

void AppendLength(LengthForm form, std::size_t size, std::string* out) {
  std::string shortest;
  der::AppendHeader(0, size, &shortest);
  shortest.erase(0, 1);
  switch (form) {
    case LengthForm::kShortest:
      *out += shortest;
      break;
    case LengthForm::kOneOctetMore:
      if (shortest.size() == 1) {
        *out += '\x81';
        *out += shortest;
      } else {
        *out += static_cast<char>(shortest[0] + 1);
        *out += '\0';
        *out += shortest.substr(1);
      }
      break;
    case LengthForm::kIndefinite:
      *out += '\x80';
      break;
  }
}

void ChangeContent(std::uint8_t what, std::uint8_t first, std::uint8_t second, DerNode* node) {
  std::string& content = node->content;
  const std::size_t at = content.empty() ? 0 : first % content.size();
  switch (what % 5) {
    case 0:
      if (!content.empty()) content[at] = static_cast<char>(content[at] ^ (1 << second % 8));
      break;
    case 1:
      if (!content.empty()) content[at] = static_cast<char>(second);
      break;
    case 2:
      content.insert(at, 1, static_cast<char>(second));
      break;
    case 3:
      if (!content.empty()) content.erase(at, 1 + second % 4);
      break;
    default:
      content.assign(first, static_cast<char>(second));
      break;
  }
}

void ChangeNode(std::uint8_t what, std::uint8_t first, const std::vector<Place>& places,
                const Place& place) {
  std::vector<DerNode>& row = *place.row;
  const auto here = row.begin() + static_cast<std::ptrdiff_t>(place.index);
  const DerNode other = places[first % places.size()].node();
  switch (what % 8) {
    case 0:
      place.node().tag = first;
      break;
    case 1:
      place.node().length_form = first % 2 == 0                ? LengthForm::kOneOctetMore
                                 : IsConstructed(place.node()) ? LengthForm::kIndefinite
                                                               : LengthForm::kShortest;
      break;
    case 2:
      row.erase(here);
      break;
    case 3:
      row.insert(here, other);
      break;
    case 4:
      place.node() = other;
      break;
    case 5:
      std::swap(place.node(), row[first % row.size()]);
      break;
    case 6:
      row.insert(here, DerNode{static_cast<der::Tag>(first & ~kConstructedBit), {}, "x", {}});
      break;
    default:
      place.node() = DerNode{first % 2 == 0 ? der::kSequence : der::kSet, {}, "", {place.node()}};
      break;
  }
}

}  // namespace

std::vector<DerNode> ParseDer(absl::string_view der) {
  std::vector<DerNode> nodes;
  ca::der::Reader reader(der);
  while (!reader.empty()) {
    const std::optional<ca::der::Element> element = reader.ReadAny();
    if (!element.has_value()) break;
    DerNode node{element->tag, LengthForm::kShortest, "", {}};
    if (IsConstructed(node)) {
      node.children = ParseDer(element->content);
    } else {
      node.content = std::string(element->content);
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

std::string Encode(const std::vector<DerNode>& nodes) {
  std::string out;
  for (const DerNode& node : nodes) {
    const std::string content = node.content + Encode(node.children);
    out += static_cast<char>(node.tag);
    AppendLength(node.length_form, content.size(), &out);
    out += content;
    if (node.length_form == LengthForm::kIndefinite) out += std::string(2, '\0');
  }
  return out;
}

void Apply(const Change& change, std::vector<DerNode>* nodes) {
  std::vector<Place> places;
  Collect(nodes, &places);
  if (places.empty() || places.size() > kMostNodes) return;
  const Place place = places[change.where % places.size()];
  if (change.what % 2 == 0) {
    ChangeContent(change.what / 2, change.first, change.second, &place.node());
  } else {
    ChangeNode(change.what / 2, change.first, places, place);
  }
}

}  // namespace hourglass
