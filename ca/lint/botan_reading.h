// Botan's view of a certificate, in the terms of this room. These throw what Botan throws.
#ifndef HOURGLASS_CA_LINT_BOTAN_READING_H_
#define HOURGLASS_CA_LINT_BOTAN_READING_H_

#include <botan/asn1_obj.h>
#include <botan/pkix_types.h>
#include <botan/x509cert.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "ca/encoding/time.h"
#include "ca/lint/lint_finding.h"

namespace hourglass::ca {

// What a comparison with Botan reports where Botan refuses to read at all.
inline constexpr LintFinding kBotanRefuses = {"botan_parses", "Botan"};

Botan::X509_Certificate ReadWithBotan(absl::string_view der);

bool Equal(const std::vector<std::uint8_t>& octets, absl::string_view expected);
bool Equal(const Botan::X509_Time& time, Time expected);

// Whether the subject is one common name and nothing else.
bool HasCommonName(const Botan::X509_Certificate& certificate, absl::string_view common_name);

// Whether its purposes are clientAuth and 1.3.6.1.4.1.311.87, in this order.
bool HasTheTwoPurposes(const Botan::X509_Certificate& certificate);

// Collects broken rules.
class BotanFindings {
 public:
  void Expect(bool holds, absl::string_view rule) {
    if (!holds) findings_.push_back({rule, "Botan"});
  }
  std::vector<LintFinding> Take() { return std::move(findings_); }

 private:
  std::vector<LintFinding> findings_;
};

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_LINT_BOTAN_READING_H_
