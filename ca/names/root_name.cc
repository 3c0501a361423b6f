#include "ca/names/root_name.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "ca/encoding/utf8.h"
#include "ca/text/text_folding.h"

namespace hourglass::ca {

std::string RootCommonName(absl::string_view display_name, int generation) {
  return absl::StrCat(FirstCharacters(display_name, kMaxRootNameCharacters), " VPN root CA gen ",
                      generation);
}

std::string RootNameKey(absl::string_view display_name) {
  const std::string folded = FoldText(FirstCharacters(display_name, kMaxRootNameCharacters));
  return absl::StrJoin(absl::StrSplit(folded, ' ', absl::SkipEmpty()), " ");
}

}  // namespace hourglass::ca
