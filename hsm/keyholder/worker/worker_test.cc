#include "hsm/keyholder/worker/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/key/key_type.h"
#include "hsm/key/key_uri.h"
#include "hsm/key/signature.h"
#include "hsm/keyholder/protocol/packet.h"
#include "hsm/keyholder/protocol/protocol.h"
#include "tests/fakes/faulty_pkcs11.h"
#include "tests/support/keyholder.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"
#include "tests/support/swtpm.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const SofthsmToken& Softhsm() {
  static const SofthsmToken softhsm({"signing", "listing"});
  return softhsm;
}

std::unique_ptr<WorkerProcess> StartWorker(const TokenUri& token, int threads = 1) {
  absl::StatusOr<std::unique_ptr<WorkerProcess>> worker =
      WorkerProcess::Start(kKeyholderProgram, {token, threads});
  EXPECT_OK(worker);
  return *std::move(worker);
}

std::unique_ptr<WorkerProcess> StartWorker(absl::string_view token, int threads = 1) {
  return StartWorker(*ParseTokenUri(Softhsm().Uri(token)), threads);
}

keyholder::Request GenerateRequest(const std::string& label, KeyType type) {
  keyholder::Request request;
  WriteSelector({label, absl::StrCat("id of ", label)}, request.mutable_generate()->mutable_key());
  request.mutable_generate()->set_key_type(static_cast<int>(type));
  return request;
}

CustodialKey Generate(WorkerProcess& worker, const std::string& label, KeyType type) {
  const auto reply = Ask(worker, GenerateRequest(label, type));
  EXPECT_OK(reply);
  EXPECT_FALSE(reply->has_failure()) << reply->failure().message();
  const auto key = ReadKey(reply->key());
  EXPECT_OK(key);
  return *key;
}

keyholder::Request SignRequest(const CustodialKey& key, const std::vector<std::string>& digests) {
  keyholder::Request request;
  keyholder::SignBatch& batch = *request.mutable_sign();
  WriteSelector(key.selector, batch.mutable_key());
  batch.set_key_type(static_cast<int>(key.type));
  batch.set_public_key(key.public_key);
  for (const std::string& digest : digests) batch.add_digests(digest);
  return request;
}

std::string MessageNumber(int number) { return absl::StrCat("message ", number); }

std::vector<std::string> DigestsOfMessages(KeyType type, int count) {
  std::vector<std::string> digests;
  for (int i = 0; i < count; ++i) digests.push_back(*Digest(type, MessageNumber(i)));
  return digests;
}

void ExpectSignatures(const CustodialKey& key, const keyholder::Reply& reply, int count) {
  EXPECT_FALSE(reply.has_failure()) << reply.failure().message();
  ASSERT_THAT(reply.signatures(), SizeIs(count));
  for (int i = 0; i < count; ++i) {
    EXPECT_FALSE(reply.signatures(i).has_failure()) << reply.signatures(i).failure().message();
    EXPECT_OK(
        VerifySignature(key.public_key, key.type, MessageNumber(i), reply.signatures(i).octets()));
  }
}

absl::Status FailureOf(const absl::StatusOr<keyholder::Reply>& reply) {
  EXPECT_OK(reply);
  return reply->has_failure() ? ReadFailure(reply->failure()) : absl::OkStatus();
}

TEST(WorkerTest, MakesFindsSignsWithAndDestroysAKeyOfEachType) {
  const auto worker = StartWorker("signing");
  for (const KeyType type : {KeyType::kEcP256, KeyType::kEcP384, KeyType::kRsa2048}) {
    const std::string label = absl::StrCat("a ", KeyTypeName(type));
    const CustodialKey key = Generate(*worker, label, type);
    EXPECT_EQ(key.selector, (KeySelector{label, absl::StrCat("id of ", label)}));
    EXPECT_EQ(key.type, type);

    keyholder::Request open;
    WriteSelector({label, ""}, open.mutable_open());
    ASSERT_OK_AND_ASSIGN(const keyholder::Reply opened, Ask(*worker, open));
    ASSERT_OK_AND_ASSIGN(const CustodialKey found, ReadKey(opened.key()));
    EXPECT_EQ(found.selector, key.selector);
    EXPECT_EQ(found.public_key, key.public_key);

    ASSERT_OK_AND_ASSIGN(const keyholder::Reply reply,
                         Ask(*worker, SignRequest(key, DigestsOfMessages(type, 3))));
    ExpectSignatures(key, reply, 3);

    keyholder::Request destroy;
    WriteSelector(key.selector, destroy.mutable_destroy());
    EXPECT_OK(FailureOf(Ask(*worker, destroy)));
    EXPECT_THAT(FailureOf(Ask(*worker, open)), FailsWith(ErrorReason::kKeyNotFound));
  }
}

TEST(WorkerTest, SignsOnlyDigestsOfTheKeysSizeAndNoMoreThanABatch) {
  const auto worker = StartWorker("signing");
  const CustodialKey key = Generate(*worker, "careful", KeyType::kEcP256);
  const auto fine = Ask(*worker, SignRequest(key, DigestsOfMessages(key.type, kMostDigests)));
  ASSERT_OK(fine);
  ExpectSignatures(key, *fine, kMostDigests);

  for (const size_t size : {0, 20, 31, 33, 48, 64}) {
    const auto reply =
        Ask(*worker, SignRequest(key, {std::string(32, 'd'), std::string(size, 'd')}));
    EXPECT_THAT(FailureOf(reply), FailsWith(ErrorReason::kInternalError, "digests"));
    EXPECT_THAT(reply->signatures(), IsEmpty());
  }
  for (const int count : {0, kMostDigests + 1}) {
    EXPECT_THAT(FailureOf(Ask(*worker, SignRequest(key, DigestsOfMessages(key.type, count)))),
                FailsWith(ErrorReason::kInternalError, "digests"));
  }
  keyholder::Request unknown_type = SignRequest(key, {std::string(32, 'd')});
  unknown_type.mutable_sign()->set_key_type(99);
  EXPECT_THAT(FailureOf(Ask(*worker, unknown_type)),
              FailsWith(ErrorReason::kInternalError, "key_type"));
}

TEST(WorkerTest, SaysOfEachDigestWhyItWasNotSigned) {
  const auto worker = StartWorker("signing");
  CustodialKey key = Generate(*worker, "here", KeyType::kEcP256);
  key.selector = {"elsewhere", "none"};
  ASSERT_OK_AND_ASSIGN(const keyholder::Reply reply,
                       Ask(*worker, SignRequest(key, DigestsOfMessages(key.type, 2))));
  ASSERT_THAT(reply.signatures(), SizeIs(2));
  for (const keyholder::Signature& signature : reply.signatures()) {
    EXPECT_THAT(ReadFailure(signature.failure()),
                FailsWith(ErrorReason::kKeyNotFound, "pkcs11:token=signing"));
  }
}

TEST(WorkerTest, SignsNoMoreOfABatchOnceOnlyANewWorkerMayHelp) {
  FaultyPkcs11 faulty;
  const auto worker = StartWorker(*ParseTokenUri(faulty.Through(Softhsm().Uri("signing"))));
  const CustodialKey key = Generate(*worker, "failing", KeyType::kEcP256);
  const std::uint64_t before = faulty.Count("C_Sign");
  // Once more than another session mends.
  faulty.Set({"C_Sign 3 return CKR_DEVICE_ERROR", "C_Sign 4 return CKR_DEVICE_ERROR"});
  ASSERT_OK_AND_ASSIGN(const keyholder::Reply reply,
                       Ask(*worker, SignRequest(key, DigestsOfMessages(key.type, 5))));
  EXPECT_EQ(faulty.Count("C_Sign"), before + 4);
  EXPECT_FALSE(reply.has_failure());
  ASSERT_THAT(reply.signatures(), SizeIs(5));
  for (int i = 0; i < 2; ++i) {
    EXPECT_OK(
        VerifySignature(key.public_key, key.type, MessageNumber(i), reply.signatures(i).octets()));
  }
  for (int i = 2; i < 5; ++i) {
    EXPECT_THAT(reply.signatures(i).octets(), IsEmpty());
    const absl::Status failure = ReadFailure(reply.signatures(i).failure());
    EXPECT_THAT(failure, FailsWith(ErrorReason::kKeyUnavailable, "pkcs11:token=signing"));
    EXPECT_THAT(std::string(failure.message()), HasSubstr("CKR_DEVICE_ERROR"));
    EXPECT_TRUE(NeedsNewCustodian(failure));
  }
  EXPECT_THAT(reply.counters().errors(), UnorderedElementsAre(Pair("CKR_DEVICE_ERROR", 2)));
}

TEST(WorkerTest, AModulesCrashIsSeenForWhatItIs) {
  FaultyPkcs11 faulty;
  const auto worker = StartWorker(*ParseTokenUri(faulty.Through(Softhsm().Uri("signing"))));
  const CustodialKey key = Generate(*worker, "crashing", KeyType::kEcP256);
  faulty.Set({"C_Sign 1 crash SIGSEGV"});
  EXPECT_THAT(Ask(*worker, SignRequest(key, DigestsOfMessages(key.type, 1))),
              FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_EQ(worker->End(), "killed by SIGSEGV");
}

TEST(WorkerTest, AnswersEveryRequestOnAnyOfItsThreads) {
  const auto worker = StartWorker("signing", 4);
  const CustodialKey key = Generate(*worker, "busy", KeyType::kEcP256);
  constexpr int kRequests = 40;
  std::set<std::uint64_t> waiting;
  for (std::uint64_t id = 1; id <= kRequests; ++id) {
    keyholder::Request request = SignRequest(key, DigestsOfMessages(key.type, 8));
    request.set_id(id);
    ASSERT_EQ(worker->Send(request), WorkerProcess::Sent::kYes);
    waiting.insert(id);
  }
  while (!waiting.empty()) {
    ASSERT_OK_AND_ASSIGN(const keyholder::Reply reply, NextReply(*worker));
    EXPECT_EQ(waiting.erase(reply.id()), 1U) << "twice, or never asked: " << reply.id();
    ExpectSignatures(key, reply, 8);
  }
}

TEST(WorkerTest, ListsManyKeysInParts) {
  const auto worker = StartWorker("listing");
  std::set<std::string> made;
  for (int i = 0; i < kMostListings + 4; ++i) {
    made.insert(Generate(*worker, absl::StrCat("key-", i), KeyType::kEcP256).selector.label);
  }
  keyholder::Request list;
  list.mutable_list()->set_continues(true);
  EXPECT_THAT(FailureOf(Ask(*worker, list)), FailsWith(ErrorReason::kInternalError));
  for (const int beginnings : {1, 2}) {
    list.mutable_list()->set_continues(false);
    std::set<std::string> listed;
    int parts = 0;
    for (bool unfinished = true; unfinished; ++parts) {
      ASSERT_OK_AND_ASSIGN(const keyholder::Reply part, Ask(*worker, list));
      ASSERT_OK(FailureOf(part));
      ASSERT_LE(part.listings_size(), kMostListings);
      for (const keyholder::Listing& message : part.listings()) {
        ASSERT_OK_AND_ASSIGN(const KeyListing listing, ReadListing(message));
        EXPECT_EQ(listing.type, KeyType::kEcP256);
        EXPECT_EQ(listing.unfit_because, "");
        EXPECT_TRUE(listed.insert(listing.selector.label).second) << listing.selector.label;
      }
      unfinished = part.unfinished();
      list.mutable_list()->set_continues(true);
    }
    EXPECT_EQ(listed, made) << beginnings;
    EXPECT_GE(parts, 2);
  }
}

TEST(WorkerTest, GreetsWithWhatIsThere) {
  const auto worker = StartWorker("signing");
  keyholder::Request request;
  request.mutable_greet();
  ASSERT_OK_AND_ASSIGN(const keyholder::Reply reply, Ask(*worker, request));
  EXPECT_OK(FailureOf(reply));
  const CustodianFacts facts = ReadFacts(reply.facts());
  EXPECT_EQ(facts.manufacturer, "SoftHSM project");
  EXPECT_EQ(facts.model, "SoftHSM v2");
  EXPECT_TRUE(facts.software);
  EXPECT_FALSE(facts.one_process_only);
  EXPECT_EQ(reply.counters().logins(), 1U);
}

TEST(WorkerTest, SaysThatThePinWasRefused) {
  const TemporaryDirectory directory;
  TokenUri token = *ParseTokenUri(Softhsm().Uri("signing"));
  token.pin_source = {PinSource::Kind::kFile, directory.Write("pin", "24680")};
  const auto worker = WorkerProcess::Start(kKeyholderProgram, {token, 1});
  ASSERT_OK(worker);
  keyholder::Request request;
  request.mutable_greet();
  const absl::Status failure = FailureOf(Ask(**worker, request));
  EXPECT_THAT(failure, FailsWith(ErrorReason::kPinRefused, "pkcs11:token=signing"));
  EXPECT_THAT(std::string(failure.message()), Not(HasSubstr("24680")));
}

// Sends over the socket, whichever the request should go by.
keyholder::Reply AskOver(int socket, WorkerProcess& worker, const keyholder::Request& request) {
  EXPECT_EQ(PacketBuffer().Send(socket, request), PacketBuffer::Outcome::kDone);
  const auto reply = NextReply(worker);
  EXPECT_OK(reply);
  return *reply;
}

TEST(WorkerTest, MakesAndDestroysKeysOverASocketOfItsOwnOnly) {
  const auto worker = StartWorker("signing");
  const CustodialKey key = Generate(*worker, "kept", KeyType::kEcP256);
  keyholder::Request destroy;
  WriteSelector(key.selector, destroy.mutable_destroy());
  keyholder::Request seal;
  seal.mutable_seal()->set_secret("secret");
  for (const keyholder::Request& request :
       {GenerateRequest("unmade", KeyType::kEcP256), destroy, seal}) {
    EXPECT_THAT(FailureOf(AskOver(worker->socket(), *worker, request)),
                FailsWith(ErrorReason::kKeyNotPermitted));
  }
  const keyholder::Request sign = SignRequest(key, DigestsOfMessages(key.type, 1));
  EXPECT_THAT(FailureOf(AskOver(worker->administration_socket(), *worker, sign)),
              FailsWith(ErrorReason::kKeyNotPermitted));
  ExpectSignatures(key, AskOver(worker->socket(), *worker, sign), 1);
  EXPECT_OK(FailureOf(AskOver(worker->administration_socket(), *worker, destroy)));
}

TEST(WorkerTest, MakesAndDestroysNothingWithoutThatSocket) {
  const TokenUri token = *ParseTokenUri(Softhsm().Uri("signing"));
  const auto other = StartWorker("signing");
  const CustodialKey key = Generate(*other, "not mine", KeyType::kEcP256);
  ASSERT_OK_AND_ASSIGN(
      const auto worker,
      WorkerProcess::Start(ParentHere({kKeyholderProgram, {}, false}), {token, 1}));
  EXPECT_EQ(worker->administration_socket(), -1);
  keyholder::Request destroy;
  WriteSelector(key.selector, destroy.mutable_destroy());
  EXPECT_EQ(worker->Send(destroy), WorkerProcess::Sent::kGone);
  EXPECT_THAT(FailureOf(AskOver(worker->socket(), *worker, destroy)),
              FailsWith(ErrorReason::kKeyNotPermitted));
  ASSERT_OK_AND_ASSIGN(const keyholder::Reply reply,
                       Ask(*worker, SignRequest(key, DigestsOfMessages(key.type, 2))));
  ExpectSignatures(key, reply, 2);
}

TEST(WorkerTest, SealsNothingInAToken) {
  const auto worker = StartWorker("signing");
  keyholder::Request seal;
  seal.mutable_seal()->set_secret("secret");
  keyholder::Request unseal;
  unseal.mutable_unseal()->set_blob("blob");
  for (const keyholder::Request& request : {seal, unseal}) {
    EXPECT_THAT(FailureOf(Ask(*worker, request)), FailsWith(ErrorReason::kInternalError));
  }
}

TEST(WorkerTest, SignsAndSealsInATpm) {
  const Swtpm tpm;
  const auto worker =
      WorkerProcess::Start(kKeyholderProgram, {TpmConnection{tpm.Tcti(), std::nullopt}, 1});
  ASSERT_OK(worker);
  keyholder::Request generate;
  WriteSelector({"0x81010001", ""}, generate.mutable_generate()->mutable_key());
  ASSERT_OK_AND_ASSIGN(const keyholder::Reply generated, Ask(**worker, generate));
  ASSERT_OK_AND_ASSIGN(const CustodialKey key, ReadKey(generated.key()));
  ASSERT_OK_AND_ASSIGN(const keyholder::Reply reply,
                       Ask(**worker, SignRequest(key, DigestsOfMessages(key.type, 3))));
  ExpectSignatures(key, reply, 3);

  keyholder::Request seal;
  seal.mutable_seal()->set_secret("a secret");
  seal.mutable_seal()->add_registers(16);
  seal.mutable_seal()->set_authorization(static_cast<int>(SealAuthorization::kRecoveryCode));
  seal.mutable_seal()->set_recovery_code("a code");
  ASSERT_OK_AND_ASSIGN(const keyholder::Reply sealed, Ask(**worker, seal));
  EXPECT_OK(FailureOf(sealed));
  EXPECT_THAT(sealed.octets(), Not(HasSubstr("a secret")));
  keyholder::Request unseal;
  unseal.mutable_unseal()->set_blob(sealed.octets());
  unseal.mutable_unseal()->set_recovery_code("a code");
  ASSERT_OK_AND_ASSIGN(const keyholder::Reply unsealed, Ask(**worker, unseal));
  EXPECT_OK(FailureOf(unsealed));
  EXPECT_EQ(unsealed.octets(), "a secret");

  tpm.ExtendRegister(16);
  const auto refused = Ask(**worker, unseal);
  EXPECT_THAT(FailureOf(refused), FailsWith(ErrorReason::kKeyUnfit));
  EXPECT_EQ(refused->octets(), "");
  EXPECT_EQ((*worker)->TakeStandardError(), "");
}

}  // namespace
}  // namespace hourglass::hsm
