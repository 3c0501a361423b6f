// Roots with their keys, and bundles of them. All of it is for one thread.
#ifndef HOURGLASS_CA_BUNDLE_BUNDLE_FIXTURE_H_
#define HOURGLASS_CA_BUNDLE_BUNDLE_FIXTURE_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/bundle/trust_bundle.h"
#include "ca/encoding/digest.h"
#include "ca/issuers/root_certificate.h"
#include "hsm/key/signing_key.h"
#include "hsm/key/software_key.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {

inline constexpr Time kBundleTime = std::chrono::sys_days(std::chrono::year(2026) / 11 / 30) +
                                    std::chrono::hours(1) + std::chrono::minutes(2) +
                                    std::chrono::seconds(3);

struct KeyedRoot {
  std::unique_ptr<hsm::SigningKey> key;
  std::string certificate;  // DER
};

// The root of this type and generation, made when it is first asked for; the same ever after.
inline KeyedRoot& RootOf(hsm::KeyType type, int generation = 1) {
  static std::map<std::pair<hsm::KeyType, int>, KeyedRoot> roots;
  KeyedRoot& root = roots[{type, generation}];
  if (root.key == nullptr) {
    root.key = *hsm::GenerateSoftwareKey(type);
    const RootSpecification specification{.display_name = "Contoso",
                                          .generation = generation,
                                          .now = kBundleTime,
                                          .duration = std::chrono::days(365),
                                          .serial_entropy = std::string(16, 's')};
    root.certificate = IssueRoot(specification, *root.key)->der();
  }
  return root;
}

inline KeyedRoot& EcRoot(int generation) { return RootOf(hsm::KeyType::kEcP256, generation); }

// Version 17 of contoso: r1 RETIRING (RSA 2048), r2 PRIMARY (P-256), r3 STAGED (P-384), r0 removed.
inline TrustBundle ThreeRoots() {
  return {
      .tenant_id = "contoso",
      .version = 17,
      .changed_at = kBundleTime,
      .roots = {{"r1", RootState::kRetiring, RootOf(hsm::KeyType::kRsa2048).certificate},
                {"r2", RootState::kPrimary, EcRoot(2).certificate},
                {"r3", RootState::kStaged, RootOf(hsm::KeyType::kEcP384).certificate}},
      .removed = {{"r0", Sha256("r0")}},
  };
}

// Version 1 of contoso, whose r1 is PRIMARY and P-256.
inline TrustBundle OneRoot() {
  return {.tenant_id = "contoso",
          .version = 1,
          .changed_at = kBundleTime,
          .roots = {{"r1", RootState::kPrimary, EcRoot(1).certificate}},
          .removed = {}};
}

// What `openssl` says with these arguments, of what it gets on its standard input.
inline std::string Openssl(std::vector<std::string> arguments, const std::string& input = "") {
  arguments.insert(arguments.begin(), "openssl");
  return RunCommand(arguments, input).output;
}

// The certificate in PEM, by OpenSSL.
inline std::string PemByOpenssl(const std::string& certificate) {
  return Openssl({"x509", "-inform", "DER"}, certificate);
}

inline constexpr hsm::KeyType kBundleKeyTypes[] = {hsm::KeyType::kEcP256, hsm::KeyType::kEcP384,
                                                   hsm::KeyType::kRsa2048};

// Of ThreeRoots.
inline std::string Document() { return *EncodeTrustBundle(ThreeRoots()); }

inline BundleSignature SignedBy(const KeyedRoot& root, const std::string& document = Document()) {
  return *SignTrustBundle(document, root.certificate, *root.key);
}

// TBSCertificate of a root: what its key signs as a certificate.
inline std::string ToBeSigned(const std::string& certificate) {
  const TemporaryDirectory directory;
  RunCommand({"openssl", "asn1parse", "-inform", "DER", "-strparse", "4", "-noout", "-out",
              directory.File("tbs")},
             certificate);
  return ReadFileOrDie(directory.File("tbs"));
}

// Bundles of every shape, by a generator with a fixed seed.
class BundleGenerator {
 public:
  TrustBundle Next() {
    TrustBundle bundle;
    bundle.tenant_id = Id(64);
    bundle.version = 1 + (chance_() >> Below(64));
    bundle.changed_at =
        kFirstTime + std::chrono::seconds(
                         chance_() % static_cast<std::uint64_t>((kLastTime - kFirstTime).count()));
    std::vector<std::string> certificates;
    for (const hsm::KeyType type : kBundleKeyTypes) {
      for (int generation = 1; generation <= 2; ++generation) {
        certificates.push_back(RootOf(type, generation).certificate);
      }
    }
    std::shuffle(certificates.begin(), certificates.end(), chance_);
    certificates.resize(Below(certificates.size() + 1));
    // The one that is primary; none where it is behind the last.
    const std::size_t primary = Below(certificates.size() + 1);
    for (std::size_t i = 0; i < certificates.size(); ++i) {
      const RootState other = Below(2) == 0 ? RootState::kStaged : RootState::kRetiring;
      bundle.roots.push_back({absl::StrCat(Id(60), ".", i),
                              i == primary ? RootState::kPrimary : other, certificates[i]});
    }
    for (std::size_t i = Below(6); i > 0; --i) {
      std::string sha256(32, '\0');
      for (char& octet : sha256) octet = static_cast<char>(chance_());
      bundle.removed.push_back({absl::StrCat(Id(60), ",", i), sha256});
    }
    return bundle;
  }

 private:
  std::size_t Below(std::size_t end) { return chance_() % end; }

  std::string Id(std::size_t max_size) {
    std::string id(1 + Below(max_size), ' ');
    for (char& c : id) c = static_cast<char>('!' + Below('~' - '!' + 1));
    return id;
  }

  std::mt19937_64 chance_{2026};
};

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_BUNDLE_BUNDLE_FIXTURE_H_
