#include "ca/text/text_folding.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/utypes.h>

#include <cstdint>

#include "ca/encoding/utf8.h"

namespace hourglass::ca {

std::string FoldText(absl::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* const folding = icu::Normalizer2::getNFKCCasefoldInstance(error);
  if (U_FAILURE(error) || !DecodeUtf8(text).has_value()) return std::string(text);
  std::string folded;
  icu::StringByteSink<std::string> sink(&folded);
  folding->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())),
                         sink, nullptr, error);
  return U_FAILURE(error) ? std::string(text) : folded;
}

}  // namespace hourglass::ca
