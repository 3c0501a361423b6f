// Measuring two ways of signing beside each other, in turns, so that both meet the same noise.
#ifndef HOURGLASS_TOOLS_BENCH_KEYS_KEY_COMPARISON_H_
#define HOURGLASS_TOOLS_BENCH_KEYS_KEY_COMPARISON_H_

#include <chrono>
#include <string>
#include <vector>

#include "hsm/key/signing_key.h"
#include "tools/bench/keys/raw_signer.h"

namespace hourglass {

struct Effort {
  int rounds;                          // of which the median counts
  std::chrono::milliseconds duration;  // of each measurement of a round
};

struct Figure {
  std::string what;
  std::string unit;     // `ratio`: ours / compared; `us`: ours - compared
  double compared = 0;  // signatures a second, or microseconds
  double ours = 0;
  int threads = 1;  // callers at which ours was best
  double value = 0;
  double target = 0;

  bool Met() const { return unit == "ratio" ? value >= target : value < target; }
};

// `key`'s best rate at any of `threads` callers, over the best of the first and of all of `raw`,
// which may be used by as many processes. Each caller signs `group` messages at once (SignAll).
Figure CompareRates(const std::string& what, double target, hsm::SigningKey& key,
                    const std::vector<int>& threads, const std::vector<RawSigner*>& raw,
                    const Effort& effort, int group = 1);

// The best rate of `key` over the best of `other`.
Figure CompareKeys(const std::string& what, double target, hsm::SigningKey& key,
                   hsm::SigningKey& other, const std::vector<int>& threads, const Effort& effort);

// The median latency of one caller's signature, less that of `raw`.
Figure CompareLatencies(const std::string& what, double target, hsm::SigningKey& key,
                        RawSigner& raw, const Effort& effort);

}  // namespace hourglass

#endif  // HOURGLASS_TOOLS_BENCH_KEYS_KEY_COMPARISON_H_
