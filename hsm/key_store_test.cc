#include "hsm/key_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "hsm/key_type.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kToken[] = "pkcs11:token=ca?module-path=/m.so&pin-source=file:/pin";

const SofthsmToken& Softhsm() {
  static const SofthsmToken token;
  return token;
}

class KeyStoreTest : public testing::Test {
 protected:
  static absl::StatusOr<std::unique_ptr<KeyStore>> WithTokens(std::vector<std::string> tokens) {
    KeyStoreOptions options;
    options.tokens = std::move(tokens);
    return KeyStore::Create(options);
  }

  static absl::StatusOr<std::unique_ptr<KeyStore>> WithFolder(const std::string& folder) {
    KeyStoreOptions options;
    options.software_directory = folder;
    return KeyStore::Create(options);
  }

  TemporaryDirectory directory_;
};

TEST_F(KeyStoreTest, CreateTouchesNoToken) { EXPECT_OK(WithTokens({kToken})); }

TEST_F(KeyStoreTest, CreateNamesTheFieldAtFault) {
  const auto invalid = [](const std::string& field) {
    return FailsWith(ErrorReason::kConfigurationInvalid, field);
  };
  EXPECT_THAT(WithTokens({"softhsm"}), invalid("keys.tokens[0]"));
  EXPECT_THAT(WithTokens({kToken, "pkcs11:token=b"}), invalid("keys.tokens[1]"));
  EXPECT_THAT(WithTokens({kToken, "pkcs11:token=ca?module-path=/n.so&pin-source=env:P"}),
              invalid("keys.tokens[1]"));
  const auto with_pin = WithTokens({"pkcs11:token=ca?module-path=/m.so&pin-value=8642"});
  EXPECT_THAT(with_pin, invalid("keys.tokens[0]"));
  EXPECT_THAT(with_pin.status().ToString(), Not(HasSubstr("8642")));
  EXPECT_THAT(WithFolder("relative"), invalid("keys.software_directory"));
  EXPECT_THAT(WithFolder(directory_.File("a/b")), invalid("keys.software_directory"));
  EXPECT_THAT(WithFolder(directory_.Write("file", "")), invalid("keys.software_directory"));
  for (const int sessions : {-1, 0, 1025}) {
    KeyStoreOptions options;
    options.sessions_per_token = sessions;
    EXPECT_THAT(KeyStore::Create(options), invalid("keys.sessions_per_token"));
  }
}

TEST_F(KeyStoreTest, AFolderThatOthersMayWriteToIsRefused) {
  ASSERT_OK(WithFolder(directory_.path()));
  ASSERT_EQ(chmod(directory_.path().c_str(), 0770), 0);
  EXPECT_THAT(WithFolder(directory_.path()),
              FailsWith(ErrorReason::kConfigurationInvalid, "keys.software_directory"));
}

TEST_F(KeyStoreTest, DefaultPlaceIsTheFirstTokenThenTheFolder) {
  ASSERT_OK_AND_ASSIGN(
      const auto tokens,
      WithTokens({"pkcs11:token=a%20b;serial=1?module-path=/m&pin-source=env:P", kToken}));
  ASSERT_OK_AND_ASSIGN(const std::string in_token, tokens->DefaultUri("root"));
  EXPECT_EQ(in_token, "pkcs11:token=a%20b;serial=1;object=root");
  ASSERT_OK_AND_ASSIGN(const auto folder, WithFolder(directory_.path()));
  ASSERT_OK_AND_ASSIGN(const std::string in_folder, folder->DefaultUri("root"));
  EXPECT_EQ(in_folder, "software:root");
  ASSERT_OK_AND_ASSIGN(const auto nowhere, WithTokens({}));
  EXPECT_THAT(nowhere->DefaultUri("root"), FailsWith(ErrorReason::kKeyUriInvalid, "key"));
}

TEST_F(KeyStoreTest, CanonicalUriIsTheSameForEveryWriting) {
  const std::string token = "pkcs11:token=ca;serial=77?module-path=/m.so&pin-source=file:/pin";
  ASSERT_OK_AND_ASSIGN(const auto store, WithTokens({token}));
  for (const char* uri :
       {"pkcs11:token=ca;object=k", "pkcs11:object=k;serial=77;type=private;token=%63%61",
        "pkcs11:token=ca;object=k?module-path=/m.so&pin-source=file:/pin"}) {
    ASSERT_OK_AND_ASSIGN(const std::string canonical, store->CanonicalUri(uri));
    EXPECT_EQ(canonical, "pkcs11:token=ca;serial=77;object=k") << uri;
    ASSERT_OK_AND_ASSIGN(const std::string again, store->CanonicalUri(canonical));
    EXPECT_EQ(again, canonical);
  }
}

TEST_F(KeyStoreTest, OnlyConfiguredPlacesAreUsed) {
  ASSERT_OK_AND_ASSIGN(const auto store, WithTokens({kToken}));
  ASSERT_OK(store->CanonicalUri("pkcs11:token=ca;object=k"));
  for (const char* uri :
       {"software:k", "pkcs11:token=cb;object=k", "pkcs11:token=ca;serial=1;object=k",
        "pkcs11:token=ca;object=k?module-path=/other.so",
        "pkcs11:token=ca;object=k?pin-source=file:/other"}) {
    const auto refused = FailsWith(ErrorReason::kKeyUriInvalid, "key");
    EXPECT_THAT(store->CanonicalUri(uri), refused) << uri;
    EXPECT_THAT(store->Generate(uri, KeyType::kEcP256), refused) << uri;
    EXPECT_THAT(store->Open(uri), refused) << uri;
    EXPECT_THAT(store->Destroy(uri), refused) << uri;
  }
}

TEST_F(KeyStoreTest, AmbiguousTokensAreRefused) {
  ASSERT_OK_AND_ASSIGN(const auto store,
                       WithTokens({"pkcs11:token=ca;serial=1?module-path=/m&pin-source=env:P",
                                   "pkcs11:token=ca;serial=2?module-path=/m&pin-source=env:P"}));
  EXPECT_THAT(store->CanonicalUri("pkcs11:token=ca;object=k"),
              FailsWith(ErrorReason::kKeyUriInvalid, "key"));
  EXPECT_OK(store->CanonicalUri("pkcs11:token=ca;serial=2;object=k"));
}

TEST_F(KeyStoreTest, ASoftwareKeyIsAPrivatePemFileAndNothingElse) {
  const std::string folder = directory_.File("keys");
  ASSERT_OK_AND_ASSIGN(const auto store, WithFolder(folder));
  ASSERT_OK_AND_ASSIGN(const auto key, store->Generate("software:root.1", KeyType::kEcP384));
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  EXPECT_THAT(names, testing::ElementsAre("root.1.pem"));
  struct stat facts = {};
  ASSERT_EQ(stat((folder + "/root.1.pem").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600u);
  ASSERT_EQ(stat(folder.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0700u);
  const CommandResult spki =
      RunCommand({"openssl", "pkey", "-in", folder + "/root.1.pem", "-pubout", "-outform", "DER"});
  EXPECT_EQ(spki.output, key->public_key());
}

TEST_F(KeyStoreTest, ASoftwareKeyThatOthersCouldHaveReadIsUnfit) {
  ASSERT_OK_AND_ASSIGN(const auto store, WithFolder(directory_.path()));
  ASSERT_OK(store->Generate("software:k", KeyType::kEcP256));
  const std::string file = directory_.File("k.pem");
  for (const mode_t mode : {0640, 0604, 0660}) {
    ASSERT_EQ(chmod(file.c_str(), mode), 0);
    EXPECT_THAT(store->Open("software:k"), FailsWith(ErrorReason::kKeyUnfit, "software:k"));
  }
  ASSERT_EQ(chmod(file.c_str(), 0600), 0);
  EXPECT_OK(store->Open("software:k"));
  ASSERT_EQ(symlink(file.c_str(), directory_.File("link.pem").c_str()), 0);
  EXPECT_THAT(store->Open("software:link"), FailsWith(ErrorReason::kKeyUnfit, "software:link"));
  ASSERT_EQ(mkfifo(directory_.File("pipe.pem").c_str(), 0600), 0);
  EXPECT_THAT(store->Open("software:pipe"), FailsWith(ErrorReason::kKeyUnfit, "software:pipe"));
}

TEST_F(KeyStoreTest, ADamagedSoftwareKeyIsInvalid) {
  ASSERT_OK_AND_ASSIGN(const auto store, WithFolder(directory_.path()));
  ASSERT_OK(store->Generate("software:k", KeyType::kEcP256));
  ASSERT_OK(store->Open("software:k"));
  const std::string pem = ReadFileOrDie(directory_.File("k.pem"));
  for (const std::string& content : {std::string(), pem.substr(0, 100), std::string(20000, 'A')}) {
    directory_.Write("k.pem", content);
    EXPECT_THAT(store->Open("software:k"), FailsWith(ErrorReason::kKeyInvalid, "software:k"));
  }
}

// Of several who make the same key at once, one does.
void OneWins(KeyStore& store, const std::string& uri) {
  std::atomic<int> made = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto key = store.Generate(uri, KeyType::kEcP256);
      if (key.ok()) {
        ++made;
      } else {
        EXPECT_THAT(key, FailsWith(ErrorReason::kKeyExists));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
  EXPECT_OK(store.Open(uri));
}

TEST_F(KeyStoreTest, OneOfSeveralMakesASoftwareKey) {
  ASSERT_OK_AND_ASSIGN(const auto store, WithFolder(directory_.path()));
  for (int i = 0; i < 10; ++i) OneWins(*store, absl::StrCat("software:k", i));
}

TEST_F(KeyStoreTest, OneOfSeveralMakesATokenKey) {
  ASSERT_OK_AND_ASSIGN(const auto store, WithTokens({Softhsm().Uri()}));
  for (int i = 0; i < 10; ++i) OneWins(*store, absl::StrCat("pkcs11:token=hourglass;object=k", i));
}

TEST_F(KeyStoreTest, ATokenKeyIsMadeToSignAndNothingElse) {
  ASSERT_OK_AND_ASSIGN(const auto store, WithTokens({Softhsm().Uri()}));
  ASSERT_OK(store->Generate("pkcs11:token=hourglass;object=usage", KeyType::kRsa2048));
  const std::string listing = Softhsm().Tool({"--list-objects", "--type", "privkey"}).output;
  const std::string about = listing.substr(listing.find("usage"));
  EXPECT_THAT(about, HasSubstr("Usage:      sign\n"));
  EXPECT_THAT(about,
              HasSubstr("Access:     sensitive, always sensitive, never extractable, local"));
}

}  // namespace
}  // namespace hourglass::hsm
