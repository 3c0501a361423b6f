#include "tools/gateways/kit_values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::gateways {
namespace {

constexpr std::size_t kLongestLine = 1024;
constexpr std::size_t kShortestSecret = 16;
constexpr std::size_t kLongestSecret = 128;
constexpr std::size_t kLongestWord = 64;
constexpr std::size_t kLongestHost = 253;
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestPath = 255;
constexpr int kBitsOfIpv4 = 32;
constexpr int kBitsOfIpv6 = 128;
constexpr int kLastPort = 65535;

absl::Status Refuse(absl::string_view name, absl::string_view why) {
  return Error(ErrorReason::kFieldInvalid, name, why);
}

bool Holds(absl::string_view text, absl::string_view octets) {
  return text.find_first_of(octets) != absl::string_view::npos;
}

// The length of the longest prefix of such an address; 0 for what is none.
int BitsOfAddress(const std::string& text) {
  // The C functions would see its beginning only.
  if (text.find(char{0}) != std::string::npos) return 0;
  in6_addr address = {};
  if (inet_pton(AF_INET, text.c_str(), &address) == 1) return kBitsOfIpv4;
  return inet_pton(AF_INET6, text.c_str(), &address) == 1 ? kBitsOfIpv6 : 0;
}

// Whether `text` is a number as people write it, from `least` to `most`.
bool IsNumber(absl::string_view text, int least, int most) {
  int number = 0;
  return absl::SimpleAtoi(text, &number) && absl::StrCat(number) == text && number >= least &&
         number <= most;
}

bool IsNetwork(absl::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '/');
  if (parts.size() != 2) return false;
  const int bits = BitsOfAddress(parts[0]);
  return bits != 0 && IsNumber(parts[1], 0, bits);
}

// RFC 1123 section 2.1, of ASCII: others have A-labels for files. A last label of digits alone is
// that of a mistyped address.
bool IsHostName(absl::string_view text) {
  if (text.size() > kLongestHost) return false;
  const std::vector<absl::string_view> labels = absl::StrSplit(text, '.');
  const bool all = std::all_of(labels.begin(), labels.end(), [](absl::string_view label) {
    return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
           label.back() != '-' && std::all_of(label.begin(), label.end(), [](char octet) {
             return absl::ascii_isalnum(octet) || octet == '-';
           });
  });
  return all && !std::all_of(labels.back().begin(), labels.back().end(), absl::ascii_isdigit);
}

}  // namespace

const std::string& ValueOf(const Values& values, absl::string_view name) {
  const auto found = values.find(name);
  if (found == values.end()) {
    std::cerr << "a kit asks for a value that it has not: " << name << std::endl;
    std::abort();
  }
  return found->second;
}

absl::Status CheckLine(const Values& values, absl::string_view name) {
  const std::string& text = ValueOf(values, name);
  if (text.empty()) return Refuse(name, "must not be empty");
  if (text.size() > kLongestLine) return Refuse(name, "must be at most 1024 octets long");
  const std::optional<ca::Utf8Text> decoded = ca::DecodeUtf8(text);
  if (!decoded.has_value()) return Refuse(name, "must be UTF-8");
  if (decoded->has_controls) return Refuse(name, "must be one line without control characters");
  if (text.front() == ' ' || text.back() == ' ') {
    return Refuse(name, "must not begin or end with a space");
  }
  return absl::OkStatus();
}

absl::Status CheckRadiusSecret(const Values& values, absl::string_view name) {
  RETURN_IF_ERROR(CheckLine(values, name));
  const std::size_t size = ValueOf(values, name).size();
  if (size >= kShortestSecret && size <= kLongestSecret) return absl::OkStatus();
  return Refuse(name,
                "must be 16 to 128 octets long: whoever sees the traffic can guess a short "
                "one; take openssl rand -hex 24");
}

absl::Status CheckPrintable(const Values& values, absl::string_view name,
                            absl::string_view forbidden) {
  RETURN_IF_ERROR(CheckLine(values, name));
  const std::string& text = ValueOf(values, name);
  if (!std::all_of(text.begin(), text.end(), absl::ascii_isprint)) {
    return Refuse(name, "must be ASCII: the program that reads it takes nothing else");
  }
  if (!Holds(text, forbidden)) return absl::OkStatus();
  return Refuse(name, absl::StrCat("must have none of ", forbidden,
                                   " : the program that reads it has no way to write them"));
}

absl::Status CheckWord(const Values& values, absl::string_view name) {
  const std::string& text = ValueOf(values, name);
  const bool is_word = !text.empty() && text.size() <= kLongestWord &&
                       !Holds(text.substr(0, 1), "-.") &&
                       std::all_of(text.begin(), text.end(), [](char octet) {
                         return absl::ascii_isalnum(octet) || Holds("._-", {&octet, 1});
                       });
  if (is_word) return absl::OkStatus();
  return Refuse(name,
                "must be 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', the first a letter, a "
                "digit or '_'");
}

absl::Status CheckPath(const Values& values, absl::string_view name) {
  const std::string& text = ValueOf(values, name);
  bool is_path = text.size() > 1 && text.size() <= kLongestPath && text.front() == '/';
  is_path = is_path && std::all_of(text.begin(), text.end(), [](char octet) {
              return absl::ascii_isalnum(octet) || Holds("/._-+@:", {&octet, 1});
            });
  const std::vector<absl::string_view> parts = absl::StrSplit(absl::string_view(text), '/');
  is_path = is_path && std::none_of(parts.begin() + 1, parts.end(), [](absl::string_view part) {
              return part.empty() || part == "." || part == "..";
            });
  if (is_path) return absl::OkStatus();
  return Refuse(name,
                "must be an absolute path of A-Z, a-z, 0-9 and . _ - + @ : without '..', "
                "'//' or a slash at its end");
}

absl::Status CheckHost(const Values& values, absl::string_view name) {
  const std::string& text = ValueOf(values, name);
  if (IsHostName(text) || BitsOfAddress(text) != 0) return absl::OkStatus();
  return Refuse(name, "must be the name of a host (in ASCII: xn--… for others) or an address");
}

absl::Status CheckAddress(const Values& values, absl::string_view name) {
  if (BitsOfAddress(ValueOf(values, name)) != 0) return absl::OkStatus();
  return Refuse(name, "must be an address of IPv4 or IPv6");
}

absl::Status CheckNetwork(const Values& values, absl::string_view name) {
  if (IsNetwork(ValueOf(values, name))) return absl::OkStatus();
  return Refuse(name, "must be a network, such as 10.0.0.0/8 or fd00::/8");
}

absl::Status CheckNetworks(const Values& values, absl::string_view name) {
  const std::string& text = ValueOf(values, name);
  const std::vector<absl::string_view> parts = absl::StrSplit(absl::string_view(text), ',');
  if (text.size() <= kLongestLine && std::all_of(parts.begin(), parts.end(), IsNetwork)) {
    return absl::OkStatus();
  }
  return Refuse(name, "must be networks, such as 10.0.0.0/8,fd00::/8");
}

absl::Status CheckAddresses(const Values& values, absl::string_view name) {
  const std::string& text = ValueOf(values, name);
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  const bool all = std::all_of(parts.begin(), parts.end(),
                               [](const std::string& part) { return BitsOfAddress(part) != 0; });
  if (text.size() <= kLongestLine && all) return absl::OkStatus();
  return Refuse(name, "must be addresses, such as 10.0.0.53,fd00::53");
}

absl::Status CheckAddressOrNetwork(const Values& values, absl::string_view name) {
  const std::string& text = ValueOf(values, name);
  if (IsNetwork(text) || BitsOfAddress(text) != 0) return absl::OkStatus();
  return Refuse(name, "must be an address or a network, such as 192.0.2.1 or 10.0.0.0/8");
}

absl::Status CheckNumber(const Values& values, absl::string_view name, int least, int most) {
  if (IsNumber(ValueOf(values, name), least, most)) return absl::OkStatus();
  return Refuse(name, absl::StrCat("must be a number from ", least, " to ", most));
}

absl::Status CheckPort(const Values& values, absl::string_view name) {
  return CheckNumber(values, name, 1, kLastPort);
}

}  // namespace hourglass::gateways
