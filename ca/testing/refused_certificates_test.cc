#include "ca/testing/refused_certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <set>
#include <string>
#include <vector>

#include "ca/testing/test_ca.h"
#include "hsm/base/openssl.h"

namespace hourglass::ca {
namespace {

using StorePtr = OpensslPtr<X509_STORE, X509_STORE_free>;
using StoreCtxPtr = OpensslPtr<X509_STORE_CTX, X509_STORE_CTX_free>;
using PurposesPtr = OpensslPtr<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;

std::vector<X509Ptr> ReadAll(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<X509Ptr> certificates;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  DrainOpensslErrors();
  return certificates;
}

// The answer of a relying party that trusts the CA's bundle, at the CA's time.
int Verify(const TestCa& ca, const std::string& chain_pem) {
  const StorePtr store(X509_STORE_new());
  for (const X509Ptr& root : ReadAll(ca.trust_bundle_pem())) {
    X509_STORE_add_cert(store.get(), root.get());
  }
  const std::vector<X509Ptr> chain = ReadAll(chain_pem);
  STACK_OF(X509)* above = sk_X509_new_null();
  for (const X509Ptr& certificate : chain) sk_X509_push(above, certificate.get());
  const StoreCtxPtr context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), above);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, ca.now().time_since_epoch().count());
  X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  X509_verify_cert(context.get());
  const int result = X509_STORE_CTX_get_error(context.get());
  sk_X509_free(above);
  return result;
}

std::set<std::string> PurposesOf(const TestCertificate& issued) {
  const std::vector<X509Ptr> chain = ReadAll(issued.certificate_pem);
  const PurposesPtr purposes(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(chain.front().get(), NID_ext_key_usage, nullptr, nullptr)));
  std::set<std::string> oids;
  for (int i = 0; purposes != nullptr && i < sk_ASN1_OBJECT_num(purposes.get()); ++i) {
    char text[80];
    OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(purposes.get(), i), 1);
    oids.insert(text);
  }
  return oids;
}

const std::set<std::string> kBoth = {"1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.87"};

class RefusedCertificatesTest : public testing::TestWithParam<bool> {
 protected:
  TestCa Ca() {
    TestCaOptions options;
    if (GetParam()) options.sub_key_type = hsm::KeyType::kEcP384;
    return TestCa(options);
  }
};

TEST_P(RefusedCertificatesTest, AGoodOneHasNoneOfTheFlaws) {
  TestCa ca = Ca();
  const TestCertificate good = ca.Issue("alice@contoso.example");
  EXPECT_EQ(Verify(ca, good.chain_pem), X509_V_OK);
  EXPECT_EQ(PurposesOf(good), kBoth);
}

TEST_P(RefusedCertificatesTest, OpensslRefusesEachWithTheResultThatIsSaid) {
  TestCa ca = Ca();
  for (const Flaw flaw : kAllFlaws) {
    SCOPED_TRACE(std::string(Describe(flaw)));
    const TestCertificate issued = IssueFlawed(ca, flaw);
    EXPECT_EQ(Verify(ca, issued.chain_pem), OpensslVerifyResult(flaw));
    EXPECT_NE(issued.private_key_pem, "");
    // Either the chain refuses it or the purposes do.
    EXPECT_FALSE(PurposesOf(issued) == kBoth && OpensslVerifyResult(flaw) == X509_V_OK);
  }
}

TEST_P(RefusedCertificatesTest, TheCaIsAsItWas) {
  TestCa ca = Ca();
  const std::string bundle = ca.trust_bundle_pem();
  for (const Flaw flaw : kAllFlaws) IssueFlawed(ca, flaw);
  EXPECT_EQ(ca.trust_bundle_pem(), bundle);
  EXPECT_EQ(ca.primary(), 1);
  EXPECT_EQ(Verify(ca, ca.Issue("alice@contoso.example").chain_pem), X509_V_OK);
}

INSTANTIATE_TEST_SUITE_P(RootOrSubKey, RefusedCertificatesTest, testing::Bool());

TEST(RefusedCertificatesTest, OfTheNewestRetiredRoot) {
  TestCa ca;
  ca.Issue("alice@contoso.example");
  ASSERT_TRUE(ca.Promote(ca.StageRoot()).ok());
  ca.Advance(std::chrono::hours(2));
  ASSERT_TRUE(ca.Retire(1).ok());
  const TestCertificate issued = IssueFlawed(ca, Flaw::kRetiredRoot);
  EXPECT_EQ(ca.generations(), 2);
  const std::vector<X509Ptr> certificate = ReadAll(issued.certificate_pem);
  const std::vector<X509Ptr> retired = ReadAll(ca.root_pem(1));
  EXPECT_EQ(X509_check_issued(retired.front().get(), certificate.front().get()), X509_V_OK);
}

TEST(RefusedCertificatesTest, TheOidIsThereAsAPolicyAlone) {
  TestCa ca;
  const TestCertificate issued = IssueFlawed(ca, Flaw::kOidInOtherExtension);
  EXPECT_EQ(PurposesOf(issued), std::set<std::string>{"1.3.6.1.5.5.7.3.2"});
  const std::vector<X509Ptr> certificate = ReadAll(issued.certificate_pem);
  EXPECT_GE(X509_get_ext_by_NID(certificate.front().get(), NID_certificate_policies, -1), 0);
}

}  // namespace
}  // namespace hourglass::ca
