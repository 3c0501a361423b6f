#include "ca/testing/fixed_key.h"

#include <botan/data_src.h>
#include <botan/ecdsa.h>
#include <botan/hmac_drbg.h>
#include <botan/pk_keys.h>
#include <botan/pkcs8.h>
#include <botan/pubkey.h>
#include <botan/rsa.h>
#include <botan/x509_key.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>
#include <vector>

#include "ca/encoding/digest.h"
#include "hsm/base/error.h"
#include "hsm/key/key_type.h"
#include "hsm/key/out_of_service.h"

namespace hourglass::ca {
namespace {

const std::uint8_t* Octets(absl::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

// Calls what may throw; a test has no use for a key that failed.
template <typename Function>
auto OrDie(const char* what, Function function) {
  try {
    return function();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", what, error.what());
    std::abort();
  }
}

// HMAC_DRBG (SP 800-90A section 10.1.2) that is never seeded anew.
std::unique_ptr<Botan::HMAC_DRBG> Generator(absl::string_view seed) {
  auto generator = std::make_unique<Botan::HMAC_DRBG>("SHA-256");
  // It gives nothing before it got 32 octets.
  const std::string digest = Sha256(seed);
  generator->initialize_with(Octets(digest), digest.size());
  return generator;
}

std::unique_ptr<Botan::Private_Key> MakeKey(hsm::KeyType type, Botan::RandomNumberGenerator& from) {
  if (!hsm::IsEc(type)) {
    return std::make_unique<Botan::RSA_PrivateKey>(from,
                                                   static_cast<std::size_t>(hsm::KeyBits(type)));
  }
  const Botan::EC_Group group(type == hsm::KeyType::kEcP256 ? "secp256r1" : "secp384r1");
  return std::make_unique<Botan::ECDSA_PrivateKey>(from, group);
}

hsm::KeyType TypeOf(const Botan::Private_Key& key) {
  for (const hsm::KeyType type : hsm::kAllKeyTypes) {
    const bool is_ec = key.algo_name() == "ECDSA";
    if (is_ec == hsm::IsEc(type) && static_cast<int>(key.key_length()) == hsm::KeyBits(type)) {
      return type;
    }
  }
  throw Botan::Invalid_Argument("a key of no KeyType");
}

class BotanKey final : public hsm::SigningKey {
 public:
  explicit BotanKey(std::unique_ptr<Botan::Private_Key> key)
      : key_(std::move(key)), type_(TypeOf(*key_)) {
    const std::vector<std::uint8_t> der = Botan::X509::BER_encode(*key_);
    public_key_.assign(der.begin(), der.end());
  }

  hsm::KeyType type() const override { return type_; }
  const std::string& public_key() const override { return public_key_; }
  void TakeOutOfService() override { out_of_service_.Set(); }

  absl::StatusOr<std::string> Sign(absl::string_view message) override {
    const absl::Status in_service = out_of_service_.Check("fixed key");
    if (!in_service.ok()) return in_service;
    try {
      return SignOrThrow(message);
    } catch (const std::exception& error) {
      return Error(ErrorReason::kInternalError, "fixed key", error.what());
    }
  }

 private:
  std::string SignOrThrow(absl::string_view message) {
    const std::string hash = type_ == hsm::KeyType::kEcP384 ? "SHA-384" : "SHA-256";
    // Only blinds; the signature does not depend on it.
    const auto blinding = Generator(message);
    Botan::PK_Signer signer(*key_, *blinding, (hsm::IsEc(type_) ? "EMSA1(" : "EMSA3(") + hash + ")",
                            hsm::IsEc(type_) ? Botan::Signature_Format::DER_SEQUENCE
                                             : Botan::Signature_Format::IEEE_1363);
    const std::vector<std::uint8_t> signature =
        signer.sign_message(Octets(message), message.size(), *blinding);
    return std::string(signature.begin(), signature.end());
  }

  const std::unique_ptr<Botan::Private_Key> key_;
  const hsm::KeyType type_;
  std::string public_key_;
  hsm::OutOfService out_of_service_;
};

}  // namespace

std::string FixedOctets(absl::string_view seed, std::size_t count) {
  return OrDie("FixedOctets", [&] {
    std::string octets(count, '\0');
    Generator(seed)->randomize(reinterpret_cast<std::uint8_t*>(octets.data()), octets.size());
    return octets;
  });
}

std::string FixedPrivateKeyPem(hsm::KeyType type, absl::string_view seed) {
  return OrDie("FixedPrivateKeyPem", [&] {
    const auto generator = Generator(seed);
    return Botan::PKCS8::PEM_encode(*MakeKey(type, *generator));
  });
}

std::unique_ptr<hsm::SigningKey> DeterministicKey(absl::string_view pkcs8_pem) {
  return OrDie("DeterministicKey", [&] {
    Botan::DataSource_Memory source(Octets(pkcs8_pem), pkcs8_pem.size());
    return std::make_unique<BotanKey>(Botan::PKCS8::load_key(source));
  });
}

}  // namespace hourglass::ca
