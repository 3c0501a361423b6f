#include "issuance/store/sqlite/key_index/key_run_file.h"

#include <gmock/gmock.h>

#include <cstring>
#include <string>
#include <vector>

#include "issuance/store/sqlite/key_index/key_run.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::key_run {
namespace {

constexpr HashKey kKey{1, 2}, kOther{1, 3};

std::vector<KeyEntry> Entries(std::size_t count) {
  std::vector<KeyEntry> entries;
  for (std::size_t i = 0; i < count; ++i) {
    entries.push_back({i * 1000003, static_cast<std::int64_t>(i) + 1});
  }
  return entries;
}

Trailer SignedTrailer() {
  Trailer trailer;
  trailer.entry_count = 300;
  trailer.page_count = 2;
  trailer.filter_size = 480;
  trailer.first_segment = 3;
  trailer.last_segment = 4;
  trailer.first_sequence = 5;
  trailer.last_sequence = 6;
  trailer.pages_checksum = 7;
  trailer.directory_checksum = 8;
  trailer.Sign(kKey);
  return trailer;
}

TEST(KeyRunFileTest, APageIsReadBack) {
  for (const std::size_t count :
       {std::size_t{1}, std::size_t{2}, std::size_t{254}, KeyRun::kPageEntries}) {
    const std::string page = FormatPage(kKey, Entries(count));
    EXPECT_EQ(page.size(), KeyRun::kPageOctets);
    EXPECT_EQ(ParsePage(kKey, page).value(), Entries(count));
    EXPECT_THAT(ParsePage(kOther, page), FailsWith(ErrorReason::kJournalUnavailable));
  }
}

// Entries of two little-endian words each, their number, and SipHash over both.
TEST(KeyRunFileTest, APageHasTheFormThatItsHeaderSays) {
  const std::vector<KeyEntry> one = {{0x0102030405060708, 9}};
  const std::string page = FormatPage(kKey, one);
  EXPECT_EQ(page.substr(0, 17),
            std::string("\x08\x07\x06\x05\x04\x03\x02\x01\x09\0\0\0\0\0\0\0\0", 17));
  EXPECT_EQ(page.substr(4080, 8), std::string("\x01\0\0\0\0\0\0\0", 8));
  const std::uint64_t checksum = SipHash(kKey, absl::string_view(page).substr(0, 4088));
  std::uint64_t there;
  std::memcpy(&there, page.data() + 4088, sizeof(there));
  EXPECT_EQ(there, checksum);
}

TEST(KeyRunFileTest, APageWithAnyOctetChangedIsRefused) {
  const std::string page = FormatPage(kKey, Entries(200));
  for (std::size_t at = 0; at < page.size(); ++at) {
    std::string changed = page;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    ASSERT_THAT(ParsePage(kKey, changed), FailsWith(ErrorReason::kJournalUnavailable)) << at;
  }
  EXPECT_OK(ParsePage(kKey, page));
}

// Whose checksum is right: no such page is ever written.
TEST(KeyRunFileTest, APageOfNoneOrTooManyEntriesIsRefused) {
  for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{256}, std::uint64_t{1} << 60}) {
    std::string page = FormatPage(kKey, Entries(200));
    std::memcpy(page.data() + 4080, &count, sizeof(count));
    const std::uint64_t checksum = SipHash(kKey, absl::string_view(page).substr(0, 4088));
    std::memcpy(page.data() + 4088, &checksum, sizeof(checksum));
    EXPECT_THAT(ParsePage(kKey, page), FailsWith(ErrorReason::kJournalUnavailable)) << count;
  }
}

TEST(KeyRunFileTest, TheChainTellsPagesAndTheirOrder) {
  const std::string a = FormatPage(kKey, Entries(1)), b = FormatPage(kKey, Entries(2));
  const auto chain = [](const std::string& first, const std::string& second) {
    return ChainPage(kKey, ChainPage(kKey, 0, first), second);
  };
  EXPECT_EQ(chain(a, b), chain(a, b));
  EXPECT_NE(chain(a, b), chain(b, a));
  EXPECT_NE(chain(a, b), chain(a, a));
  EXPECT_NE(ChainPage(kKey, 0, a), ChainPage(kKey, 1, a));
  EXPECT_NE(ChainPage(kKey, 0, a), ChainPage(kOther, 0, a));
}

TEST(KeyRunFileTest, ATrailerIsOfItsKeyAndWhole) {
  const Trailer trailer = SignedTrailer();
  EXPECT_TRUE(trailer.IsOf(kKey));
  EXPECT_FALSE(trailer.IsOf(kOther));
  EXPECT_EQ(trailer.DirectorySize(), 2u * 8 + 480);
  EXPECT_EQ(trailer.FileSize(), 2u * 4096 + 2 * 8 + 480 + 88);
  for (std::size_t at = 0; at < sizeof(Trailer); ++at) {
    Trailer changed = trailer;
    char octet;
    std::memcpy(&octet, reinterpret_cast<const char*>(&changed) + at, 1);
    octet = static_cast<char>(octet ^ 1);
    std::memcpy(reinterpret_cast<char*>(&changed) + at, &octet, 1);
    EXPECT_FALSE(changed.IsOf(kKey)) << at;
  }
  EXPECT_FALSE(Trailer().IsOf(kKey));
}

TEST(KeyRunFileTest, ATrailerHasAFilterOfWholeBlocks) {
  for (const std::uint64_t size : {0, 1, 31, 33, 100}) {
    Trailer trailer = SignedTrailer();
    trailer.filter_size = size;
    trailer.Sign(kKey);
    EXPECT_FALSE(trailer.IsOf(kKey)) << size;
  }
  for (const std::uint64_t size : {32, 64}) {
    Trailer trailer = SignedTrailer();
    trailer.filter_size = size;
    trailer.Sign(kKey);
    EXPECT_TRUE(trailer.IsOf(kKey)) << size;
  }
}

}  // namespace
}  // namespace hourglass::issuance::key_run
