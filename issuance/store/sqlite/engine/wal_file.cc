#include "issuance/store/sqlite/engine/wal_file.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace hourglass::issuance::sqlite {
namespace {

constexpr std::size_t kHeaderOctets = 32;
constexpr std::size_t kFrameHeaderOctets = 24;
constexpr std::uint32_t kMagic = 0x377f0682;
constexpr std::uint32_t kVersion = 3007000;
constexpr std::uint32_t kLeastPage = 512, kMostPage = 65536;

std::uint32_t BigEndian(absl::string_view octets, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8 | static_cast<unsigned char>(octets[at + i]);
  }
  return value;
}

std::uint32_t LittleEndian(absl::string_view octets, std::size_t at) {
  return __builtin_bswap32(BigEndian(octets, at));
}

// Section 4.2.
struct Checksum {
  std::uint32_t first = 0, second = 0;

  void Add(absl::string_view octets, bool big_endian) {
    for (std::size_t at = 0; at + 8 <= octets.size(); at += 8) {
      first += (big_endian ? BigEndian(octets, at) : LittleEndian(octets, at)) + second;
      second += (big_endian ? BigEndian(octets, at + 4) : LittleEndian(octets, at + 4)) + first;
    }
  }
  bool IsAt(absl::string_view octets, std::size_t at) const {
    return first == BigEndian(octets, at) && second == BigEndian(octets, at + 4);
  }
};

// As many octets as there are, at most `size`.
std::string Take(std::istream& in, std::size_t size) {
  std::string octets(size, '\0');
  in.read(octets.data(), static_cast<std::streamsize>(size));
  octets.resize(static_cast<std::size_t>(in.gcount()));
  return octets;
}

bool IsZero(absl::string_view octets) {
  return std::all_of(octets.begin(), octets.end(), [](char c) { return c == '\0'; });
}

// What all frames have in common.
struct Header {
  std::size_t page_size = 0;
  bool big_endian = false;
  std::string salts;
  Checksum checksum;

  static std::optional<Header> Parse(absl::string_view octets) {
    if (octets.size() < kHeaderOctets || (BigEndian(octets, 0) & ~1U) != kMagic ||
        BigEndian(octets, 4) != kVersion) {
      return std::nullopt;
    }
    const std::uint32_t page_size = BigEndian(octets, 8);
    if (page_size < kLeastPage || page_size > kMostPage || (page_size & (page_size - 1)) != 0) {
      return std::nullopt;
    }
    Header header;
    header.page_size = page_size;
    header.big_endian = (BigEndian(octets, 0) & 1U) != 0;
    header.salts = std::string(octets.substr(16, 8));
    header.checksum.Add(octets.substr(0, 24), header.big_endian);
    if (!header.checksum.IsAt(octets, 24)) return std::nullopt;
    return header;
  }

  // The frame belongs to the log, right after those that were taken before.
  bool TakeFrame(absl::string_view frame) {
    if (frame.size() < kFrameHeaderOctets + page_size || BigEndian(frame, 0) == 0 ||
        frame.substr(8, 8) != salts) {
      return false;
    }
    checksum.Add(frame.substr(0, 8), big_endian);
    checksum.Add(frame.substr(kFrameHeaderOctets, page_size), big_endian);
    return checksum.IsAt(frame, 16);
  }
};

}  // namespace

std::optional<Tie> TieOfPage(absl::string_view page) {
  // Of the cell: the payload's size, the key, the size of the record's header, types NULL and twice
  // a blob of 16 octets.
  constexpr char kCell[] = {36, 1, 4, 0, 44, 44};
  constexpr char kTableLeaf = 13;
  if (page.size() < 16 || page[0] != kTableLeaf || page[3] != 0 || page[4] != 1) {
    return std::nullopt;
  }
  const std::size_t at = BigEndian(page, 8) >> 16;
  Tie tie;
  if (at + sizeof(kCell) + sizeof(tie) > page.size() ||
      page.substr(at, sizeof(kCell)) != absl::string_view(kCell, sizeof(kCell))) {
    return std::nullopt;
  }
  std::memcpy(&tie, page.data() + at + sizeof(kCell), sizeof(tie));
  return tie;
}

WalContent ReadWal(std::istream& in) {
  WalContent content;
  std::optional<Header> header = Header::Parse(Take(in, kHeaderOctets));
  content.has_header = header.has_value();
  content.octets = header.has_value() ? kHeaderOctets : 0;
  const std::size_t frame_size = kFrameHeaderOctets + (header ? header->page_size : 4096);
  std::uint64_t taken = content.octets, frames = 0;
  std::vector<Tie> ties;
  std::uint32_t tie_page = 0;
  bool sound = header.has_value(), longer = false;
  for (std::string frame; !(frame = Take(in, frame_size)).empty();) {
    content.has_content = content.has_content || !IsZero(frame);
    sound = sound && header->TakeFrame(frame);
    longer = true;
    if (!sound) continue;
    ++frames;
    taken += frame.size();
    const auto tie = TieOfPage(absl::string_view(frame).substr(kFrameHeaderOctets));
    if (tie.has_value()) ties.push_back(*tie);
    if (tie.has_value() && tie_page == 0) tie_page = BigEndian(frame, 0);
    if (BigEndian(frame, 4) == 0) continue;
    // It ends a transaction.
    content.frames = frames;
    content.octets = taken;
    ++content.transactions;
    content.ties.insert(content.ties.end(), ties.begin(), ties.end());
    if (content.tie_page == 0) content.tie_page = tie_page;
    ties.clear();
    longer = false;
  }
  content.is_whole = !longer;
  return content;
}

}  // namespace hourglass::issuance::sqlite
