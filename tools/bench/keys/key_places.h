// The keys that key_benchmark compares, in tokens and TPMs of its own.
#ifndef HOURGLASS_TOOLS_BENCH_KEYS_KEY_PLACES_H_
#define HOURGLASS_TOOLS_BENCH_KEYS_KEY_PLACES_H_

#include <string>
#include <vector>

#include "tools/bench/keys/key_comparison.h"

namespace hourglass {

// `keyholder`: the program, an absolute path. Both end the program where anything fails.

// SoftHSM: P-256, P-384 and RSA-2048, and the latency that is added to one P-256 signature.
std::vector<Figure> CompareSofthsm(const std::string& keyholder, const Effort& effort);

// swtpm, P-256: a resident key, a key of tpm2-pkcs11, and a sealed key beside a software key.
std::vector<Figure> CompareTpm(const std::string& keyholder, const Effort& effort);

}  // namespace hourglass

#endif  // HOURGLASS_TOOLS_BENCH_KEYS_KEY_PLACES_H_
