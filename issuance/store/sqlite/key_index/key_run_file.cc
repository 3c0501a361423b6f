#include "issuance/store/sqlite/key_index/key_run_file.h"

#include <cstddef>
#include <cstring>

#include "hsm/base/error.h"
#include "issuance/store/sqlite/key_index/key_run.h"

namespace hourglass::issuance::key_run {
namespace {

constexpr std::uint64_t kMagic = 0x32304e5552594b48;  // "HKYRUN02"
constexpr std::size_t kCountAt = KeyRun::kPageEntries * sizeof(KeyEntry);
constexpr std::size_t kChecksumAt = KeyRun::kPageOctets - sizeof(std::uint64_t);

static_assert(sizeof(KeyEntry) == 16 && kCountAt + sizeof(std::uint64_t) == kChecksumAt);

}  // namespace

void Trailer::Sign(const HashKey& key) {
  magic = kMagic;
  own_checksum =
      SipHash(key, {reinterpret_cast<const char*>(this), offsetof(Trailer, own_checksum)});
}

bool Trailer::IsOf(const HashKey& key) const {
  Trailer expected = *this;
  expected.Sign(key);
  return std::memcmp(this, &expected, sizeof(Trailer)) == 0 && filter_size > 0 &&
         filter_size % KeyFilter::kBlockOctets == 0;
}

std::uint64_t Trailer::DirectorySize() const {
  return page_count * sizeof(std::uint64_t) + filter_size;
}

std::uint64_t Trailer::FileSize() const {
  return page_count * KeyRun::kPageOctets + DirectorySize() + sizeof(Trailer);
}

std::string FormatPage(const HashKey& key, absl::Span<const KeyEntry> entries) {
  std::string octets(KeyRun::kPageOctets, '\0');
  std::memcpy(octets.data(), entries.data(), entries.size() * sizeof(KeyEntry));
  const std::uint64_t count = entries.size();
  std::memcpy(octets.data() + kCountAt, &count, sizeof(count));
  const std::uint64_t checksum = SipHash(key, absl::string_view(octets).substr(0, kChecksumAt));
  std::memcpy(octets.data() + kChecksumAt, &checksum, sizeof(checksum));
  return octets;
}

absl::StatusOr<std::vector<KeyEntry>> ParsePage(const HashKey& key, absl::string_view octets) {
  std::uint64_t count, checksum;
  std::memcpy(&count, octets.data() + kCountAt, sizeof(count));
  std::memcpy(&checksum, octets.data() + kChecksumAt, sizeof(checksum));
  if (SipHash(key, octets.substr(0, kChecksumAt)) != checksum) return Damaged();
  if (count == 0 || count > KeyRun::kPageEntries) return Damaged();
  std::vector<KeyEntry> entries(count);
  std::memcpy(entries.data(), octets.data(), count * sizeof(KeyEntry));
  return entries;
}

std::uint64_t ChainPage(const HashKey& key, std::uint64_t before, absl::string_view octets) {
  std::string chained(reinterpret_cast<const char*>(&before), sizeof(before));
  const absl::string_view checksum = octets.substr(kChecksumAt, sizeof(std::uint64_t));
  chained.append(checksum.data(), checksum.size());
  return SipHash(key, chained);
}

absl::Status Damaged() {
  return Error(ErrorReason::kJournalUnavailable, "", "database: a key run is damaged");
}

}  // namespace hourglass::issuance::key_run
