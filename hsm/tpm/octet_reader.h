// Reading what is made of octets and sized fields.
#ifndef HOURGLASS_HSM_TPM_OCTET_READER_H_
#define HOURGLASS_HSM_TPM_OCTET_READER_H_

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace hourglass::hsm {

// Takes octets off the front; once something is wrong, nothing more is there, and Done is false.
class OctetReader {
 public:
  explicit OctetReader(absl::string_view octets) : left_(octets) {}

  absl::string_view Take(std::size_t size) {
    Require(size <= left_.size());
    if (failed_) return "";
    const absl::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

  std::size_t TakeOctet() {
    const absl::string_view octet = Take(1);
    return octet.empty() ? 0 : static_cast<unsigned char>(octet[0]);
  }

  // A field with its size before it, in two octets.
  std::string TakeSized(std::size_t smallest, std::size_t largest) {
    const std::size_t high = TakeOctet();
    const std::size_t size = high << 8 | TakeOctet();
    Require(size >= smallest && size <= largest);
    return std::string(Take(size));
  }

  void Require(bool holds) { failed_ = failed_ || !holds; }

  // Whether all was right and nothing is left.
  bool Done() const { return !failed_ && left_.empty(); }

 private:
  absl::string_view left_;
  bool failed_ = false;
};

// What TakeSized takes; at most 65535 octets.
inline void AppendSized(std::string& out, absl::string_view octets) {
  out.push_back(static_cast<char>(octets.size() >> 8));
  out.push_back(static_cast<char>(octets.size()));
  absl::StrAppend(&out, octets);
}

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_OCTET_READER_H_
