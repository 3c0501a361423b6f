#include <botan/certstor.h>
#include <botan/data_src.h>
#include <botan/oids.h>
#include <botan/x509_crl.h>
#include <botan/x509cert.h>
#include <botan/x509path.h>

#include <memory>
#include <vector>

#include "tests/relying_parties/matrix/relying_party.h"

namespace hourglass::matrix {
namespace {

std::vector<Botan::X509_Certificate> Certificates(const std::string& pem) {
  std::vector<Botan::X509_Certificate> certificates;
  Botan::DataSource_Memory source(pem);
  while (!source.end_of_data()) {
    try {
      certificates.emplace_back(source);
    } catch (const Botan::Exception&) {
      break;
    }
  }
  return certificates;
}

class BotanVerifier : public RelyingParty {
 public:
  explicit BotanVerifier(const PartySetup& setup)
      : with_purpose_(setup.with_kit), with_revocation_(!setup.revocation_list.empty()) {
    std::string roots = setup.tenant->roots_pem();
    if (with_revocation_) {
      roots += setup.tenant->signing_root_pem();
      Botan::DataSource_Memory list(setup.revocation_list);
      store_.add_crl(Botan::X509_CRL(list));
    }
    for (const Botan::X509_Certificate& root : Certificates(roots)) store_.add_certificate(root);
  }

  Verdict Visit(const CertificateAndKey& credential) override {
    const std::vector<Botan::X509_Certificate> chain = Certificates(credential.certificate_pem);
    const Botan::Path_Validation_Restrictions restrictions(with_revocation_);
    const Botan::Path_Validation_Result result = Botan::x509_path_validate(
        chain, restrictions, store_, "", Botan::Usage_Type::TLS_CLIENT_AUTH);
    if (!result.successful_validation()) return {false, result.result_string()};
    // The one line that an application adds.
    if (with_purpose_ && !chain.front().has_ex_constraint(Botan::OID("1.3.6.1.4.1.311.87"))) {
      return {false, "has_ex_constraint: no conditional access"};
    }
    return {true, ""};
  }

 private:
  bool with_purpose_;
  bool with_revocation_;
  Botan::Certificate_Store_In_Memory store_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RelyingParty>> StartBotan(const PartySetup& setup) {
  return std::make_unique<BotanVerifier>(setup);
}

}  // namespace hourglass::matrix
