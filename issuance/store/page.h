// A part of a list, and where the next one begins.
#ifndef HOURGLASS_ISSUANCE_STORE_PAGE_H_
#define HOURGLASS_ISSUANCE_STORE_PAGE_H_

#include <string>
#include <vector>

namespace hourglass::issuance {

// Of a page, in records.
inline constexpr int kMaxPageSize = 1000;

// Whoever asks for one names its size, 1 to kMaxPageSize, and the `next_page_token` of the page
// before it, empty for the first. Errors: FIELD_INVALID with field `page_size`, or with field
// `page_token` for a token that this list did not give.
template <typename Record>
struct Page {
  std::vector<Record> records;
  std::string next_page_token;  // empty on the last page
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_PAGE_H_
