#include "hsm/key/software_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "hsm/base/openssl.h"
#include "hsm/key/key_type.h"
#include "hsm/key/signature.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

// `openssl ARGUMENTS` must succeed.
std::string Openssl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  const CommandResult result = RunCommand(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return result.output;
}

class SoftwareKeyTest : public testing::TestWithParam<KeyType> {};

TEST_P(SoftwareKeyTest, SignsWhatTheOpensslCliVerifies) {
  ASSERT_OK_AND_ASSIGN(const auto key, GenerateSoftwareKey(GetParam()));
  EXPECT_EQ(key->type(), GetParam());
  ASSERT_OK_AND_ASSIGN(const std::string signature, key->Sign("a message"));

  const TemporaryDirectory directory;
  const std::string spki = directory.Write("spki", key->public_key());
  const std::string pem = directory.File("pem");
  Openssl({"pkey", "-pubin", "-inform", "DER", "-in", spki, "-out", pem});
  const std::string hash = GetParam() == KeyType::kEcP384 ? "-sha384" : "-sha256";
  const auto verify = [&](const std::string& message) {
    return RunCommand({"openssl", "dgst", hash, "-verify", pem, "-signature",
                       directory.Write("signature", signature),
                       directory.Write("message", message)})
        .output;
  };
  EXPECT_THAT(verify("a message"), testing::HasSubstr("Verified OK"));
  EXPECT_THAT(verify("another message"), testing::HasSubstr("Verification failure"));
}

TEST_P(SoftwareKeyTest, ReadsItsOwnPem) {
  ASSERT_OK_AND_ASSIGN(const std::string pem, GenerateSoftwareKeyPem(GetParam()));
  ASSERT_OK_AND_ASSIGN(const auto key, SoftwareKeyFromPem(pem));
  ASSERT_OK_AND_ASSIGN(const auto again, SoftwareKeyFromPem(pem));
  EXPECT_EQ(key->type(), GetParam());
  EXPECT_EQ(key->public_key(), again->public_key());
  ASSERT_OK_AND_ASSIGN(const std::string signature, key->Sign("m"));
  EXPECT_OK(VerifySignature(again->public_key(), GetParam(), "m", signature));
}

INSTANTIATE_TEST_SUITE_P(EveryType, SoftwareKeyTest, testing::ValuesIn(kAllKeyTypes),
                         [](const auto& info) {
                           std::string name(KeyTypeName(info.param));
                           name.erase(name.find('-'), 1);
                           return name;
                         });

TEST(SoftwareKeyFromPemTest, ReadsAKeyOfTheOpensslCli) {
  ASSERT_OK_AND_ASSIGN(
      const auto key,
      SoftwareKeyFromPem(Openssl({"genpkey", "-algorithm", "EC", "-pkeyopt", "group:P-256"})));
  EXPECT_EQ(key->type(), KeyType::kEcP256);
}

TEST(SoftwareKeyFromPemTest, RefusesOtherKinds) {
  const auto refuses = [](std::vector<std::string> genpkey, ErrorReason reason) {
    genpkey.insert(genpkey.begin(), {"genpkey", "-quiet"});
    EXPECT_THAT(SoftwareKeyFromPem(Openssl(genpkey)), FailsWith(reason)) << genpkey.back();
  };
  refuses({"-algorithm", "ED25519"}, ErrorReason::kKeyUnsupported);
  refuses({"-algorithm", "EC", "-pkeyopt", "group:P-521"}, ErrorReason::kKeyUnsupported);
  refuses({"-algorithm", "EC", "-pkeyopt", "group:secp256k1"}, ErrorReason::kKeyUnsupported);
  refuses({"-algorithm", "RSA", "-pkeyopt", "bits:1024"}, ErrorReason::kKeyUnsupported);
  refuses({"-algorithm", "RSA", "-pkeyopt", "bits:2056"}, ErrorReason::kKeyUnsupported);
  refuses({"-algorithm", "RSA-PSS", "-pkeyopt", "bits:2048"}, ErrorReason::kKeyUnsupported);
  refuses({"-algorithm", "RSA", "-pkeyopt", "bits:2048", "-pkeyopt", "rsa_keygen_pubexp:3"},
          ErrorReason::kKeyInvalid);
  refuses({"-algorithm", "EC", "-pkeyopt", "group:P-256", "-aes256", "-pass", "pass:secret"},
          ErrorReason::kKeyInvalid);
}

TEST(SoftwareKeyFromPemTest, RefusesWhatIsNoPkcs8Pem) {
  ASSERT_OK_AND_ASSIGN(const std::string pem, GenerateSoftwareKeyPem(KeyType::kEcP256));
  ASSERT_OK(SoftwareKeyFromPem(pem));
  EXPECT_THAT(SoftwareKeyFromPem(""), FailsWith(ErrorReason::kKeyInvalid, "private_key"));
  EXPECT_THAT(SoftwareKeyFromPem(pem.substr(0, pem.size() / 2)),
              FailsWith(ErrorReason::kKeyInvalid, "private_key"));
  EXPECT_THAT(SoftwareKeyFromPem(Openssl({"ecparam", "-name", "prime256v1", "-genkey", "-noout"})),
              FailsWith(ErrorReason::kKeyInvalid, "private_key"));
}

// A key in a block of PEM that is encrypted as older OpenSSL did it, which any label may be.
std::string EncryptedPem(const std::string& pem, std::string password) {
  const BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const BioPtr out(BIO_new(BIO_s_mem()));
  PKCS8_PRIV_KEY_INFO* const key =
      PEM_read_bio_PKCS8_PRIV_KEY_INFO(in.get(), nullptr, nullptr, nullptr);
  EXPECT_EQ(PEM_ASN1_write_bio(reinterpret_cast<i2d_of_void*>(i2d_PKCS8_PRIV_KEY_INFO),
                               "PRIVATE KEY", out.get(), key, EVP_aes_256_cbc(),
                               reinterpret_cast<unsigned char*>(password.data()),
                               static_cast<int>(password.size()), nullptr, nullptr),
            1);
  PKCS8_PRIV_KEY_INFO_free(key);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

// A daemon that asked would hang. Where there is no terminal OpenSSL asks standard input.
TEST(SoftwareKeyFromPemTest, NeverAsksForAPassword) {
  ASSERT_OK_AND_ASSIGN(const std::string pem, GenerateSoftwareKeyPem(KeyType::kEcP256));
  ASSERT_OK(SoftwareKeyFromPem(pem));
  const std::string encrypted = EncryptedPem(pem, "secret");
  ASSERT_THAT(encrypted, testing::HasSubstr("BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED"));
  const TemporaryDirectory directory;
  ASSERT_NE(std::freopen(directory.Write("input", "secret\n").c_str(), "r", stdin), nullptr);
  EXPECT_THAT(SoftwareKeyFromPem(encrypted), FailsWith(ErrorReason::kKeyInvalid, "private_key"));
  EXPECT_EQ(std::fgetc(stdin), 's');
}

TEST(SoftwareKeyTest, SignsFromSeveralThreads) {
  ASSERT_OK_AND_ASSIGN(const auto key, GenerateSoftwareKey(KeyType::kEcP256));
  ASSERT_OK_AND_ASSIGN(const VerifyingKey verifier, VerifyingKey::FromPublicKey(key->public_key()));
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 50; ++i) {
        const std::string message = std::to_string(thread * 1000 + i);
        const auto signature = key->Sign(message);
        ASSERT_OK(signature);
        EXPECT_OK(verifier.Verify(message, *signature));
        EXPECT_THAT(verifier.Verify(message + "0", *signature),
                    FailsWith(ErrorReason::kKeyMismatch));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hourglass::hsm
