#include "hsm/tpm/tpm_facts.h"

#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"

namespace hourglass::hsm {
namespace {

// Four characters, as TPMs give them, without padding.
std::string Characters(std::uint32_t property) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const char character = static_cast<char>(property >> shift);
    if (character >= ' ' && character <= '~') text.push_back(character);
  }
  return text;
}

std::string Trimmed(std::string text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace

absl::StatusOr<CustodianFacts> ReadTpmFacts(const EsysConnection& connection,
                                            const std::string& tcti) {
  CustodianFacts facts;
  ASSIGN_OR_RETURN(const std::uint32_t maker, connection.Property(TPM2_PT_MANUFACTURER));
  facts.manufacturer = Trimmed(Characters(maker));
  for (const std::uint32_t part : {TPM2_PT_VENDOR_STRING_1, TPM2_PT_VENDOR_STRING_2,
                                   TPM2_PT_VENDOR_STRING_3, TPM2_PT_VENDOR_STRING_4}) {
    ASSIGN_OR_RETURN(const std::uint32_t text, connection.Property(part));
    absl::StrAppend(&facts.model, Characters(text));
  }
  facts.model = Trimmed(facts.model);
  facts.most_sessions = 1;
  facts.one_process_only = true;
  facts.software = absl::StartsWith(tcti, "swtpm") || absl::StartsWith(tcti, "mssim");
  return facts;
}

}  // namespace hourglass::hsm
