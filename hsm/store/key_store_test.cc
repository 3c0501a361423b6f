#include "hsm/store/key_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "hsm/key/key_type.h"
#include "hsm/key/signature.h"
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
  EXPECT_THAT(nowhere->DefaultUri("root"), FailsWith(ErrorReason::kKeyUriInvalid, "key_uri"));
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
    const auto refused = FailsWith(ErrorReason::kKeyUriInvalid, "key_uri");
    EXPECT_THAT(store->CanonicalUri(uri), refused) << uri;
    EXPECT_THAT(store->Generate(uri, KeyType::kEcP256), refused) << uri;
    EXPECT_THAT(store->Open(uri), refused) << uri;
    EXPECT_THAT(store->Destroy(uri), refused) << uri;
  }
}

TEST_F(KeyStoreTest, AFolderBeforeANameMustBeTheConfigured) {
  ASSERT_OK_AND_ASSIGN(const auto store, WithFolder(directory_.path()));
  ASSERT_OK_AND_ASSIGN(const std::string uri,
                       store->CanonicalUri(absl::StrCat("software:", directory_.path(), "/k")));
  EXPECT_EQ(uri, "software:k");
  for (const std::string& other :
       {absl::StrCat("software:", directory_.path(), "/deeper/k"), std::string("software:/k")}) {
    EXPECT_THAT(store->CanonicalUri(other), FailsWith(ErrorReason::kKeyUriInvalid, "key_uri"));
  }
}

TEST_F(KeyStoreTest, AmbiguousTokensAreRefused) {
  ASSERT_OK_AND_ASSIGN(const auto store,
                       WithTokens({"pkcs11:token=ca;serial=1?module-path=/m&pin-source=env:P",
                                   "pkcs11:token=ca;serial=2?module-path=/m&pin-source=env:P"}));
  EXPECT_THAT(store->CanonicalUri("pkcs11:token=ca;object=k"),
              FailsWith(ErrorReason::kKeyUriInvalid, "key_uri"));
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

// Notes what it is told of keys.
class Listener : public KeyObserver {
 public:
  void CustodianChanged(absl::string_view, const CustodianStatus&) override {}
  void WorkerEnded(absl::string_view, int, absl::string_view) override {}
  void WorkerSaid(absl::string_view, absl::string_view) override {}
  void KeyTakenOutOfService(absl::string_view uri) override { taken_.emplace_back(uri); }
  const std::vector<std::string>& taken() const { return taken_; }

 private:
  std::vector<std::string> taken_;
};

TEST_F(KeyStoreTest, AKeyGoesOutOfServiceAsAWhole) {
  Listener listener;
  KeyStoreOptions options;
  options.tokens = {Softhsm().Uri()};
  options.software_directory = directory_.path();
  options.observer = &listener;
  ASSERT_OK_AND_ASSIGN(const auto store, KeyStore::Create(options));
  const std::string id = ";id=%01%02";
  for (const std::string& uri :
       {std::string("software:out"), std::string("pkcs11:token=hourglass;object=out")}) {
    const bool token = uri != "software:out";
    ASSERT_OK_AND_ASSIGN(const auto made,
                         store->Generate(token ? uri + id : uri, KeyType::kEcP256));
    ASSERT_OK_AND_ASSIGN(const auto opened, store->Open(uri));
    ASSERT_OK_AND_ASSIGN(const auto other, store->Generate(uri + "-other", KeyType::kEcP256));
    ASSERT_OK(opened->Sign("message"));
    const std::vector<absl::string_view> messages = {"one", "two", "three"};
    const auto signatures = opened->SignAll(messages);
    ASSERT_EQ(signatures.size(), messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) {
      ASSERT_OK(signatures[i].status());
      EXPECT_OK(
          VerifySignature(opened->public_key(), KeyType::kEcP256, messages[i], *signatures[i]));
    }
    EXPECT_TRUE(opened->SignAll({}).empty());
    made->TakeOutOfService();
    opened->TakeOutOfService();
    const auto refused = FailsWith(ErrorReason::kKeyMismatch, uri);
    EXPECT_THAT(made->Sign("message"), FailsWith(ErrorReason::kKeyMismatch));
    EXPECT_THAT(opened->Sign("message"), refused);
    EXPECT_THAT(opened->SignAll(messages),
                testing::AllOf(testing::SizeIs(3), testing::Each(refused)));
    EXPECT_THAT(store->Open(uri), refused);
    EXPECT_OK(other->Sign("message"));
    // Another process, or this one after its restart, asks the key anew.
    ASSERT_OK_AND_ASSIGN(const auto again, KeyStore::Create(options));
    EXPECT_OK(again->Open(uri));
  }
  EXPECT_THAT(listener.taken(),
              testing::ElementsAre("software:out", "pkcs11:token=hourglass;object=out;id=%01%02"));
}

TEST_F(KeyStoreTest, ListsEveryKeyOfEveryPlace) {
  KeyStoreOptions options;
  options.tokens = {Softhsm().Uri(),
                    "pkcs11:token=gone?module-path=/no/module.so&pin-source=env:P"};
  options.software_directory = directory_.path();
  ASSERT_OK_AND_ASSIGN(const auto store, KeyStore::Create(options));
  ASSERT_OK_AND_ASSIGN(
      const auto in_token,
      store->Generate("pkcs11:token=hourglass;object=listed;id=%0a", KeyType::kEcP384));
  ASSERT_OK_AND_ASSIGN(const auto in_file, store->Generate("software:k", KeyType::kRsa2048));
  directory_.Write("broken.pem", "");
  directory_.Write("no key.pem", "");
  in_file->TakeOutOfService();
  const std::vector<KeyStore::Place> places = store->List();
  ASSERT_EQ(places.size(), 3u);
  EXPECT_EQ(places[0].name, "pkcs11:token=hourglass");
  EXPECT_EQ(places[0].kind, "pkcs11");
  ASSERT_OK(places[0].status);
  const auto listed = std::find_if(
      places[0].keys.begin(), places[0].keys.end(), [](const KeyStore::StoredKey& key) {
        return key.uri == "pkcs11:token=hourglass;object=listed;id=%0a";
      });
  ASSERT_NE(listed, places[0].keys.end());
  EXPECT_EQ(listed->type, KeyType::kEcP384);
  EXPECT_EQ(listed->public_key, in_token->public_key());
  EXPECT_EQ(listed->unfit_because, "");
  EXPECT_FALSE(listed->out_of_service);
  EXPECT_EQ(places[1].name, "pkcs11:token=gone");
  EXPECT_THAT(places[1].status, FailsWith(ErrorReason::kKeyUnavailable, "pkcs11:token=gone"));
  EXPECT_EQ(places[2].name, "software:");
  EXPECT_EQ(places[2].kind, "software");
  ASSERT_EQ(places[2].keys.size(), 2u);
  EXPECT_EQ(places[2].keys[0].uri, "software:broken");
  EXPECT_NE(places[2].keys[0].unfit_because, "");
  EXPECT_EQ(places[2].keys[1].uri, "software:k");
  EXPECT_EQ(places[2].keys[1].public_key, in_file->public_key());
  EXPECT_TRUE(places[2].keys[1].out_of_service);
}

TEST_F(KeyStoreTest, SaysHowEachTokenFares) {
  KeyStoreOptions options;
  options.tokens = {Softhsm().Uri(),
                    "pkcs11:token=gone?module-path=/no/module.so&pin-source=env:P"};
  options.software_directory = directory_.path();
  ASSERT_OK_AND_ASSIGN(const auto store, KeyStore::Create(options));
  for (const auto& [name, status] : store->Status()) {
    EXPECT_EQ(status.state, CustodianStatus::State::kUnused) << name;
  }
  ASSERT_OK_AND_ASSIGN(const auto key,
                       store->Generate("pkcs11:token=hourglass;object=fares", KeyType::kEcP256));
  EXPECT_THAT(store->Open("pkcs11:token=gone;object=k"), FailsWith(ErrorReason::kKeyUnavailable));
  const auto all = store->Status();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].first, "pkcs11:token=hourglass");
  EXPECT_EQ(all[0].second.state, CustodianStatus::State::kHealthy);
  EXPECT_GE(all[0].second.signatures, 1u);
  EXPECT_EQ(all[0].second.logins, 1u);
  EXPECT_EQ(all[1].first, "pkcs11:token=gone");
  EXPECT_NE(all[1].second.state, CustodianStatus::State::kHealthy);
  EXPECT_NE(all[1].second.message, "");
}

TEST_F(KeyStoreTest, ATokenIsMadeReadyBeforeAnyKeyOfItIsOpened) {
  KeyStoreOptions options;
  options.tokens = {Softhsm().Uri(),
                    "pkcs11:token=gone?module-path=/no/module.so&pin-source=env:P"};
  options.software_directory = directory_.path();
  ASSERT_OK_AND_ASSIGN(const auto store, KeyStore::Create(options));
  EXPECT_OK(store->MakeReady("software:"));
  EXPECT_EQ(store->Status()[0].second.logins, 0u);
  EXPECT_OK(store->MakeReady("pkcs11:token=hourglass"));
  EXPECT_OK(store->MakeReady("pkcs11:token=hourglass"));
  EXPECT_EQ(store->Status()[0].second.logins, 1u);
  EXPECT_THAT(store->MakeReady("pkcs11:token=gone"),
              FailsWith(ErrorReason::kKeyUnavailable, "pkcs11:token=gone"));
  EXPECT_THAT(store->MakeReady("pkcs11:token=other"), FailsWith(ErrorReason::kKeyUriInvalid));
}

TEST_F(KeyStoreTest, AGivenIdIsNotTakenTwice) {
  ASSERT_OK_AND_ASSIGN(const auto store, WithTokens({Softhsm().Uri()}));
  const std::string uri = "pkcs11:token=hourglass;object=given;id=%07";
  ASSERT_OK_AND_ASSIGN(const auto first, store->Generate(uri, KeyType::kEcP256));
  EXPECT_THAT(store->Generate(uri, KeyType::kEcP256), FailsWith(ErrorReason::kKeyExists));
  EXPECT_THAT(store->Generate("pkcs11:token=hourglass;object=given", KeyType::kEcP256),
              FailsWith(ErrorReason::kKeyExists));
  ASSERT_OK_AND_ASSIGN(const auto still, store->Open(uri));
  EXPECT_EQ(still->public_key(), first->public_key());
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
