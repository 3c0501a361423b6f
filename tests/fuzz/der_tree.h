// DER as a tree that can be bent: to make octets that are almost a request.
#ifndef HOURGLASS_TESTS_FUZZ_DER_TREE_H_
#define HOURGLASS_TESTS_FUZZ_DER_TREE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ca/encoding/der.h"

namespace hourglass {

enum class LengthForm { kShortest, kOneOctetMore, kIndefinite };

struct DerNode {
  ca::der::Tag tag = 0;
  LengthForm length_form = LengthForm::kShortest;
  std::string content;            // of a primitive
  std::vector<DerNode> children;  // of a constructed
};

// The elements of `der`, which must be well-formed.
std::vector<DerNode> ParseDer(absl::string_view der);

// Lengths are right whatever was bent, in the form that each node wants.
std::string Encode(const std::vector<DerNode>& nodes);

// One change of the tree, told by four octets: what to do, to which node, and two more. There is
// nothing that they cannot say twice, and every four octets mean something.
struct Change {
  std::uint8_t what, where, first, second;
};
void Apply(const Change& change, std::vector<DerNode>* nodes);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_FUZZ_DER_TREE_H_
