#include "hsm/tpm/recovery_code.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cstddef>
#include <optional>

#include "absl/strings/ascii.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"

namespace hourglass::hsm {
namespace {

// RFC 4648 section 6: five bits a character.
constexpr absl::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t kRandom = 26;
constexpr std::size_t kChecking = 4;
constexpr std::size_t kGroup = 5;

// The characters that check `random`: bits of its SHA-256, which are told to nobody who does not
// have the code.
absl::StatusOr<std::string> CheckOf(absl::string_view random) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  if (EVP_Digest(random.data(), random.size(), digest, nullptr, EVP_sha256(), nullptr) != 1) {
    return Error(ErrorReason::kInternalError, "", DrainOpensslErrors());
  }
  std::string check;
  for (std::size_t i = 0; i < kChecking; ++i) check.push_back(kAlphabet[digest[i] & 0x1f]);
  return check;
}

// Nothing for what separates, and 0 for what no code has.
std::optional<char> Meant(char typed) {
  if (typed == '-' || absl::ascii_isspace(static_cast<unsigned char>(typed))) return std::nullopt;
  const char character = absl::ascii_toupper(static_cast<unsigned char>(typed));
  switch (character) {
    case '0':
      return 'O';
    case '1':
      return 'I';
    case '8':
      return 'B';
    default:
      return kAlphabet.find(character) == absl::string_view::npos ? '\0' : character;
  }
}

}  // namespace

absl::StatusOr<SecretText> NewRecoveryCode() {
  SecretText code{std::string(kRandom + kChecking, '\0')};
  if (RAND_priv_bytes(reinterpret_cast<unsigned char*>(code.get().data()),
                      static_cast<int>(kRandom)) != 1) {
    return Error(ErrorReason::kInternalError, "", DrainOpensslErrors());
  }
  for (std::size_t i = 0; i < kRandom; ++i) code.get()[i] = kAlphabet[code.get()[i] & 0x1f];
  ASSIGN_OR_RETURN(const std::string check,
                   CheckOf(absl::string_view(code.get()).substr(0, kRandom)));
  code.get().replace(kRandom, kChecking, check);
  return code;
}

std::string FormatRecoveryCode(absl::string_view code) {
  std::string grouped;
  grouped.reserve(code.size() + code.size() / kGroup);
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (i != 0 && i % kGroup == 0) grouped.push_back('-');
    grouped.push_back(code[i]);
  }
  return grouped;
}

absl::StatusOr<SecretText> ParseRecoveryCode(absl::string_view typed) {
  const auto refused = [](absl::string_view message) {
    return Error(ErrorReason::kPinRefused, "", message);
  };
  SecretText code{std::string()};
  code.get().reserve(typed.size());
  for (const char character : typed) {
    const std::optional<char> meant = Meant(character);
    if (meant.has_value()) code.get().push_back(*meant);
  }
  if (code.get().size() != kRandom + kChecking) {
    return refused("a recovery code has 30 letters and digits, in six groups of five");
  }
  const absl::string_view whole = code.get();
  ASSIGN_OR_RETURN(const std::string check, CheckOf(whole.substr(0, kRandom)));
  if (whole.substr(kRandom) == check) return code;
  return refused("the recovery code is mistyped; the TPM was not asked");
}

}  // namespace hourglass::hsm
