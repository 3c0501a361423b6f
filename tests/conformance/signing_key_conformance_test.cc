// What every place for keys owes to KeyStore and SigningKey, whatever stands behind it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hsm/key/key_type.h"
#include "hsm/key/signature.h"
#include "hsm/key/signing_key.h"
#include "hsm/store/key_store.h"
#include "tests/support/keyholder.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/swtpm.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

enum class Place { kSoftware, kSofthsm, kSofthsmWorkers, kTpmSealed, kTpmResident };

struct PlaceName {
  Place place;
  const char* name;
};
constexpr PlaceName kPlaceNames[] = {{Place::kSoftware, "software"},
                                     {Place::kSofthsm, "softhsm"},
                                     {Place::kSofthsmWorkers, "softhsm_workers"},
                                     {Place::kTpmSealed, "tpm_sealed"},
                                     {Place::kTpmResident, "tpm_resident"}};

const SofthsmToken& Softhsm() {
  static const SofthsmToken token;
  return token;
}

const Swtpm& OneTpm() {
  static const Swtpm tpm;
  return tpm;
}

std::string KeyholderProgram() { return std::filesystem::absolute(kKeyholderProgram); }

// Whether the OpenSSL CLI finds `signature` to be the key's signature of `message`.
bool OpensslVerifies(const SigningKey& key, const std::string& message,
                     const std::string& signature) {
  const TemporaryDirectory directory;
  const std::string pem = directory.File("pem");
  const CommandResult converted =
      RunCommand({"openssl", "pkey", "-pubin", "-inform", "DER", "-in",
                  directory.Write("spki", key.public_key()), "-out", pem});
  EXPECT_EQ(converted.exit_code, 0) << converted.output;
  return RunCommand({"openssl", "dgst", key.type() == KeyType::kEcP384 ? "-sha384" : "-sha256",
                     "-verify", pem, "-signature", directory.Write("signature", signature),
                     directory.Write("message", message)})
             .output == "Verified OK\n";
}

class SigningKeyConformance : public testing::TestWithParam<std::tuple<Place, KeyType>> {
 protected:
  void SetUp() override {
    store_ = NewStore();
    ++keys_made_;
    if (!HasNames()) {
      uri_ = absl::StrFormat("tpm:handle=0x8101%04x", keys_made_);
    } else {
      ASSERT_OK_AND_ASSIGN(uri_, store_->DefaultUri(absl::StrCat("key-", keys_made_)));
    }
  }

  // A TPM has room for a few keys only.
  void TearDown() override {
    if (place() != Place::kTpmResident) return;
    if (store_ == nullptr) store_ = NewStore();
    static_cast<void>(store_->Destroy(uri_));
  }

  std::unique_ptr<KeyStore> NewStore() {
    KeyStoreOptions options;
    switch (place()) {
      case Place::kSoftware:
        options.software_directory = directory_.path();
        break;
      case Place::kSofthsmWorkers:
        options.keyholder_program = KeyholderProgram();
        [[fallthrough]];
      case Place::kSofthsm:
        options.tokens = {Softhsm().Uri()};
        break;
      case Place::kTpmSealed:
        options.keyholder_program = KeyholderProgram();
        options.tpm = TpmPlace{OneTpm().Tcti(), directory_.path(), "", {7, 16}};
        break;
      case Place::kTpmResident:
        options.keyholder_program = KeyholderProgram();
        options.tpm = TpmPlace{OneTpm().Tcti(), "", "", {}};
        break;
    }
    absl::StatusOr<std::unique_ptr<KeyStore>> store = KeyStore::Create(options);
    EXPECT_OK(store);
    return *std::move(store);
  }

  // Handles are all that names a key that stays in a TPM.
  bool HasNames() const { return place() != Place::kTpmResident; }
  // swtpm serves one client after the other.
  bool ServesOneStore() const {
    return place() == Place::kTpmResident || place() == Place::kTpmSealed;
  }

  Place place() const { return std::get<0>(GetParam()); }
  KeyType type() const { return std::get<1>(GetParam()); }

  // One token serves all tests, so each has a key name of its own.
  static inline int keys_made_ = 0;
  TemporaryDirectory directory_;
  std::unique_ptr<KeyStore> store_;
  std::string uri_;
};

TEST_P(SigningKeyConformance, SignsWhatOpensslVerifies) {
  ASSERT_OK_AND_ASSIGN(const auto key, store_->Generate(uri_, type()));
  EXPECT_EQ(key->type(), type());
  for (const std::string& message :
       {std::string(), std::string("message"), std::string(100'000, '\0')}) {
    ASSERT_OK_AND_ASSIGN(const std::string signature, key->Sign(message));
    EXPECT_TRUE(OpensslVerifies(*key, message, signature)) << message.size();
    EXPECT_FALSE(OpensslVerifies(*key, message + "x", signature)) << message.size();
  }
}

TEST_P(SigningKeyConformance, IsTheSameWhenOpenedAgain) {
  ASSERT_OK_AND_ASSIGN(auto made, store_->Generate(uri_, type()));
  const std::string public_key = made->public_key();
  const auto is_the_same = [&](SigningKey& key) {
    EXPECT_EQ(key.type(), type());
    EXPECT_EQ(key.public_key(), public_key);
    ASSERT_OK_AND_ASSIGN(const std::string signature, key.Sign("message"));
    EXPECT_OK(VerifySignature(public_key, type(), "message", signature));
  };
  ASSERT_OK_AND_ASSIGN(auto opened, store_->Open(uri_));
  is_the_same(*opened);
  if (ServesOneStore()) {
    made.reset();
    opened.reset();
    store_.reset();
  }
  const std::unique_ptr<KeyStore> other_store = NewStore();
  ASSERT_OK_AND_ASSIGN(const auto opened_elsewhere, other_store->Open(uri_));
  is_the_same(*opened_elsewhere);
  EXPECT_OK(other_store->Destroy(uri_));
}

// What the process signs itself is verified by sample, everything else always: a place that says
// so wrongly lets a token's signatures out unverified.
TEST_P(SigningKeyConformance, SaysWhetherItSignsInThisProcess) {
  const bool in_process = place() == Place::kSoftware || place() == Place::kTpmSealed;
  ASSERT_OK_AND_ASSIGN(const auto made, store_->Generate(uri_, type()));
  EXPECT_EQ(made->signs_in_process(), in_process);
  ASSERT_OK_AND_ASSIGN(const auto opened, store_->Open(uri_));
  EXPECT_EQ(opened->signs_in_process(), in_process);
}

TEST_P(SigningKeyConformance, IsListed) {
  ASSERT_OK_AND_ASSIGN(const auto key, store_->Generate(uri_, type()));
  const auto find = [&]() -> std::optional<KeyStore::StoredKey> {
    const std::vector<KeyStore::Place> places = store_->List();
    EXPECT_EQ(places.size(), 1u);
    EXPECT_OK(places.front().status);
    for (const KeyStore::StoredKey& stored : places.front().keys) {
      if (stored.public_key == key->public_key()) return stored;
    }
    return std::nullopt;
  };
  const auto listed = find();
  ASSERT_TRUE(listed.has_value());
  EXPECT_EQ(listed->type, type());
  EXPECT_EQ(listed->unfit_because, "");
  // A token's with the id that the key was given.
  EXPECT_THAT(listed->uri, testing::StartsWith(uri_));
  ASSERT_OK(store_->Open(listed->uri));
  ASSERT_OK(store_->Destroy(listed->uri));
  EXPECT_FALSE(find().has_value());
}

TEST_P(SigningKeyConformance, IsOutOfServiceInEveryObject) {
  ASSERT_OK_AND_ASSIGN(const auto key, store_->Generate(uri_, type()));
  ASSERT_OK_AND_ASSIGN(const auto again, store_->Open(uri_));
  ASSERT_OK(again->Sign("message"));
  key->TakeOutOfService();
  EXPECT_THAT(key->Sign("message"), FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_THAT(again->Sign("message"), FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_THAT(store_->Open(uri_), FailsWith(ErrorReason::kKeyMismatch));
}

TEST_P(SigningKeyConformance, OutlivesTheStore) {
  ASSERT_OK_AND_ASSIGN(const auto key, store_->Generate(uri_, type()));
  store_.reset();
  ASSERT_OK_AND_ASSIGN(const std::string signature, key->Sign("message"));
  EXPECT_OK(VerifySignature(key->public_key(), type(), "message", signature));
}

TEST_P(SigningKeyConformance, AnExistingNameIsNotTakenTwice) {
  ASSERT_OK_AND_ASSIGN(const auto first, store_->Generate(uri_, type()));
  EXPECT_THAT(store_->Generate(uri_, type()), FailsWith(ErrorReason::kKeyExists));
  ASSERT_OK_AND_ASSIGN(const auto still, store_->Open(uri_));
  EXPECT_EQ(still->public_key(), first->public_key());
}

TEST_P(SigningKeyConformance, DestroyedIsGone) {
  ASSERT_OK_AND_ASSIGN(const auto first, store_->Generate(uri_, type()));
  ASSERT_OK(store_->Destroy(uri_));
  EXPECT_THAT(store_->Open(uri_), FailsWith(ErrorReason::kKeyNotFound));
  EXPECT_THAT(store_->Destroy(uri_), FailsWith(ErrorReason::kKeyNotFound));
  ASSERT_OK_AND_ASSIGN(const auto second, store_->Generate(uri_, type()));
  EXPECT_NE(second->public_key(), first->public_key());
}

TEST_P(SigningKeyConformance, AMissingKeyIsNotFound) {
  EXPECT_THAT(store_->Open(uri_), FailsWith(ErrorReason::kKeyNotFound));
  EXPECT_THAT(store_->Destroy(uri_), FailsWith(ErrorReason::kKeyNotFound));
  ASSERT_OK(store_->Generate(uri_, type()));
  EXPECT_OK(store_->Open(uri_));
}

TEST_P(SigningKeyConformance, SignsFromEightThreads) {
  ASSERT_OK_AND_ASSIGN(const auto key, store_->Generate(uri_, type()));
  ASSERT_OK_AND_ASSIGN(const VerifyingKey verifier, VerifyingKey::FromPublicKey(key->public_key()));
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 10; ++i) {
        const std::string message = absl::StrCat(thread, "/", i);
        const absl::StatusOr<std::string> signature = key->Sign(message);
        ASSERT_OK(signature);
        EXPECT_OK(verifier.Verify(message, *signature));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(SigningKeyConformance, RefusesUnsafeNames) {
  if (!HasNames()) {
    EXPECT_THAT(store_->DefaultUri("a-Z_0.9"), FailsWith(ErrorReason::kKeyUriInvalid, "key_uri"));
    for (const char* handle : {"", "0x01010001", "0x81800000", "root", "../0x81010001"}) {
      EXPECT_THAT(store_->Generate(absl::StrCat("tpm:handle=", handle), type()),
                  FailsWith(ErrorReason::kKeyUriInvalid, "key_uri"))
          << handle;
    }
    return;
  }
  EXPECT_OK(store_->DefaultUri("a-Z_0.9"));
  for (const char* name : {"", ".", "..", ".hidden", "../up", "a/b", "a b", "a%2fb", "a?b"}) {
    EXPECT_THAT(store_->DefaultUri(name), FailsWith(ErrorReason::kKeyUriInvalid, "key_uri"))
        << name;
    const std::string uri = uri_.substr(0, uri_.find("key-")) + name;
    EXPECT_THAT(store_->Generate(uri, type()), FailsWith(ErrorReason::kKeyUriInvalid, "key_uri"))
        << name;
  }
}

std::string NameOf(const testing::TestParamInfo<SigningKeyConformance::ParamType>& info) {
  std::string type(KeyTypeName(std::get<1>(info.param)));
  type.erase(type.find('-'), 1);
  for (const PlaceName& place : kPlaceNames) {
    if (place.place == std::get<0>(info.param)) return absl::StrCat(place.name, "_", type);
  }
  return type;
}

INSTANTIATE_TEST_SUITE_P(Software, SigningKeyConformance,
                         testing::Combine(testing::Values(Place::kSoftware),
                                          testing::ValuesIn(kAllKeyTypes)),
                         NameOf);

// SoftHSM takes seconds for each RSA-4096 key; the test after this one makes a single one.
INSTANTIATE_TEST_SUITE_P(Softhsm, SigningKeyConformance,
                         testing::Combine(testing::Values(Place::kSofthsm),
                                          testing::Values(KeyType::kEcP256, KeyType::kEcP384,
                                                          KeyType::kRsa2048, KeyType::kRsa3072)),
                         NameOf);

INSTANTIATE_TEST_SUITE_P(SofthsmWorkers, SigningKeyConformance,
                         testing::Combine(testing::Values(Place::kSofthsmWorkers),
                                          testing::Values(KeyType::kEcP256, KeyType::kEcP384,
                                                          KeyType::kRsa2048, KeyType::kRsa3072)),
                         NameOf);

INSTANTIATE_TEST_SUITE_P(TpmSealed, SigningKeyConformance,
                         testing::Combine(testing::Values(Place::kTpmSealed),
                                          testing::ValuesIn(kAllKeyTypes)),
                         NameOf);

// A TPM knows no RSA-4096.
INSTANTIATE_TEST_SUITE_P(TpmResident, SigningKeyConformance,
                         testing::Combine(testing::Values(Place::kTpmResident),
                                          testing::Values(KeyType::kEcP256, KeyType::kEcP384,
                                                          KeyType::kRsa2048, KeyType::kRsa3072)),
                         NameOf);

TEST(SofthsmRsa4096Test, SignsWhatOpensslVerifies) {
  KeyStoreOptions options;
  options.tokens = {Softhsm().Uri()};
  ASSERT_OK_AND_ASSIGN(const auto store, KeyStore::Create(options));
  ASSERT_OK_AND_ASSIGN(
      const auto key, store->Generate("pkcs11:token=hourglass;object=rsa-4096", KeyType::kRsa4096));
  EXPECT_EQ(key->type(), KeyType::kRsa4096);
  ASSERT_OK_AND_ASSIGN(const std::string signature, key->Sign("message"));
  EXPECT_TRUE(OpensslVerifies(*key, "message", signature));
  EXPECT_FALSE(OpensslVerifies(*key, "massage", signature));
}

}  // namespace
}  // namespace hourglass::hsm
