#include "ca/testing/test_ca.h"

#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ca/encoding/pem.h"
#include "ca/issuers/intermediate_certificate.h"
#include "ca/names/name.h"
#include "ca/request/certificate_request.h"
#include "ca/testing/fixed_key.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/software_key.h"

namespace hourglass::ca {
namespace {

template <typename T>
T ValueOrDie(absl::StatusOr<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "TestCa: %s\n", result.status().ToString().c_str());
    std::abort();
  }
  return *std::move(result);
}

std::string RandomOctets(std::size_t count) {
  std::string octets(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(octets.data()), static_cast<int>(count)) != 1) {
    std::fprintf(stderr, "TestCa: no random numbers\n");
    std::abort();
  }
  return octets;
}

absl::StatusOr<EvpPkeyPtr> ReadPrivateKey(absl::string_view pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // A callback that gives no password keeps OpenSSL from asking at the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  EvpPkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (key != nullptr) return key;
  DrainOpensslErrors();
  return Error(ErrorReason::kFieldInvalid, "private_key_pem", "is not an unencrypted PKCS#8 key");
}

// A PKCS#10 request, DER, with an empty subject: the CA decides every name.
absl::StatusOr<std::string> MakeRequest(EVP_PKEY* key) {
  const X509ReqPtr request(X509_REQ_new());
  unsigned char* der = nullptr;
  int size = -1;
  if (X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
      X509_REQ_set_pubkey(request.get(), key) == 1 &&
      X509_REQ_sign(request.get(), key, EVP_sha256()) > 0) {
    size = i2d_X509_REQ(request.get(), &der);
  }
  const std::string octets(reinterpret_cast<const char*>(der),
                           static_cast<std::size_t>(size < 0 ? 0 : size));
  OPENSSL_free(der);
  if (size >= 0) return octets;
  DrainOpensslErrors();
  return Error(ErrorReason::kFieldInvalid, "private_key_pem", "cannot sign a request");
}

}  // namespace

TestCa::TestCa(const TestCaOptions& options) : options_(options), now_(options.now) {
  roots_.push_back(MakeRoot(primary_));
  roots_.back().state = RootState::kPrimary;
}

std::string TestCa::TakeOctets(std::size_t count) {
  ++taken_;
  if (options_.seed.empty()) return RandomOctets(count);
  return FixedOctets(absl::StrCat("octets ", taken_, " ", options_.seed), count);
}

std::string TestCa::TakeKeyPem(hsm::KeyType type) {
  ++taken_;
  if (options_.seed.empty()) return ValueOrDie(hsm::GenerateSoftwareKeyPem(type));
  return FixedPrivateKeyPem(type, absl::StrCat("key ", taken_, " ", options_.seed));
}

std::unique_ptr<hsm::SigningKey> TestCa::Open(const std::string& pem) const {
  return options_.seed.empty() ? ValueOrDie(hsm::SoftwareKeyFromPem(pem)) : DeterministicKey(pem);
}

TestCa::Root TestCa::MakeRoot(int generation) {
  Root made;
  made.issuing_key_pem = TakeKeyPem(options_.root_key_type);
  std::unique_ptr<hsm::SigningKey> key = Open(made.issuing_key_pem);
  RootSpecification specification;
  specification.display_name = options_.display_name;
  specification.generation = generation;
  specification.now = now_;
  specification.duration = options_.root_duration;
  specification.serial_entropy = TakeOctets(kSerialSize);
  specification.issuing_sub_keys = options_.sub_key_type.has_value();
  RootCertificate root = ValueOrDie(IssueRoot(specification, *key));
  made.root_pem = EncodePem(kCertificateLabel, root.der());
  const LeafProfile profile = ValueOrDie(LeafProfile::Create(options_.profile));
  made.authority = ValueOrDie(Authority::Create(std::move(root), std::move(key), profile));
  if (options_.sub_key_type.has_value()) PutUnderSubKey(generation, &made);
  return made;
}

void TestCa::PutUnderSubKey(int generation, Root* root) {
  root->issuing_key_pem = TakeKeyPem(*options_.sub_key_type);
  std::unique_ptr<hsm::SigningKey> key = Open(root->issuing_key_pem);
  IntermediateSpecification specification;
  specification.display_name = options_.display_name;
  specification.generation = generation;
  specification.now = now_;
  specification.lifetime = options_.sub_key_lifetime;
  specification.serial_entropy = TakeOctets(kSerialSize);
  const Authority& above = *root->authority;
  TbsIntermediate tbs = ValueOrDie(above.PrepareIntermediate(specification, key->public_key()));
  const IntermediateCertificate intermediate = ValueOrDie(above.SignIntermediate(std::move(tbs)));
  root->intermediate_pem = EncodePem(kCertificateLabel, intermediate.der());
  root->authority = ValueOrDie(
      Authority::CreateForSubKey(above.root(), intermediate, std::move(key), above.profile()));
}

const TestCa::Root& TestCa::At(int generation) const {
  if (generation < 1 || generation > generations()) {
    std::fprintf(stderr, "TestCa: no root has generation %d\n", generation);
    std::abort();
  }
  return roots_[static_cast<std::size_t>(generation) - 1];
}

int TestCa::StageRoot() {
  roots_.push_back(MakeRoot(generations() + 1));
  return generations();
}

absl::Status TestCa::Move(int generation, RootMove move) {
  Root& root = At(generation);
  ASSIGN_OR_RETURN(root.state, StateAfter({root.state, root.last_leaf_not_after,
                                           root.authority->root().not_after(), now_},
                                          move));
  return absl::OkStatus();
}

absl::Status TestCa::Promote(int generation) {
  const bool goes_back = At(generation).state == RootState::kRetiring;
  RETURN_IF_ERROR(Move(generation, goes_back ? RootMove::kRollBack : RootMove::kPromote));
  RETURN_IF_ERROR(Move(primary_, RootMove::kDemote));
  primary_ = generation;
  return absl::OkStatus();
}

absl::Status TestCa::Retire(int generation) { return Move(generation, RootMove::kRetire); }

absl::Status TestCa::Discard(int generation) { return Move(generation, RootMove::kDiscard); }

std::string TestCa::trust_bundle_pem() const {
  std::string bundle;
  for (const Root& root : roots_) {
    if (InTrustBundle(root.state)) bundle += root.root_pem;
  }
  return bundle;
}

TestCertificate TestCa::Issue(absl::string_view upn, hsm::KeyType key_type) {
  return Issue(TestUser{.upn = std::string(upn)}, key_type);
}

TestCertificate TestCa::Issue(const TestUser& user, hsm::KeyType key_type) {
  std::string private_key_pem = TakeKeyPem(key_type);
  TestCertificate issued = ValueOrDie(IssueFor(user, private_key_pem));
  issued.private_key_pem = std::move(private_key_pem);
  return issued;
}

absl::StatusOr<TestCertificate> TestCa::IssueForRequest(absl::string_view upn,
                                                        absl::string_view pkcs10,
                                                        absl::string_view user_id,
                                                        absl::string_view sid) {
  const std::optional<std::string> decoded = DecodePem(pkcs10, {kRequestLabel, kOldRequestLabel});
  ASSIGN_OR_RETURN(const RequestedKey key,
                   ParseCertificateRequest(decoded.has_value() ? *decoded : pkcs10, KeyPolicy()));
  ASSIGN_OR_RETURN(const Subject subject, Subject::Create(upn, user_id, sid));
  Root& root = At(primary_);
  ASSIGN_OR_RETURN(TbsCertificate tbs,
                   root.authority->Prepare({subject, key, TakeOctets(kSerialSize), now_}));
  TestCertificate issued;
  issued.serial_number = tbs.serial_number();
  const Time not_after = tbs.not_after();
  ASSIGN_OR_RETURN(issued.certificate_der, root.authority->Sign(std::move(tbs)));
  root.last_leaf_not_after = std::max(not_after, root.last_leaf_not_after.value_or(not_after));
  issued.certificate_pem = EncodePem(kCertificateLabel, issued.certificate_der);
  issued.chain_pem = issued.certificate_pem + root.intermediate_pem;
  return issued;
}

absl::StatusOr<TestCertificate> TestCa::IssueForPrivateKey(absl::string_view upn,
                                                           absl::string_view private_key_pem) {
  return IssueFor(TestUser{.upn = std::string(upn)}, private_key_pem);
}

absl::StatusOr<TestCertificate> TestCa::IssueFor(const TestUser& user,
                                                 absl::string_view private_key_pem) {
  ASSIGN_OR_RETURN(const EvpPkeyPtr key, ReadPrivateKey(private_key_pem));
  ASSIGN_OR_RETURN(const std::string request, MakeRequest(key.get()));
  return IssueForRequest(user.upn, request, user.id, user.sid);
}

}  // namespace hourglass::ca
