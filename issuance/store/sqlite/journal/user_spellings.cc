#include "issuance/store/sqlite/journal/user_spellings.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ca/names/name_rules.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance::sqlite {
namespace {

constexpr unsigned char kFirstBeyondAscii = 0x80;

// How many of its first octets every spelling has, but for case and what folding takes away.
std::size_t ComparableSize(absl::string_view folded) {
  const std::size_t at = folded.rfind('@');
  const bool is_international =
      at != absl::string_view::npos && absl::StrContains(folded.substr(at), "xn--");
  const absl::string_view ascii = is_international ? folded.substr(0, at + 1) : folded;
  return static_cast<std::size_t>(
      std::find_if(ascii.begin(), ascii.end(),
                   [](unsigned char c) { return c >= kFirstBeyondAscii; }) -
      ascii.begin());
}

std::string Beginning(absl::string_view text, std::size_t size, unsigned char next) {
  return absl::StrCat(text.substr(0, size), std::string(1, static_cast<char>(next)));
}

// The least octet above `octet` with which a spelling may go on where `wanted`, in lower case, is
// due.
unsigned char NextOctet(unsigned char octet, unsigned char wanted) {
  const auto upper = static_cast<unsigned char>(absl::ascii_toupper(wanted));
  if (octet < upper) return upper;
  return octet < wanted ? wanted : kFirstBeyondAscii;
}

// The least text above `found` that may become `folded`.
std::string NextCandidate(absl::string_view found, absl::string_view folded,
                          std::size_t comparable) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto octet = static_cast<unsigned char>(found[i]);
    if (octet >= kFirstBeyondAscii || (i == 0 && absl::ascii_isspace(octet))) break;
    if (i < comparable) {
      const auto wanted = static_cast<unsigned char>(folded[i]);
      if (static_cast<unsigned char>(absl::ascii_tolower(octet)) == wanted) continue;
      return Beginning(found, i, NextOctet(octet, wanted));
    }
    // Behind all that is wanted there may be what folding takes away, and nothing else.
    if (comparable < folded.size() || absl::ascii_isspace(octet)) break;
    return Beginning(found, i, octet < ' ' ? ' ' : kFirstBeyondAscii);
  }
  return Beginning(found, found.size(), 0);
}

absl::StatusOr<std::optional<std::string>> FirstUserFrom(Connection& segment,
                                                         absl::string_view tenant_id,
                                                         absl::string_view from) {
  ASSIGN_OR_RETURN(Rows rows, segment.Query("SELECT user_upn FROM intents "
                                            "INDEXED BY intents_by_user "
                                            "WHERE tenant_id = ? AND user_upn >= ? "
                                            "ORDER BY user_upn LIMIT 1",
                                            {Text{tenant_id}, Text{from}}));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return rows.TakeOctets();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> FindUserSpellings(Connection& segment,
                                                           absl::string_view tenant_id,
                                                           absl::string_view folded) {
  const std::size_t comparable = ComparableSize(folded);
  std::vector<std::string> spellings;
  std::string from;
  for (;;) {
    ASSIGN_OR_RETURN(std::optional<std::string> found, FirstUserFrom(segment, tenant_id, from));
    if (!found.has_value()) return spellings;
    from = NextCandidate(*found, folded, comparable);
    if (ca::FoldedUpn(*found) == folded) spellings.push_back(*std::move(found));
  }
}

}  // namespace hourglass::issuance::sqlite
