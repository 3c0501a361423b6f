#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "ca/bundle/bundle_text.h"
#include "ca/bundle/trust_bundle.h"
#include "ca/encoding/pem.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::ca {
namespace {

constexpr absl::string_view kPemEnd = "-----END CERTIFICATE-----\n";
constexpr absl::string_view kSha256Word = "sha256:";

absl::Status WrongAt(std::size_t line, absl::string_view message) {
  return Error(ErrorReason::kBundleInvalid, "", absl::StrCat("line ", line, ": ", message));
}

// A document that is taken off from its front, part by part. What is taken is always what a part of
// the bundle is written as, so that nothing but the one form gets through.
class DocumentReader {
 public:
  explicit DocumentReader(absl::string_view document) : rest_(document) {}

  // Of the next line, from 1.
  std::size_t line() const { return line_; }
  absl::string_view rest() const { return rest_; }
  bool NextIs(absl::string_view word) const { return absl::StartsWith(rest_, word); }

  // What the next line says behind `word`. Errors: BUNDLE_INVALID where it begins otherwise or has
  // no end.
  absl::StatusOr<absl::string_view> Behind(absl::string_view word) const {
    absl::string_view line = rest_;
    const std::size_t end = line.find('\n');
    if (!absl::ConsumePrefix(&line, word) || end == absl::string_view::npos) {
      return WrongAt(line_, absl::StrCat("must be a line that begins with `", word, "`"));
    }
    return rest_.substr(word.size(), end - word.size());
  }

  // Takes `text`, which ends with a line. Errors: BUNDLE_INVALID with the first line that is
  // another, and `message`.
  absl::Status Take(absl::string_view text, absl::string_view message) {
    const auto [mine, theirs] = std::mismatch(text.begin(), text.end(), rest_.begin(), rest_.end());
    line_ += static_cast<std::size_t>(std::count(text.begin(), mine, '\n'));
    if (mine != text.end()) return WrongAt(line_, message);
    rest_.remove_prefix(text.size());
    return absl::OkStatus();
  }

 private:
  absl::string_view rest_;
  std::size_t line_ = 1;
};

// `status` of a rule, as it is told of a line.
absl::Status AtLine(std::size_t line, const absl::Status& status) {
  return status.ok() ? status : WrongAt(line, status.message());
}

absl::Status TakeTenant(DocumentReader* reader, TrustBundle* bundle) {
  ASSIGN_OR_RETURN(const absl::string_view tenant_id, reader->Behind(kTenantWord));
  RETURN_IF_ERROR(AtLine(reader->line(), CheckTenant(tenant_id)));
  bundle->tenant_id = std::string(tenant_id);
  return reader->Take(TenantText(tenant_id), "must be the tenant");
}

absl::Status TakeVersion(DocumentReader* reader, TrustBundle* bundle) {
  ASSIGN_OR_RETURN(const absl::string_view text, reader->Behind(kVersionWord));
  if (!absl::SimpleAtoi(text, &bundle->version)) {
    return WrongAt(reader->line(), "must be a version, a number of at most 64 bits");
  }
  RETURN_IF_ERROR(AtLine(reader->line(), CheckVersion(bundle->version)));
  return reader->Take(VersionText(bundle->version), "must be a version in digits alone");
}

absl::Status TakeChanged(DocumentReader* reader, TrustBundle* bundle) {
  constexpr absl::string_view kMessage = "must be a time such as 2026-11-30T01:02:03Z";
  ASSIGN_OR_RETURN(const absl::string_view text, reader->Behind(kChangedWord));
  absl::Time time;
  if (!absl::ParseTime(absl::RFC3339_sec, text, &time, nullptr)) {
    return WrongAt(reader->line(), kMessage);
  }
  bundle->changed_at = Time(std::chrono::seconds(absl::ToUnixSeconds(time)));
  RETURN_IF_ERROR(AtLine(reader->line(), CheckChanged(bundle->changed_at)));
  return reader->Take(ChangedText(bundle->changed_at), kMessage);
}

// The certificate in the block of PEM that begins the reader's next line but one.
std::optional<std::string> CertificateBehindLine(const DocumentReader& reader) {
  absl::string_view text = reader.rest();
  text.remove_prefix(text.find('\n') + 1);
  const std::size_t end = text.find(kPemEnd);
  if (end == absl::string_view::npos) return std::nullopt;
  return DecodePem(text.substr(0, end + kPemEnd.size()), {kCertificateLabel});
}

absl::Status TakeRoot(DocumentReader* reader, BundleRules* rules, TrustBundle* bundle) {
  const std::size_t line = reader->line();
  ASSIGN_OR_RETURN(const absl::string_view text, reader->Behind(kRootWord));
  const std::pair<absl::string_view, absl::string_view> id =
      absl::StrSplit(text, absl::MaxSplits(' ', 1));
  const absl::string_view state_name = id.second.substr(0, id.second.find(' '));
  const std::optional<RootState> state = RootStateNamed(state_name);
  if (!state.has_value() || !InTrustBundle(*state)) {
    return WrongAt(line, "must be a root's name and its state, STAGED, PRIMARY or RETIRING");
  }
  std::optional<std::string> certificate = CertificateBehindLine(*reader);
  if (!certificate.has_value()) return WrongAt(line + 1, "must begin a certificate in PEM");
  BundleRoot root{std::string(id.first), *state, *std::move(certificate)};
  RETURN_IF_ERROR(reader->Take(RootText(root),
                               "must be a root with the digests of the certificate that follows, "
                               "and then that, as it is written in PEM"));
  RETURN_IF_ERROR(AtLine(line, rules->AddRoot(root)));
  bundle->roots.push_back(std::move(root));
  return absl::OkStatus();
}

absl::Status TakeRemoved(DocumentReader* reader, BundleRules* rules, TrustBundle* bundle) {
  const std::size_t line = reader->line();
  ASSIGN_OR_RETURN(const absl::string_view text, reader->Behind(kRemovedWord));
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(' ', 1));
  absl::string_view digits = parts.second;
  if (!absl::ConsumePrefix(&digits, kSha256Word) || digits.size() % 2 != 0 ||
      digits.find_first_not_of("0123456789abcdef") != absl::string_view::npos) {
    return WrongAt(line, "must be a root's name and `sha256:` with small hexadecimal digits");
  }
  RemovedRoot removed{std::string(parts.first), absl::HexStringToBytes(digits)};
  RETURN_IF_ERROR(AtLine(line, rules->AddRemoved(removed)));
  RETURN_IF_ERROR(reader->Take(RemovedText(removed), "must be a removed root"));
  bundle->removed.push_back(std::move(removed));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TrustBundle> ParseTrustBundle(absl::string_view document) {
  if (document.size() > kMaxBundleSize) {
    return WrongAt(1, absl::StrCat("begins what is longer than ", kMaxBundleSize, " octets"));
  }
  DocumentReader reader(document);
  RETURN_IF_ERROR(reader.Take(kFirstLine, "must be `Hourglass trust bundle 1`"));
  TrustBundle bundle;
  RETURN_IF_ERROR(TakeTenant(&reader, &bundle));
  RETURN_IF_ERROR(TakeVersion(&reader, &bundle));
  RETURN_IF_ERROR(TakeChanged(&reader, &bundle));
  BundleRules rules;
  while (reader.NextIs(kRemovedWord)) RETURN_IF_ERROR(TakeRemoved(&reader, &rules, &bundle));
  while (reader.NextIs(kRootWord)) RETURN_IF_ERROR(TakeRoot(&reader, &rules, &bundle));
  RETURN_IF_ERROR(reader.Take(kLastLine, "must be a removed root, then a root, or `end`"));
  if (!reader.rest().empty()) return WrongAt(reader.line(), "stands behind the end");
  return bundle;
}

}  // namespace hourglass::ca
