#include "ca/encoding/pem.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::ca {
namespace {

constexpr std::size_t kLineSize = 64;
constexpr absl::string_view kBegin = "-----BEGIN ";
constexpr absl::string_view kEnd = "-----END ";
constexpr absl::string_view kDashes = "-----";

absl::Status Invalid(absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, "", message);
}

absl::string_view TakeLine(absl::string_view* text) {
  const std::size_t end = text->find('\n');
  const absl::string_view line = text->substr(0, end);
  text->remove_prefix(end == absl::string_view::npos ? text->size() : end + 1);
  return absl::StripAsciiWhitespace(line);
}

// Takes the headers of a block's lines away, which end with an empty line; whether there were any.
bool TakeHeaders(absl::string_view* body) {
  absl::string_view rest = *body;
  absl::string_view line;
  while (line.empty() && !rest.empty()) line = TakeLine(&rest);
  if (!absl::StrContains(line, ':')) return false;
  while (!line.empty()) line = TakeLine(&rest);
  *body = rest;
  return true;
}

// The next block, with `text` behind it; nullopt where there is none.
absl::StatusOr<std::optional<PemBlock>> NextBlock(absl::string_view* text) {
  const std::size_t begin = text->find(kBegin);
  if (begin == absl::string_view::npos) return std::nullopt;
  text->remove_prefix(begin + kBegin.size());
  const std::size_t label_end = text->find(kDashes);
  if (label_end == absl::string_view::npos) return Invalid("a PEM block has a broken first line");
  PemBlock block;
  block.label = std::string(text->substr(0, label_end));
  text->remove_prefix(label_end + kDashes.size());
  const std::size_t end = text->find(absl::StrCat(kEnd, block.label, kDashes));
  if (end == absl::string_view::npos) {
    return Invalid(
        absl::StrCat("the PEM block `", block.label, "` has no end: is the file cut off?"));
  }
  absl::string_view body = text->substr(0, end);
  block.has_headers = TakeHeaders(&body);
  if (!absl::Base64Unescape(body, &block.octets)) {
    return Invalid(absl::StrCat("the PEM block `", block.label, "` is no base64"));
  }
  text->remove_prefix(end);
  return block;
}

}  // namespace

std::string EncodePem(absl::string_view label, absl::string_view der) {
  const std::string text = absl::Base64Escape(der);
  std::string pem = absl::StrCat("-----BEGIN ", label, "-----\n");
  for (std::size_t i = 0; i < text.size(); i += kLineSize) {
    absl::StrAppend(&pem, absl::string_view(text).substr(i, kLineSize), "\n");
  }
  absl::StrAppend(&pem, "-----END ", label, "-----\n");
  return pem;
}

absl::StatusOr<std::vector<PemBlock>> PemBlocks(absl::string_view text) {
  std::vector<PemBlock> blocks;
  for (;;) {
    absl::StatusOr<std::optional<PemBlock>> block = NextBlock(&text);
    if (!block.ok()) return block.status();
    if (!block->has_value()) return blocks;
    blocks.push_back(**std::move(block));
  }
}

std::optional<std::string> DecodePem(absl::string_view text,
                                     std::initializer_list<absl::string_view> labels) {
  for (;;) {
    absl::StatusOr<std::optional<PemBlock>> block = NextBlock(&text);
    if (!block.ok() || !block->has_value()) return std::nullopt;
    const bool is_wanted = std::find(labels.begin(), labels.end(), (*block)->label) != labels.end();
    if (is_wanted && !(*block)->has_headers) return std::move((*block)->octets);
  }
}

}  // namespace hourglass::ca
