// Which lines of a log are written when very many are alike.
#ifndef HOURGLASS_ISSUANCE_LOG_LINE_LIMITS_H_
#define HOURGLASS_ISSUANCE_LOG_LINE_LIMITS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// Counts the lines of a kind in a period, whose length is the caller's affair: as many as the
// kind's limit are written, then every hundredth. Each line is either written, or counted in the
// `left_out` of a later one or of what NextPeriod returns. Not safe for several threads.
class LineLimits {
 public:
  // Of those beyond the limit.
  static constexpr std::uint64_t kOneIn = 100;
  // Kinds that are told apart in a period; lines of further kinds count as one kind, the empty one.
  static constexpr std::size_t kMaxKinds = 1024;

  struct Decision {
    bool write;
    // With `write`: lines of the same kind since the last one written.
    std::uint64_t left_out;
  };
  struct LeftOut {
    std::string kind;
    std::uint64_t lines;
  };

  // One line more of this kind.
  Decision Count(absl::string_view kind, std::uint64_t limit);

  // A line that was to be written was not; `decision` is what Count said of it.
  void TakeBack(absl::string_view kind, const Decision& decision);

  // Every kind begins anew. Returns those with lines that no other line has told of, in no order.
  std::vector<LeftOut> NextPeriod();

 private:
  struct Counted {
    std::uint64_t lines = 0;
    std::uint64_t left_out = 0;
  };

  Counted& CountedOf(absl::string_view kind);

  absl::flat_hash_map<std::string, Counted> kinds_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_LOG_LINE_LIMITS_H_
