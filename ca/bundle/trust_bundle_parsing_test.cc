#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "ca/bundle/bundle_fixture.h"
#include "ca/bundle/trust_bundle.h"
#include "ca/encoding/digest.h"
#include "ca/encoding/pem.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

using testing::StartsWith;

using Lines = std::vector<std::string>;

// r0 is removed in line 5, r1 is RETIRING in line 6, r2 is PRIMARY.
TrustBundle TwoRoots() {
  TrustBundle bundle = OneRoot();
  bundle.version = 17;
  bundle.roots[0].state = RootState::kRetiring;
  bundle.roots.push_back({"r2", RootState::kPrimary, EcRoot(2).certificate});
  bundle.removed = {{"r0", Sha256("r0")}};
  return bundle;
}

// Without the empty one behind the last.
Lines LinesOf(const TrustBundle& bundle) {
  Lines lines = absl::StrSplit(*EncodeTrustBundle(bundle), '\n');
  lines.pop_back();
  return lines;
}

std::string Join(const Lines& lines) { return absl::StrJoin(lines, "\n") + "\n"; }

// The first line from 1 that begins so; the last for `end`, which base64 may begin with, too.
std::size_t LineThatBegins(const Lines& lines, const std::string& beginning) {
  if (beginning == "end") return lines.size();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (absl::StartsWith(lines[i], beginning)) return i + 1;
  }
  return 0;
}

// Refused for this line.
void ExpectRefused(absl::string_view document, std::size_t line, absl::string_view what) {
  const absl::Status status = ParseTrustBundle(document).status();
  EXPECT_THAT(status, FailsWith(ErrorReason::kBundleInvalid)) << what;
  EXPECT_THAT(std::string(status.message()), StartsWith(absl::StrCat("line ", line, ": "))) << what;
}

struct OtherLine {
  const char* in_place_of;  // the first line that begins so
  const char* line;         // $ is the rest of that line
  int wrong = 0;            // lines from there to the one that is named
};

const OtherLine kOtherLines[] = {
    {"Hourglass trust bundle 1", "Hourglass trust bundle 2"},
    {"Hourglass trust bundle 1", "hourglass trust bundle 1"},
    {"Hourglass trust bundle 1", "Hourglass trust bundle 1 "},
    {"Hourglass trust bundle 1", "Hourglass trust bundle 1\r"},
    {"Hourglass trust bundle 1", "Hourglass trust bundle 10"},
    {"Hourglass trust bundle 1", "\xef\xbb\xbfHourglass trust bundle 1"},
    {"Hourglass trust bundle 1", "\nHourglass trust bundle 1"},
    {"tenant ", "tenant "},
    {"tenant ", "tenant  contoso"},
    {"tenant ", "tenant contoso "},
    {"tenant ", "tenant contoso\r"},
    {"tenant ", "tenant\tcontoso"},
    {"tenant ", "Tenant contoso"},
    {"tenant ", "tenant cont\xc3\xb6so"},
    {"tenant ", "tenant ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt"},
    {"tenant ", "tenant contoso\ntenant contoso", 1},
    {"version ", "version "},
    {"version ", "version 0"},
    {"version ", "version 017"},
    {"version ", "version +17"},
    {"version ", "version -17"},
    {"version ", "version 17 "},
    {"version ", "version  17"},
    {"version ", "version 0x11"},
    {"version ", "version 1e3"},
    {"version ", "version 17.0"},
    {"version ", "version 18446744073709551616"},
    {"version ", "version 17\r"},
    {"changed ", "changed 2026-11-30T01:02:03"},
    {"changed ", "changed 2026-11-30T01:02:03z"},
    {"changed ", "changed 2026-11-30t01:02:03Z"},
    {"changed ", "changed 2026-11-30T01:02:03+00:00"},
    {"changed ", "changed 2026-11-30T02:02:03+01:00"},
    {"changed ", "changed 2026-11-30T01:02:03.5Z"},
    {"changed ", "changed 2026-11-30T01:02:03.0Z"},
    {"changed ", "changed 2026-11-30T01:02:60Z"},
    {"changed ", "changed 2026-11-30T24:00:00Z"},
    {"changed ", "changed 2026-11-31T01:02:03Z"},
    {"changed ", "changed 2026-11-30 01:02:03Z"},
    {"changed ", "changed 2026-11-30"},
    {"changed ", "changed 26-11-30T01:02:03Z"},
    {"changed ", "changed 1949-12-31T23:59:59Z"},
    {"changed ", "changed 10000-01-01T00:00:00Z"},
    {"changed ", "changed infinite-future"},
    {"changed ", "changed infinite-past"},
    {"changed ", "changed "},
    {"root r1 ", "root r1"},
    {"root r1 ", "root r1 "},
    {"root r1 ", "root  r1 $"},
    {"root r1 ", "root r1 $ "},
    {"root r1 ", "root r1  $"},
    {"root r1 ", "root $"},
    {"root r1 ", "root -----BEGIN $"},
    {"root r1 ", "root r\x01 $"},
    {"root r1 ", "root rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr $"},
    {"root r2 ", "root r1 $"},
    {"-----BEGIN", ""},
    {"-----BEGIN", "-----BEGIN TRUSTED CERTIFICATE-----"},
    {"-----BEGIN", "-----BEGIN X509 CERTIFICATE-----"},
    {"-----BEGIN", "-----BEGIN CERTIFICATE-----\r"},
    {"-----BEGIN", "-----BEGIN CERTIFICATE----- "},
    {"-----BEGIN", "-----BEGIN CERTIFICATE-----\n", 1},
    {"-----BEGIN", "-----BEGIN CERTIFICATE-----\nX-Says: more\n", 0},
    {"-----BEGIN", " -----BEGIN CERTIFICATE-----"},
    {"-----END", "-----END CERTIFICATE-----\n", 1},
    {"-----END", "-----END CERTIFICATE----- "},
    {"-----END", "\n-----END CERTIFICATE-----"},
    {"removed ", "removed "},
    {"removed ", "removed r0"},
    {"removed ", "removed r0 "},
    {"removed ", "removed r0 sha256:"},
    {"removed ", "removed  r0 sha256:00"},
    {"removed ", "$ "},
    {"removed ", "removed r0 sha1:0000000000000000000000000000000000000000"},
    {"removed ", "removed r9 $\n$", 1},
    {"removed ", "removed r0 $\nremoved r9 $", 1},
    {"removed ", "removed r0 $\n", 1},
    {"removed ", "Removed $"},
    {"end", "end "},
    {"end", "End"},
    {"end", "end\r"},
    {"end", "end\nend", 1},
    {"end", "end\n", 1},
    {"end", "tenant contoso"},
    {"end", "\nend"},
};

// $ of a root or a removed one is what stands behind its name; of others the line.
std::string RestOf(const std::string& line, const std::string& beginning) {
  if (beginning == "removed ") return line.substr(beginning.size() + 3);
  return absl::EndsWith(beginning, " ") ? line.substr(beginning.size()) : line;
}

TEST(ParseTrustBundleTest, RefusesEveryOtherLineByItsNumber) {
  const Lines lines = LinesOf(TwoRoots());
  EXPECT_OK(ParseTrustBundle(Join(lines)));
  for (const OtherLine& other : kOtherLines) {
    const std::size_t line = LineThatBegins(lines, other.in_place_of);
    ASSERT_GT(line, 0U) << other.in_place_of;
    Lines changed = lines;
    changed[line - 1] =
        absl::StrReplaceAll(other.line, {{"$", RestOf(lines[line - 1], other.in_place_of)}});
    ASSERT_NE(changed, lines) << other.line;
    ExpectRefused(Join(changed), line + static_cast<std::size_t>(other.wrong), other.line);
  }
}

struct Rewriting {
  const char* what;
  std::function<void(Lines&)> change;
  std::size_t line;  // 0 is that of r2
};

// Line 5 is of r0, line 6 of r1, line 7 begins its certificate.
const Rewriting kRewritings[] = {
    {"a state that no root of a bundle has",
     [](Lines& l) {
       l[5] = absl::StrReplaceAll(l[5], {{"RETIRING", "RETIRED"}});
     },
     6},
    {"a state in small letters",
     [](Lines& l) {
       l[5] = absl::StrReplaceAll(l[5], {{"RETIRING", "retiring"}});
     },
     6},
    {"SHA-256 in capitals", [](Lines& l) { absl::AsciiStrToUpper(&l[5]); }, 6},
    {"SHA-256 and SHA-1 in small letters",
     [](Lines& l) {
       const std::size_t sha1 = l[5].find(" sha1:");
       l[5] = l[5].substr(0, sha1) + absl::AsciiStrToLower(l[5].substr(sha1));
     },
     6},
    {"no SHA-1", [](Lines& l) { l[5].resize(l[5].find(" sha1:")); }, 6},
    {"more behind SHA-1", [](Lines& l) { l[5] += " md5:00"; }, 6},
    {"the digests of the other root",
     [](Lines& l) {
       const std::string r2 = l[LineThatBegins(l, "root r2") - 1];
       l[5] = l[5].substr(0, l[5].find(" sha256:")) + r2.substr(r2.find(" sha256:"));
     },
     6},
    {"base64 in lines of another length",
     [](Lines& l) {
       l[8].insert(0, 1, l[7].back());
       l[7].pop_back();
     },
     8},
    {"base64 with a space behind", [](Lines& l) { l[7] += " "; }, 8},
    {"no base64", [](Lines& l) { l[7][10] = '*'; }, 7},
    {"a certificate that is not of its key, and its digests",
     [](Lines& l) {
       std::string certificate = EcRoot(1).certificate;
       certificate.back() ^= 1;
       const std::size_t second = LineThatBegins(l, "root r2") - 1;
       l.erase(l.begin() + 5, l.begin() + static_cast<std::ptrdiff_t>(second));
       const std::string root =
           absl::StrCat("root r1 RETIRING sha256:", absl::BytesToHexString(Sha256(certificate)),
                        " sha1:", absl::AsciiStrToUpper(absl::BytesToHexString(Sha1(certificate))),
                        "\n", EncodePem(kCertificateLabel, certificate));
       l.insert(l.begin() + 5, root.substr(0, root.size() - 1));
     },
     6},
    {"a second primary",
     [](Lines& l) {
       l[5] = absl::StrReplaceAll(l[5], {{"RETIRING", "PRIMARY"}});
     },
     0},
    {"a removed root that is a root by its name",
     [](Lines& l) {
       l[4] = absl::StrReplaceAll(l[4], {{"removed r0", "removed r1"}});
     },
     6},
    {"a removed root that is a root by its certificate",
     [](Lines& l) {
       l[4] = absl::StrCat("removed r0 ", l[5].substr(l[5].find("sha256:"), 7 + 64));
     },
     6},
    {"the certificate at the end",
     [](Lines& l) { std::rotate(l.begin() + 6, l.begin() + 7, l.end()); }, 7},
};

TEST(ParseTrustBundleTest, RefusesWhatIsNotAsItIsWritten) {
  const Lines lines = LinesOf(TwoRoots());
  EXPECT_OK(ParseTrustBundle(Join(lines)));
  for (const Rewriting& rewriting : kRewritings) {
    Lines changed = lines;
    rewriting.change(changed);
    ASSERT_NE(changed, lines) << rewriting.what;
    const std::size_t second = LineThatBegins(lines, "root r2");
    ExpectRefused(Join(changed), rewriting.line == 0 ? second : rewriting.line, rewriting.what);
  }
}

TEST(ParseTrustBundleTest, RefusesEveryBeginning) {
  const std::string document = *EncodeTrustBundle(TwoRoots());
  for (std::size_t size = 0; size < document.size(); ++size) {
    EXPECT_THAT(ParseTrustBundle(absl::string_view(document).substr(0, size)),
                FailsWith(ErrorReason::kBundleInvalid))
        << size;
  }
  EXPECT_OK(ParseTrustBundle(document));
}

TEST(ParseTrustBundleTest, RefusesOtherTexts) {
  ExpectRefused("", 1, "nothing");
  ExpectRefused(EcRoot(1).certificate, 1, "a certificate");
  ExpectRefused(EncodePem(kCertificateLabel, EcRoot(1).certificate), 1, "a certificate in PEM");
  ExpectRefused(std::string(kMaxBundleSize + 1, '\n'), 1, "too much");
  const std::string document = *EncodeTrustBundle(TwoRoots());
  ExpectRefused(absl::StrReplaceAll(document, {{"\n", "\r\n"}}), 1, "with CR LF");
  ExpectRefused(document + document, LinesOf(TwoRoots()).size() + 1, "twice");
  ExpectRefused(document + std::string("\0", 1), LinesOf(TwoRoots()).size() + 1, "a NUL behind");
}

TEST(ParseTrustBundleTest, RefusesAnotherOrder) {
  const Lines lines = LinesOf(TwoRoots());
  Lines changed = lines;
  changed.erase(changed.begin() + 4);
  changed.insert(changed.end() - 1, lines[4]);
  ExpectRefused(Join(changed), lines.size() - 1, "roots, then removed");
  changed = lines;
  std::swap(changed[2], changed[3]);
  ExpectRefused(Join(changed), 3, "changed, then version");
}

// A line that is left out, doubled, or swapped with the next: what is left is never the same
// bundle, and only the removal of `removed` leaves one at all.
TEST(ParseTrustBundleTest, RefusesEveryChangeOfItsLines) {
  const Lines lines = LinesOf(TwoRoots());
  int read = 0;
  const auto check = [&](const Lines& changed) {
    if (changed == lines) return;
    const auto bundle = ParseTrustBundle(Join(changed));
    if (!bundle.ok()) {
      EXPECT_THAT(bundle, FailsWith(ErrorReason::kBundleInvalid));
      return;
    }
    ++read;
    EXPECT_NE(*bundle, TwoRoots());
    EXPECT_EQ(*EncodeTrustBundle(*bundle), Join(changed));
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto at = static_cast<std::ptrdiff_t>(i);
    Lines changed = lines;
    changed.erase(changed.begin() + at);
    check(changed);
    changed = lines;
    changed.insert(changed.begin() + at, lines[i]);
    check(changed);
    if (i + 1 == lines.size()) continue;
    changed = lines;
    std::swap(changed[i], changed[i + 1]);
    check(changed);
  }
  EXPECT_EQ(read, 1);
}

// Whatever bit is turned: refused, or another bundle that is written in just that way.
TEST(ParseTrustBundleTest, NoBitMayBeOtherwiseInTheSameBundle) {
  const TrustBundle bundle = OneRoot();
  const std::string document = *EncodeTrustBundle(bundle);
  int read = 0;
  for (std::size_t bit = 0; bit < document.size() * 8; ++bit) {
    std::string turned = document;
    turned[bit / 8] = static_cast<char>(turned[bit / 8] ^ (1 << bit % 8));
    const auto other = ParseTrustBundle(turned);
    if (!other.ok()) {
      EXPECT_THAT(other, FailsWith(ErrorReason::kBundleInvalid)) << bit;
      continue;
    }
    ++read;
    EXPECT_NE(*other, bundle) << bit;
    EXPECT_EQ(*EncodeTrustBundle(*other), turned) << bit;
  }
  // Letters of the names, digits of the version and the time; none of the certificate.
  EXPECT_GT(read, 30);
  EXPECT_LT(read, 150);
}

}  // namespace
}  // namespace hourglass::ca
