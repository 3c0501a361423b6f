// Whatever a peer sends, and in whatever pieces it comes, FrameBounds finds the same, and as many
// streams that began.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "issuance/edge/transport/frame_bounds.h"

using hourglass::issuance::FrameBounds;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // The first octet says how large the pieces are; the preface goes before.
  const std::size_t piece = data[0] + std::size_t{1};
  std::string octets = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  octets.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  FrameBounds whole;
  const std::string wrong = whole.Take(octets);
  const int begun = whole.TakeBegun();
  FrameBounds pieces;
  int begun_in_pieces = 0;
  for (std::size_t at = 0; at < octets.size(); at += piece) {
    const std::string& so_far = pieces.Take(absl::string_view(octets).substr(at, piece));
    if (!so_far.empty() && so_far != wrong) std::abort();
    begun_in_pieces += pieces.TakeBegun();
  }
  if (pieces.Take("") != wrong || begun_in_pieces != begun) std::abort();
  return 0;
}
