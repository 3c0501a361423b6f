// An authority under a root of its own, whose key lies when it is told to.
#ifndef HOURGLASS_CA_TESTING_AUTHORITY_FIXTURE_H_
#define HOURGLASS_CA_TESTING_AUTHORITY_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "ca/authority.h"
#include "ca/testing/lying_key.h"
#include "hsm/key/software_key.h"
#include "tests/support/pkcs10.h"

namespace hourglass::ca {

class AuthorityFixture : public testing::Test {
 protected:
  using Certificates = std::vector<absl::StatusOr<std::string>>;

  static constexpr Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20);

  AuthorityFixture() { UseAFreshKey(); }

  static RootCertificate MakeRoot(hsm::SigningKey& key, Time now = kNow,
                                  std::chrono::seconds duration = std::chrono::days(30),
                                  bool issuing_sub_keys = false) {
    return *IssueRoot({.display_name = "Contoso",
                       .now = now,
                       .duration = duration,
                       .serial_entropy = std::string(kSerialSize, 's'),
                       .issuing_sub_keys = issuing_sub_keys},
                      key);
  }

  // And a new authority with it.
  void UseAFreshKey() {
    auto key = std::make_unique<LyingKey>(*hsm::GenerateSoftwareKey(hsm::KeyType::kEcP256));
    key_ = key.get();
    RootCertificate root = MakeRoot(*key);
    authority_ = *Authority::Create(std::move(root), std::move(key), profile_);
  }

  absl::StatusOr<TbsCertificate> Prepare(Time now) const {
    return authority_->Prepare({subject_, requested_, std::string(kSerialSize, '\xff'), now});
  }

  Certificates SignTogether(int count) const {
    std::vector<TbsCertificate> tbs;
    for (int i = 0; i < count; ++i) tbs.push_back(*Prepare(kNow));
    return authority_->SignAll(std::move(tbs));
  }

  LeafProfile profile_ = *LeafProfile::Create({});
  Subject subject_ = *Subject::Create("alice@contoso.example", "id-1");
  RequestedKey requested_ = *ParseCertificateRequest(MakeEcPkcs10(), KeyPolicy());
  LyingKey* key_;
  std::unique_ptr<Authority> authority_;
};

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TESTING_AUTHORITY_FIXTURE_H_
