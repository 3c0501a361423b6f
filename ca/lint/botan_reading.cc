#include "ca/lint/botan_reading.h"

#include <chrono>
#include <string>

#include "absl/strings/str_format.h"

namespace hourglass::ca {

Botan::X509_Certificate ReadWithBotan(absl::string_view der) {
  return Botan::X509_Certificate(reinterpret_cast<const std::uint8_t*>(der.data()), der.size());
}

bool Equal(const std::vector<std::uint8_t>& octets, absl::string_view expected) {
  return std::string(octets.begin(), octets.end()) == expected;
}

// As Botan::ASN1_Time::readable_string writes it.
bool Equal(const Botan::X509_Time& time, Time expected) {
  const auto midnight = std::chrono::floor<std::chrono::days>(expected);
  const std::chrono::year_month_day day(midnight);
  const std::chrono::hh_mm_ss clock(expected - midnight);
  return time.readable_string() ==
         absl::StrFormat("%04d/%02d/%02d %02d:%02d:%02d UTC", static_cast<int>(day.year()),
                         static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                         clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

bool HasCommonName(const Botan::X509_Certificate& certificate, absl::string_view common_name) {
  return certificate.subject_dn().get_attributes().size() == 1 &&
         certificate.subject_info("X520.CommonName") ==
             std::vector<std::string>{std::string(common_name)};
}

bool HasTheTwoPurposes(const Botan::X509_Certificate& certificate) {
  return certificate.extended_key_usage() ==
         std::vector<Botan::OID>{Botan::OID("1.3.6.1.5.5.7.3.2"), Botan::OID("1.3.6.1.4.1.311.87")};
}

}  // namespace hourglass::ca
