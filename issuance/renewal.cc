#include "issuance/renewal.h"

#include <chrono>
#include <cstdint>

namespace hourglass::issuance {

// The serial number is random and its own for every certificate, so that a fleet which started
// together spreads out.
Timestamp RenewAfter(Timestamp now, const Intent& intent) {
  const std::string& serial_number = intent.serial_number;
  std::uint32_t draw = 0;
  for (const char octet : serial_number.substr(serial_number.size() - 4)) {
    draw = draw << 8 | static_cast<unsigned char>(octet);
  }
  const double fraction = 0.5 + 0.25 * (static_cast<double>(draw) / 4294967296.0);
  return now +
         std::chrono::duration_cast<std::chrono::microseconds>((intent.not_after - now) * fraction);
}

}  // namespace hourglass::issuance
