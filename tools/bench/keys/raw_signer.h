// What a key can do with nothing of ours around it: a process of its own that calls the module, or
// the TPM, and does nothing else.
#ifndef HOURGLASS_TOOLS_BENCH_KEYS_RAW_SIGNER_H_
#define HOURGLASS_TOOLS_BENCH_KEYS_RAW_SIGNER_H_

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace hourglass {

// Ends the program where anything fails, with a line on standard error: there is nothing to measure
// then.
class RawSigner {
 public:
  struct Key {
    // PKCS#11: module, token label, PIN, key label.
    std::string module_path;
    std::string token;
    std::string pin;
    std::string label;
    bool rsa = false;      // CKM_RSA_PKCS over a DigestInfo, else CKM_ECDSA
    int digest_size = 32;  // octets
    // Or, where `tcti` is given: the key at this persistent handle, by Esys_Sign.
    std::string tcti;
    std::uint32_t handle = 0;
  };

  // Starts this very program as a process that holds the key; `environment` entries are added.
  explicit RawSigner(const Key& key, const std::vector<std::string>& environment = {});
  ~RawSigner();
  RawSigner(const RawSigner&) = delete;
  RawSigner& operator=(const RawSigner&) = delete;

  // Has it sign for so long, one signature after another; returns at once.
  void Begin(std::chrono::milliseconds duration);
  struct Result {
    double per_second = 0;
    double median_microseconds = 0;
  };
  // Waits for the end of what Begin began.
  Result End();

 private:
  pid_t pid_;
  int to_child_;
  int from_child_;
};

// For main: where the program was started by RawSigner, serves and ends the process. Else returns.
void ServeAsRawSigner(int argc, char** argv);

}  // namespace hourglass

#endif  // HOURGLASS_TOOLS_BENCH_KEYS_RAW_SIGNER_H_
