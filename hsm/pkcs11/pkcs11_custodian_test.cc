#include "hsm/pkcs11/pkcs11_custodian.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/key/key_type.h"
#include "hsm/key/signature.h"
#include "hsm/pkcs11/module.h"
#include "hsm/pkcs11/session_pool.h"
#include "hsm/pkcs11/token_objects.h"
#include "tests/fakes/faulty_pkcs11.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using State = CustodianStatus::State;

// SoftHSM sees no token that is added later; each test has a token of its own.
const SofthsmToken& Softhsm() {
  static const SofthsmToken softhsm({"signing", "generating", "halves", "destroying", "listing",
                                     "status", "gone", "many", "again", "lost", "paired", "race"});
  return softhsm;
}

std::unique_ptr<KeyCustodian> Custodian(const std::string& label) {
  return CreatePkcs11Custodian(*ParseTokenUri(Softhsm().Uri(label)), {});
}

void Tool(const std::string& token, const std::vector<std::string>& arguments) {
  const CommandResult result = Softhsm().Tool(arguments, token);
  ASSERT_EQ(result.exit_code, 0) << result.output;
}

std::string HashOf(KeyType type, absl::string_view message) { return *Digest(type, message); }

// Makes pairs without looking, as a full token may be searched but slowly.
void Populate(const std::string& label, int keys) {
  SessionPool pool(*ParseTokenUri(Softhsm().Uri(label)), {});
  ASSERT_OK(pool.Use(SessionPool::Access::kWrite, [&](Session& session) -> absl::Status {
    for (int i = 0; i < keys; ++i) {
      const std::string name = absl::StrCat("key-", i);
      const absl::Status made = GenerateKeyPair(session, KeyType::kEcP256, {name, name}).status();
      if (!made.ok()) return made;
    }
    return absl::OkStatus();
  }));
}

absl::Status Works(KeyCustodian& custodian, const CustodialKey& key) {
  const absl::StatusOr<std::string> signature =
      custodian.SignDigest(key, HashOf(key.type, "message"));
  if (!signature.ok()) return signature.status();
  return VerifySignature(key.public_key, key.type, "message", *signature);
}

TEST(Pkcs11CustodianTest, SaysWhatTheTokenIs) {
  const auto custodian = Custodian("signing");
  EXPECT_EQ(custodian->name(), "pkcs11:token=signing");
  ASSERT_OK_AND_ASSIGN(const CustodianFacts facts, custodian->Greet());
  EXPECT_EQ(facts.manufacturer, "SoftHSM project");
  EXPECT_EQ(facts.model, "SoftHSM v2");
  EXPECT_EQ(facts.most_sessions, 0);
  EXPECT_FALSE(facts.one_process_only);
  EXPECT_TRUE(facts.software);
}

TEST(Pkcs11CustodianTest, SignsWithEveryTypeOfKey) {
  const auto custodian = Custodian("signing");
  for (const KeyType type : kAllKeyTypes) {
    const std::string label(KeyTypeName(type));
    ASSERT_OK_AND_ASSIGN(const CustodialKey key, custodian->Generate({label, "\x01"}, type));
    EXPECT_EQ(key.selector, (KeySelector{label, "\x01"}));
    EXPECT_EQ(key.type, type);
    EXPECT_OK(Works(*custodian, key));
    ASSERT_OK_AND_ASSIGN(const CustodialKey opened, custodian->Open({label, ""}));
    EXPECT_EQ(opened.selector, key.selector);
    EXPECT_EQ(opened.type, type);
    EXPECT_EQ(opened.public_key, key.public_key);
  }
}

TEST(Pkcs11CustodianTest, SignsOnlyDigestsOfTheirLength) {
  const auto custodian = Custodian("signing");
  for (const KeyType type : {KeyType::kEcP256, KeyType::kEcP384, KeyType::kRsa2048}) {
    ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                         custodian->Generate({absl::StrCat("d", KeyTypeName(type)), "\x02"}, type));
    const std::string digest = HashOf(type, "message");
    EXPECT_OK(custodian->SignDigest(key, digest));
    for (const std::string& wrong :
         {std::string(), digest.substr(1), digest + "x", std::string(64, 'x')}) {
      EXPECT_THAT(custodian->SignDigest(key, wrong),
                  FailsWith(ErrorReason::kInternalError, "digest"));
    }
  }
}

// The same key deleted and made again under its name must not sign for the first one.
TEST(Pkcs11CustodianTest, AnotherKeyUnderTheSameNameDoesNotSign) {
  const auto custodian = Custodian("signing");
  const KeySelector selector = {"replaced", "\x0a"};
  ASSERT_OK_AND_ASSIGN(const CustodialKey first, custodian->Generate(selector, KeyType::kEcP256));
  ASSERT_OK(Works(*custodian, first));
  Tool("signing", {"--delete-object", "--type", "privkey", "--id", "0a", "--label", "replaced"});
  Tool("signing", {"--delete-object", "--type", "pubkey", "--id", "0a", "--label", "replaced"});
  EXPECT_THAT(Works(*custodian, first), FailsWith(ErrorReason::kKeyNotFound));
  Tool("signing", {"--keypairgen", "--key-type", "EC:prime256v1", "--label", "replaced", "--id",
                   "0a", "--usage-sign"});
  EXPECT_THAT(Works(*custodian, first), FailsWith(ErrorReason::kKeyMismatch));
  ASSERT_OK_AND_ASSIGN(const CustodialKey second, custodian->Open(selector));
  EXPECT_OK(Works(*custodian, second));
}

TEST(Pkcs11CustodianTest, GenerateIsIdempotent) {
  const auto custodian = Custodian("generating");
  const KeySelector selector = {"once", "\x01"};
  ASSERT_OK_AND_ASSIGN(const CustodialKey made, custodian->Generate(selector, KeyType::kEcP256));
  ASSERT_OK_AND_ASSIGN(const CustodialKey again, custodian->Generate(selector, KeyType::kEcP256));
  EXPECT_EQ(again.public_key, made.public_key);
  EXPECT_THAT(custodian->Generate(selector, KeyType::kEcP384), FailsWith(ErrorReason::kKeyExists));
  EXPECT_THAT(custodian->Generate({"once", "\x02"}, KeyType::kEcP256),
              FailsWith(ErrorReason::kKeyExists));
  EXPECT_THAT(custodian->Generate({"once", ""}, KeyType::kEcP256),
              FailsWith(ErrorReason::kInternalError));
  ASSERT_OK_AND_ASSIGN(const auto all, custodian->List());
  EXPECT_THAT(all, SizeIs(1));
  Tool("generating", {"--keypairgen", "--key-type", "EC:prime256v1", "--label", "unfit", "--id",
                      "07", "--usage-sign", "--extractable"});
  EXPECT_THAT(custodian->Generate({"unfit", "\x07"}, KeyType::kEcP256),
              FailsWith(ErrorReason::kKeyExists));
}

size_t CountKeyObjects(const std::string& token) {
  const CommandResult objects = Softhsm().Tool({"--list-objects"}, token);
  size_t count = 0;
  for (size_t at = 0; (at = objects.output.find("Key Object", at)) != std::string::npos; ++at) {
    ++count;
  }
  return count;
}

TEST(Pkcs11CustodianTest, GenerateReplacesALonePublicHalfOfItsOwnNameOnly) {
  const auto custodian = Custodian("halves");
  const KeySelector selector = {"public", "\x05"};
  ASSERT_OK_AND_ASSIGN(const CustodialKey first, custodian->Generate(selector, KeyType::kEcP256));
  Tool("halves", {"--delete-object", "--type", "privkey", "--label", "public", "--id", "05"});
  EXPECT_THAT(custodian->Generate({"public", "\x06"}, KeyType::kEcP256),
              FailsWith(ErrorReason::kKeyExists));
  ASSERT_OK_AND_ASSIGN(const CustodialKey second, custodian->Generate(selector, KeyType::kEcP256));
  EXPECT_NE(second.public_key, first.public_key);
  EXPECT_OK(Works(*custodian, second));
  EXPECT_FALSE(Works(*custodian, first).ok());
  EXPECT_EQ(CountKeyObjects("halves"), 2);
}

// It may be all that is left of a root: the public half can be made anew, the private one cannot.
TEST(Pkcs11CustodianTest, GenerateDestroysNoPrivateKeyWhosePublicHalfIsLost) {
  const auto custodian = Custodian("lost");
  const KeySelector selector = {"root", "\x05"};
  ASSERT_OK(custodian->Generate(selector, KeyType::kEcP256));
  Tool("lost", {"--read-object", "--type", "pubkey", "--label", "root", "-o",
                Softhsm().Folder("lost") + ".public"});
  Tool("lost", {"--delete-object", "--type", "pubkey", "--label", "root", "--id", "05"});
  const absl::Status refused = custodian->Generate(selector, KeyType::kEcP256).status();
  EXPECT_THAT(refused, FailsWith(ErrorReason::kKeyExists, "pkcs11:token=lost"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("destroy it"));
  // It signs again once the public half is back.
  Tool("lost", {"--write-object", Softhsm().Folder("lost") + ".public", "--type", "pubkey",
                "--label", "root", "--id", "05", "--usage-sign"});
  ASSERT_OK_AND_ASSIGN(const CustodialKey key, custodian->Open(selector));
  EXPECT_OK(Works(*custodian, key));
  // And what the message says helps.
  Tool("lost", {"--delete-object", "--type", "pubkey", "--label", "root", "--id", "05"});
  EXPECT_OK(custodian->Destroy(selector));
  EXPECT_OK(custodian->Generate(selector, KeyType::kEcP256));
}

// CKA_ID alone pairs the halves where their labels differ.
TEST(Pkcs11CustodianTest, GenerateDestroysNoPublicHalfOfAKeyWithAnotherLabel) {
  const auto custodian = Custodian("paired");
  ASSERT_OK(custodian->Generate({"private", "\x07"}, KeyType::kEcP256));
  Tool("paired", {"--delete-object", "--type", "pubkey", "--label", "private"});
  ASSERT_OK(custodian->Generate({"public", "\x08"}, KeyType::kEcP256));
  Tool("paired", {"--delete-object", "--type", "privkey", "--label", "public"});
  Tool("paired", {"--set-id", "07", "--type", "pubkey", "--label", "public", "--id", "08"});
  EXPECT_THAT(custodian->Generate({"public", "\x07"}, KeyType::kEcP256),
              FailsWith(ErrorReason::kKeyExists, "pkcs11:token=paired"));
  EXPECT_EQ(CountKeyObjects("paired"), 2);
}

// Another process may be as far as this one, or farther: its key may be in use already.
TEST(Pkcs11CustodianTest, WhoLosesTheRaceToMakeAKeyTakesOnlyHisOwnBack) {
  FaultyPkcs11 faulty;
  const TokenUri token = *ParseTokenUri(faulty.Through(Softhsm().Uri("race")));
  const KeySelector selector = {"root", "\x09"};
  const auto slow = CreatePkcs11Custodian(token, {});
  ASSERT_OK(slow->Greet());
  faulty.Set({"C_GenerateKeyPair 1 stall"});
  absl::Status outcome;
  std::thread racer([&] { outcome = slow->Generate(selector, KeyType::kEcP256).status(); });
  // Two searches for the name and two for its label come before it.
  while (faulty.Count("C_GenerateKeyPair") == 0) std::this_thread::yield();
  const auto fast = Custodian("race");
  const absl::StatusOr<CustodialKey> made = fast->Generate(selector, KeyType::kEcP256);
  faulty.Clear();
  racer.join();
  ASSERT_OK(made);
  EXPECT_THAT(outcome, FailsWith(ErrorReason::kKeyExists));
  EXPECT_OK(Works(*fast, *made));
  EXPECT_THAT(*fast->List(), SizeIs(1));
  EXPECT_OK(fast->Open(selector));
}

TEST(Pkcs11CustodianTest, DestroyTakesBothHalvesAndNoOther) {
  const auto custodian = Custodian("destroying");
  ASSERT_OK(custodian->Generate({"doomed", "\x01"}, KeyType::kEcP256));
  ASSERT_OK_AND_ASSIGN(const CustodialKey other,
                       custodian->Generate({"other", "\x01"}, KeyType::kEcP256));
  EXPECT_OK(custodian->Destroy({"doomed", ""}));
  EXPECT_THAT(custodian->Destroy({"doomed", ""}), FailsWith(ErrorReason::kKeyNotFound));
  EXPECT_THAT(Softhsm().Tool({"--list-objects"}, "destroying").output,
              testing::Not(HasSubstr("doomed")));
  EXPECT_OK(Works(*custodian, other));
}

TEST(Pkcs11CustodianTest, ListsEveryKeyAndWhyItIsUnfit) {
  const auto custodian = Custodian("listing");
  EXPECT_THAT(*custodian->List(), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const CustodialKey fit,
                       custodian->Generate({"fit", "\x01"}, KeyType::kRsa2048));
  Tool("listing", {"--keypairgen", "--key-type", "EC:secp521r1", "--label", "p521", "--id", "02",
                   "--usage-sign"});
  Tool("listing", {"--keypairgen", "--key-type", "EC:prime256v1", "--id", "00ff", "--usage-sign",
                   "--extractable"});
  Tool("listing", {"--keypairgen", "--key-type", "EC:prime256v1", "--label", "alone", "--id", "03",
                   "--usage-sign"});
  Tool("listing", {"--delete-object", "--type", "pubkey", "--label", "alone"});
  ASSERT_OK_AND_ASSIGN(const auto all, custodian->List());
  ASSERT_THAT(all, SizeIs(4));
  for (const KeyListing& key : all) {
    if (key.selector.label == "fit") {
      EXPECT_EQ(key.selector.id, "\x01");
      EXPECT_EQ(key.type, KeyType::kRsa2048);
      EXPECT_EQ(key.public_key, fit.public_key);
      EXPECT_EQ(key.unfit_because, "");
    } else if (key.selector.label == "p521") {
      EXPECT_EQ(key.type, std::nullopt);
      EXPECT_THAT(key.unfit_because, HasSubstr("curve"));
    } else if (key.selector.label == "alone") {
      EXPECT_EQ(key.public_key, "");
      EXPECT_THAT(key.unfit_because, HasSubstr("no public key"));
    } else {
      EXPECT_EQ(key.selector, (KeySelector{"", std::string("\x00\xff", 2)}));
      EXPECT_EQ(key.type, KeyType::kEcP256);
      EXPECT_THAT(key.unfit_because, HasSubstr("EXTRACTABLE"));
    }
  }
}

TEST(Pkcs11CustodianTest, TellsHowItFares) {
  const auto custodian = Custodian("status");
  EXPECT_EQ(custodian->Status().state, State::kUnused);
  EXPECT_EQ(custodian->Status().sessions, 0);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"k", "\x01"}, KeyType::kEcP256));
  EXPECT_OK(Works(*custodian, key));
  CustodianStatus status = custodian->Status();
  EXPECT_EQ(status.state, State::kHealthy);
  EXPECT_EQ(status.message, "");
  EXPECT_EQ(status.signatures, 1);
  EXPECT_EQ(status.logins, 1);
  EXPECT_EQ(status.sessions, 2);
  EXPECT_EQ(status.workers, 0);
  EXPECT_THAT(status.errors, IsEmpty());
  // A loss that healed counts too.
  ASSERT_OK_AND_ASSIGN(const TokenUri token, ParseTokenUri(Softhsm().Uri("status")));
  ASSERT_OK_AND_ASSIGN(Module* const module, Module::Load(token));
  ASSERT_OK_AND_ASSIGN(const CK_SLOT_ID slot, module->FindSlot(token));
  ASSERT_EQ(module->api().C_CloseAllSessions(slot), CKR_OK);
  EXPECT_OK(Works(*custodian, key));
  EXPECT_THAT(custodian->Open({"missing", ""}), FailsWith(ErrorReason::kKeyNotFound));
  status = custodian->Status();
  EXPECT_EQ(status.state, State::kHealthy);
  EXPECT_EQ(status.logins, 2);
  EXPECT_EQ(status.signatures, 2);
  EXPECT_THAT(status.errors, UnorderedElementsAre(Pair("CKR_SESSION_HANDLE_INVALID", 1),
                                                  Pair("KEY_NOT_FOUND", 1)));
}

// SoftHSM goes on as if nothing were, but for finding no object; and stays so once the token is
// back.
TEST(Pkcs11CustodianTest, ATokenThatHasGoneNeedsANewCustodian) {
  const auto custodian = Custodian("gone");
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"k", "\x01"}, KeyType::kEcP256));
  ASSERT_OK(Works(*custodian, key));
  const std::string folder = Softhsm().Folder("gone");
  const TemporaryDirectory elsewhere;
  std::filesystem::rename(folder, elsewhere.File("token"));
  const absl::Status gone = Works(*custodian, key);
  EXPECT_THAT(gone, FailsWith(ErrorReason::kKeyUnavailable, "pkcs11:token=gone"));
  EXPECT_TRUE(NeedsNewCustodian(gone));
  EXPECT_TRUE(NeedsNewCustodian(custodian->Open(key.selector).status()));
  EXPECT_TRUE(NeedsNewCustodian(custodian->List().status()));
  EXPECT_EQ(custodian->Status().state, State::kFailed);
  std::filesystem::rename(elsewhere.File("token"), folder);
  const absl::Status back = Works(*custodian, key);
  EXPECT_TRUE(back.ok() || NeedsNewCustodian(back)) << back.ToString();
}

// Where a search takes as long as there are objects, one a key would make restarts of a full token
// last for minutes.
TEST(Pkcs11CustodianTest, ManyKeysAreFoundWithFewSearches) {
  constexpr int kKeys = 60;
  Populate("many", kKeys);
  FaultyPkcs11 counting;
  const auto custodian =
      CreatePkcs11Custodian(*ParseTokenUri(counting.Through(Softhsm().Uri("many"))), {});
  const auto searches = [&] { return counting.Count("C_FindObjectsInit"); };
  ASSERT_OK_AND_ASSIGN(const auto all, custodian->List());
  ASSERT_THAT(all, SizeIs(kKeys));
  EXPECT_EQ(searches(), 2);
  std::vector<CustodialKey> keys;
  for (const KeyListing& key : all) {
    ASSERT_EQ(key.unfit_because, "") << key.selector.label;
    keys.push_back({key.selector, *key.type, key.public_key});
  }
  for (const CustodialKey& key : keys) ASSERT_OK(Works(*custodian, key));
  EXPECT_LE(searches(), 10);
  const auto before = searches();
  for (const CustodialKey& key : keys) ASSERT_OK(Works(*custodian, key));
  EXPECT_EQ(searches(), before);
  // Keys that have come, gone, or been replaced since are noticed none the less.
  ASSERT_OK(custodian->Destroy(keys[0].selector));
  EXPECT_THAT(Works(*custodian, keys[0]), FailsWith(ErrorReason::kKeyNotFound));
  ASSERT_OK_AND_ASSIGN(const CustodialKey replaced,
                       custodian->Generate(keys[0].selector, KeyType::kEcP256));
  EXPECT_OK(Works(*custodian, replaced));
  EXPECT_THAT(Works(*custodian, keys[0]), FailsWith(ErrorReason::kKeyMismatch));
  ASSERT_OK_AND_ASSIGN(const CustodialKey late,
                       custodian->Generate({"late", "\x01"}, KeyType::kEcP256));
  EXPECT_OK(Works(*custodian, late));
}

// The handles of a login that is over are of no use, nor are those that were read but not used yet.
TEST(Pkcs11CustodianTest, ManyKeysAreFoundAgainAfterANewLogin) {
  constexpr int kKeys = 20;
  Populate("again", kKeys);
  FaultyPkcs11 faulty;
  const auto custodian =
      CreatePkcs11Custodian(*ParseTokenUri(faulty.Through(Softhsm().Uri("again"))), {});
  ASSERT_OK_AND_ASSIGN(const auto all, custodian->List());
  std::vector<CustodialKey> keys;
  for (const KeyListing& key : all) keys.push_back({key.selector, *key.type, key.public_key});
  for (int i = 0; i < kKeys / 2; ++i) ASSERT_OK(Works(*custodian, keys[i]));
  faulty.Set({"C_SignInit 1 forget-login"});
  for (const CustodialKey& key : keys) EXPECT_OK(Works(*custodian, key));
  EXPECT_EQ(custodian->Status().logins, 2);
}

}  // namespace
}  // namespace hourglass::hsm
