// Whatever lies beside a database as its write-ahead log: what is taken of it is a part of the file
// from its beginning, the same whatever follows, and gone when any octet of it changes.
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "issuance/store/sqlite/engine/wal_file.h"

namespace hourglass::issuance::sqlite {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

WalContent Read(const std::string& octets) {
  std::istringstream in(octets);
  return ReadWal(in);
}

// But for what is said of the rest of the file.
bool IsSame(WalContent a, const WalContent& b) {
  a.is_whole = b.is_whole;
  a.has_content = b.has_content;
  return a == b;
}

void CheckLog(const std::string& octets) {
  const WalContent content = Read(octets);
  Require(content.octets <= octets.size());
  Require(content.transactions <= content.frames && content.ties.size() <= content.frames);
  Require(content.frames == 0 || (content.has_header && content.has_content));
  Require((content.tie_page != 0) == !content.ties.empty());
  Require(!content.is_whole || content.octets == octets.size() || !content.has_header);
  const std::string taken = octets.substr(0, content.octets);
  const WalContent alone = Read(taken);
  Require(IsSame(content, alone) && (alone.is_whole || taken.empty()));
  if (content.frames == 0) return;
  Require(Read(taken.substr(0, taken.size() - 1)).transactions < content.transactions);
  // Everything between the head and the checksum of the last frame is under a checksum.
  std::string changed = taken;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  Require(Read(changed).transactions < content.transactions);
  changed = taken;
  changed[4] = static_cast<char>(changed[4] ^ 1);
  Require(!Read(changed).has_header);
}

}  // namespace
}  // namespace hourglass::issuance::sqlite

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hourglass::issuance::sqlite::CheckLog(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
